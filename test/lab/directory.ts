// Changes to accounts while the lab runs: a password that is different from now on, an entry that is gone. Made at the provider,
// as an administrator would, and waited for at the replica.

import { entryOf, hashed } from './daemons/openldap-entries.ts';
import type { Faults } from './faults/place.ts';
import { run, until } from './run.ts';
import { type Machine, type Site, SUFFIX } from './site.ts';

/** What an account is: as it should be, with another password, or not there. */
type Shape = 'right' | 'refused' | 'gone';

/** @returns whether anything was changed. */
export async function changeAccounts(
  site: Site,
  before: Faults,
  next: Faults,
  isUp: (component: Machine['component']) => boolean,
): Promise<boolean> {
  const changes = site.accounts.filter(({ name }) => shapeOf(before, name) !== shapeOf(next, name));
  if (changes.length === 0 || !isUp('directory/ldap1')) return false;
  for (const { name } of changes) {
    const dn = `uid=${name},ou=people,${SUFFIX}`;
    await modify(site, `dn: ${dn}\nchangetype: delete\n`, true);
    const shape = shapeOf(next, name);
    if (shape === 'gone') continue;
    const password = shape === 'right' ? site.password(name) : `${site.password(name)}-changed`;
    await modify(site, `${entryOf(site, name, hashed(password)).replace('\n', '\nchangetype: add\n')}\n`);
  }
  if (!isUp('directory/ldap2') || next.named('replica-empty', 'replica-behind').length > 0) return true;
  await until('the replica follows', 3000, async () => {
    const [provider, replica] = await Promise.all(
      ['directory/ldap1', 'directory/ldap2'].map(each => stateOf(site, site.machine(each as 'directory/ldap1'))),
    );
    return provider === replica ? true : undefined;
  });
  return true;
}

function shapeOf(faults: Faults, name: string): Shape {
  if (faults.on('account-gone', `account/${name}`)) return 'gone';
  return faults.on('account-refused', `account/${name}`) ? 'refused' : 'right';
}

async function modify(site: Site, ldif: string, evenIfMissing = false): Promise<void> {
  const { address } = site.machine('directory/ldap1');
  const login = ['-x', '-H', `ldap://${address}`, '-D', `cn=admin,${SUFFIX}`, '-y', site.path('admin.secret')];
  const ran = await run(['ldapmodify', ...login], { input: ldif, anyStatus: evenIfMissing, limitMs: 5000 });
  if (ran.status !== 0 && !(evenIfMissing && ran.status === 32)) throw new Error(`ldapmodify: ${ran.stderr}`);
}

/** How far a directory's contents have come. */
async function stateOf(site: Site, machine: Machine): Promise<string> {
  const login = ['-x', '-H', `ldap://${machine.address}`, '-D', `cn=admin,${SUFFIX}`, '-y', site.path('admin.secret')];
  const ran = await run(['ldapsearch', ...login, '-LLL', '-s', 'base', '-b', SUFFIX, 'contextCSN'], {
    anyStatus: true,
    limitMs: 5000,
  });
  return ran.stdout;
}
