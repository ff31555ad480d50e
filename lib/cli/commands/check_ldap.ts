// check_ldap: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'ldap',
  'Asks each directory of site.cfg for the entries of the test accounts, times it, and tells how far replicas are behind.',
  `
Examples:
  check_ldap -v
  check_ldap --nagios`,
);
