// check_mconn: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'mconn',
  'Counts TCP connections by service and state, and misses listeners that are gone.',
  `
Examples:
  check_mconn -v`,
);
