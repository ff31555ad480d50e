// check_procs: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'procs',
  'Looks for the daemons of a mail host: whether they run, were restarted, hang or grow.',
  `
Examples:
  check_procs -v`,
);
