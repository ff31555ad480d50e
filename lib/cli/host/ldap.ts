// check_ldap's part that needs site.cfg: which directories there are, and whose entries they must have.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../host/check.ts';
import { ldapCheck } from '../../host/ldap/ldap.ts';
import { describe } from '../../site/describe.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems } from '../../site/problem.ts';

/** A host without site.cfg has no directories to ask; one whose site.cfg is wrong cannot tell. */
export async function ldapOfSite(folder: string): Promise<Check> {
  if (!existsSync(join(folder, 'site.cfg'))) return ldapCheck({ directories: [], accounts: [] });
  // Straight from the package it names machines that are nowhere: that is not yet a site.
  if (readFileSync(join(folder, 'site.cfg'), 'utf8') === describe('site.cfg'))
    return ldapCheck({ directories: [], accounts: [] });
  const { site, problems } = await loadSite(folder, { secrets: false });
  if (site === undefined)
    throw new Error(`the config in ${folder} cannot be used: ${formatProblems(problems).split('\n')[0] ?? ''}`);
  return ldapCheck({ directories: [...site.directories.values()], accounts: [...site.accounts.values()] });
}
