// Every daemon (and any client that needs the lab's names) runs in a mount namespace of its own, where resolv.conf, the LDAP
// library's settings and, beside another MTA, Postfix' libraries are the lab's. The pid stays; the mounts vanish with the process.

import { existsSync } from 'node:fs';
import { PRIVATE_POSTFIX, postfixIsPrivate } from './packages.ts';
import type { Site } from './site.ts';

/** The command that runs `command` inside. `name`: the machine whose address LDAP connections should come from. */
export function inside(site: Site, command: readonly string[], name?: string): string[] {
  const binds: [string, string][] = [[site.path('resolv.conf'), '/etc/resolv.conf']];
  if (name !== undefined && existsSync(site.path(name, 'ldaprc'))) binds.push([site.path(name, 'ldaprc'), '/etc/ldap/ldap.conf']);
  if (postfixIsPrivate()) binds.push([`${PRIVATE_POSTFIX}/usr/lib/postfix`, '/usr/lib/postfix']);
  const mounts = binds.map((_, index) => `mount --bind "$${index * 2 + 1}" "$${index * 2 + 2}"`).join(' && ');
  return ['unshare', '-m', 'sh', '-c', `${mounts} && shift ${binds.length * 2} && exec "$@"`, 'lab', ...binds.flat(), ...command];
}
