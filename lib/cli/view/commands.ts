// Lines to copy and paste, with which anybody can see a fault for himself: openssl, swaks, ldapsearch, dig. Secrets are placeholders,
// and every word is quoted for the shell.

import { shortName } from '../../model/component.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Account, Balancer, Mmp, Mta, Site, Store } from '../../model/site.ts';
import type { Suspect } from '../../model/verdict.ts';

/** @returns one line per thing to try, for a suspect that has a door; empty for the others */
export function commandsFor(site: Site, suspect: Suspect, account: Account | undefined): readonly string[] {
  const name = shortName(suspect.component);
  const kind = suspect.component.slice(0, suspect.component.indexOf('/'));
  switch (kind) {
    case 'mta':
      return smtpLines(site, site.mtas.get(name)?.smtp, account);
    case 'mmp':
    case 'store': {
      const doors = kind === 'mmp' ? site.mmps.get(name) : site.stores.get(name);
      const lmtp = kind === 'store' && suspect.protocol === 'lmtp' ? site.stores.get(name)?.lmtp : undefined;
      if (lmtp !== undefined)
        return [
          `swaks --protocol LMTP --server ${word(lmtp.host)} --port ${lmtp.port} --from ${word(account?.address ?? '')} --to ${word(account?.address ?? '')} --quit-after RCPT`,
        ];
      const endpoint =
        suspect.protocol === 'imap' ? doors?.imap : suspect.protocol === 'pop3' ? doors?.pop3 : (doors?.imap ?? doors?.pop3);
      return mailboxLines(endpoint, account);
    }
    case 'directory': {
      const directory = site.directories.get(name);
      if (directory === undefined) return [];
      const { host, port, security, login } = directory.ldap;
      const bind = login === undefined ? '' : ` -D ${word(login.user)} -W`;
      const filter = directory.filter.replace(/%s/g, account?.address ?? '').replace(/%u/g, account?.login.user ?? '');
      return [
        `ldapsearch -x${security === 'starttls' ? ' -ZZ' : ''} -H ${word(`${security === 'tls' ? 'ldaps' : 'ldap'}://${host}:${port}`)}${bind} -b ${word(directory.base)} ${word(filter)} ${directory.attributes.map(word).join(' ')}`,
      ];
    }
    case 'dns': {
      const server = site.nameServers.get(name);
      return server === undefined ? [] : [`dig @${server.address} -p ${server.port} ${word(site.domain)} SOA`];
    }
    case 'link':
      return linkLines(site, name, suspect);
    default:
      return [];
  }
}

/** Whether one machine reaches the other can only be asked on the first. */
function linkLines(site: Site, link: string, { protocol }: Suspect): readonly string[] {
  const machines = [site.mtas, site.mmps, site.stores, site.balancers].flatMap(kind => [...kind.values()]);
  for (const from of machines) {
    if (!link.startsWith(`${from.name}-`)) continue;
    const to = link.slice(from.name.length + 1);
    const host = hostOf(from);
    const door =
      protocol === 'ldap'
        ? site.directories.get(to)?.ldap
        : (site.stores.get(to)?.[protocol === 'lmtp' || protocol === 'imap' || protocol === 'pop3' ? protocol : 'lmtp'] ??
          site.mtas.get(to)?.smtp ??
          site.mmps.get(to)?.[protocol === 'pop3' ? 'pop3' : 'imap']);
    if (host !== undefined && door !== undefined)
      return [`ssh ${word(host)} nc -vz -w 5 ${word(door.host)} ${door.port}   # from the one machine to the other`];
  }
  return [];
}

/** The address of a machine, by any of its doors. */
function hostOf(machine: Mta | Mmp | Store | Balancer): string | undefined {
  if ('smtp' in machine) return machine.smtp.host;
  if ('doors' in machine) return Object.values(machine.doors)[0]?.host;
  return (machine.imap ?? machine.pop3 ?? ('lmtp' in machine ? machine.lmtp : undefined))?.host;
}

function smtpLines(site: Site, endpoint: Endpoint | undefined, account: Account | undefined): readonly string[] {
  if (endpoint === undefined) return [];
  const { host, port, security, login } = endpoint;
  const tls = { plain: '', starttls: ' --tls', tls: ' --tls-on-connect' }[security];
  const auth = login === undefined ? '' : ` --auth PLAIN --auth-user ${word(login.user)}`;
  const sender = (site.sender === undefined ? undefined : site.accounts.get(site.sender)?.address) ?? account?.address ?? '';
  return [
    `swaks --server ${word(host)} --port ${port}${tls}${auth} --from ${word(sender)} --to ${word(account?.address ?? '')} --quit-after RCPT`,
    ...opensslLines(endpoint, 'smtp'),
  ];
}

function mailboxLines(endpoint: Endpoint | undefined, account: Account | undefined): readonly string[] {
  if (endpoint === undefined) return [];
  const protocol = endpoint.protocol === 'imap' ? 'imap' : 'pop3';
  const login =
    account === undefined
      ? ''
      : protocol === 'imap'
        ? `   # then: a LOGIN ${account.login.user} PASSWORD`
        : `   # then: USER ${account.login.user}, PASS PASSWORD, STAT`;
  if (endpoint.security === 'plain') return [`nc -C ${word(endpoint.host)} ${endpoint.port}${login}`];
  return opensslLines(endpoint, protocol).map(line => `${line}${login}`);
}

function opensslLines({ host, port, security, servername }: Endpoint, protocol: 'smtp' | 'pop3' | 'imap'): readonly string[] {
  if (security === 'plain') return [];
  const start = security === 'starttls' ? ` -starttls ${protocol}` : '';
  return [`openssl s_client -connect ${word(`${host}:${port}`)}${start} -servername ${word(servername ?? host)} -crlf -quiet`];
}

function word(text: string): string {
  return /^[A-Za-z0-9_/.,:@%+=-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}
