// check_ldap's part that needs site.cfg: which directories there are, and whose entries they must have.

import type { Check } from '../../host/check.ts';
import { ldapCheck } from '../../host/ldap/ldap.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems } from '../../site/problem.ts';
import { hasSite } from './tell.ts';

/** A host without site.cfg has no directories to ask; one whose site.cfg is wrong cannot tell. */
export async function ldapOfSite(folder: string): Promise<Check> {
  if (!(await hasSite(folder))) return ldapCheck({ directories: [], accounts: [] });
  const { site, problems } = await loadSite(folder, { secrets: false });
  if (site === undefined)
    throw new Error(`the config in ${folder} cannot be used: ${formatProblems(problems).split('\n')[0] ?? ''}`);
  return ldapCheck({ directories: [...site.directories.values()], accounts: [...site.accounts.values()] });
}
