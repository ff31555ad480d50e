// The annotated samples: what `healthmon config describe` prints and what lies in etc/, byte for byte.

import { SITE_TABLE } from './site-table.ts';
import { annotatedFile } from './table/annotate.ts';

export const CONFIG_FILES = ['site.cfg', 'sequence.cfg'] as const;
export type ConfigFile = (typeof CONFIG_FILES)[number];

/** A whole config file that is valid as it stands, shows the seed's site, and explains every key with its default. */
export function describe(file: ConfigFile): string {
  switch (file) {
    case 'site.cfg':
      return annotatedFile(SITE_TABLE);
    case 'sequence.cfg':
      return SEQUENCE_SAMPLE;
    default:
      return file satisfies never;
  }
}

/** What stands above the entries of a sequence.cfg: all of its grammar. */
export const SEQUENCE_HELP = `# sequence.cfg: which route is tested in which minute of the hour. One entry a line; "#" begins a remark.
#
#   <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]
#
#   <minute>  00 to 59: the entry runs in this minute of every hour. It must be a multiple of interval in [site]
#             of site.cfg, which is how often cron starts check_rndtrip. Entries of one minute run at the same
#             time. A minute without an entry is quiet.
#   DMSG      deliver a message: the one thing there is to do.
#   -u        the account whose mailbox the test message goes to: the name of a [store.NAME] that has an
#             address, or of an [account.NAME].
#   -s        where it is handed in: the name of an [mta.NAME], or of a [balancer.NAME] with an smtp door.
#   -p        where it is read back: the name of an [mmp.NAME], or of a [balancer.NAME] with a pop3 or imap
#             door; or "direct" for the store's own doors.
#   -m        how it is read back: pop3 or imap. Default: by POP3 in one hour and by IMAP in the next, where
#             there are both.
#
# Choose entries so that every store, MTA and MMP has its turn, and the pairs of them too: \`healthmon plan\`
# tells which have none and how soon a failure is noticed; with --write it makes a file that has them all.
`;

const SEQUENCE_SAMPLE = `${SEQUENCE_HELP}
00 DMSG -u ims1 -s smtp    -p smux01
05 DMSG -u ims1 -s ssmtp01 -p smux01
10 DMSG -u ims2 -s ssmtp01 -p smux01
15 DMSG -u ims3 -s ssmtp02 -p smux01
20 DMSG -u ims4 -s ssmtp02 -p smux01
25 DMSG -u ims1 -s ssmtp03 -p smux02
30 DMSG -u ims2 -s ssmtp03 -p smux02
35 DMSG -u ims3 -s ssmtp04 -p smux02 -m imap
40 DMSG -u ims4 -s ssmtp04 -p smux02 -m pop3
45 DMSG -u ims2 -s ssmtp02 -p direct -m imap   # past the MMPs, for comparison
50 DMSG -u ims3 -s ssmtp01 -p smux02
55 DMSG -u ims4 -s ssmtp04 -p smux02
`;
