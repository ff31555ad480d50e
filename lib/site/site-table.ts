// The table of site.cfg: all of its sections, in the order in which a newcomer meets them. Reading, defaults and the annotated file
// all come from here.

import { BALANCER, DIRECTORY, DNS, FILTER, MAINTENANCE } from './site-extras.ts';
import { ACCOUNT, MMP, MTA, SITE, STORE } from './site-sections.ts';
import type { Contents, FileTable } from './table/field.ts';

const SECTIONS = {
  site: SITE,
  mta: MTA,
  mmp: MMP,
  store: STORE,
  account: ACCOUNT,
  balancer: BALANCER,
  directory: DIRECTORY,
  filter: FILTER,
  dns: DNS,
  maintenance: MAINTENANCE,
};

const PASSWORD_KEY = /^(?:[a-z0-9]+_)?(?:password|passwd|passphrase|pass|pwd|secret|token)$/i;
const SIGNING_KEY = /^(?:(?:site|sign|signing|hmac|secret)_?)?key$/i;

/** Secrets have no place in this file, whatever the key that holds them is called. */
function refused(key: string): { readonly text: string; readonly remedy: string } | undefined {
  if (PASSWORD_KEY.test(key)) {
    return {
      text: 'a password must not stand in this file',
      remedy:
        'write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
    };
  }
  if (!SIGNING_KEY.test(key)) return undefined;
  return {
    text: 'a key must not stand in this file',
    remedy:
      'write it into a file of its own that only you can read (chmod 600), and name that file in [site]: key_file = "site.key"',
  };
}

export const SITE_TABLE: FileTable<typeof SECTIONS> = {
  intro: `# site.cfg: the mail site that healthmon watches. The routes that test messages take through it are in
# sequence.cfg, beside this file.
#
# The language is TOML: [section], then lines of key = value; texts stand in double quotes; "#" begins a remark.
# A key that is commented out below shows its default or a sample. Read from the top: [site], then at least one
# MTA, one MMP and one store with a test account. All the rest makes verdicts more exact and can wait.
#
# After a change: healthmon config check. A first set of files for a site of your own: healthmon init DIR.`,
  sections: SECTIONS,
  refused,
};

/** site.cfg as it was read, section by section. */
export type SiteContents = Contents<typeof SECTIONS>;
