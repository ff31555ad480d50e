// check_files: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'files',
  'Looks at files that must be there, new core files, logs since the last look, certificates, and the configuration of MTA and Dovecot.',
  `
What else is looked at stands in host.cfg: [file.NAME], [log.NAME], [certificate.NAME].

Examples:
  check_files -v`,
);
