// smtpstats: its face. The work is in ../maillog/smtpstats.ts and in lib/maillog.

import { runSmtpstats } from '../maillog/smtpstats.ts';

void runSmtpstats();
