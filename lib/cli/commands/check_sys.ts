// check_sys: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'sys',
  'Looks at memory, swap, processors, pressure, disks, open files, the clock and the limits of a container.',
  `
Examples:
  check_sys -v
  check_sys --nagios`,
);
