// All tables of hostile peers, by protocol.

import type { Case } from './case.ts';
import { DNS } from './dns.ts';
import { IMAP } from './imap.ts';
import { IMAP_SECOND } from './imap-second.ts';
import { LDAP } from './ldap.ts';
import { LMTP } from './lmtp.ts';
import { MILTER } from './milter.ts';
import { POP3 } from './pop3.ts';
import { SMTP } from './smtp.ts';

export const TABLES: Readonly<Record<string, readonly Case[]>> = {
  smtp: SMTP,
  pop3: POP3,
  imap: [...IMAP, ...IMAP_SECOND],
  ldap: LDAP,
  lmtp: LMTP,
  milter: MILTER,
  dns: DNS,
};
