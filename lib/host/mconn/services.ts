// The services of a mail host, by their ports.

import { join } from 'node:path';
import { parameter } from '../queues/places.ts';
import { textOf } from '../source.ts';

export interface Service {
  readonly name: string;
  readonly ports: readonly number[];
  /** The column of qmonitor.log that it belongs to. */
  readonly column?: Column;
}

export type Column = 'smtp' | 'imap' | 'pop3' | 'ldap' | 'http';

const KNOWN: readonly Service[] = [
  { name: 'smtp', ports: [25], column: 'smtp' },
  { name: 'submission', ports: [587], column: 'smtp' },
  { name: 'smtps', ports: [465], column: 'smtp' },
  { name: 'lmtp', ports: [24] },
  { name: 'imap', ports: [143], column: 'imap' },
  { name: 'imaps', ports: [993], column: 'imap' },
  { name: 'pop3', ports: [110], column: 'pop3' },
  { name: 'pop3s', ports: [995], column: 'pop3' },
  { name: 'ldap', ports: [389], column: 'ldap' },
  { name: 'ldaps', ports: [636], column: 'ldap' },
  { name: 'http', ports: [80], column: 'http' },
  { name: 'https', ports: [443], column: 'http' },
  { name: 'sieve', ports: [4190] },
];

/** The usual ports of OpenDKIM and OpenDMARC, where Postfix does not say which. */
const MILTER_PORTS = [8891, 8893];

/** All services: the known ones, with other ports where host.cfg says so, milters by Postfix' word, and host.cfg's own. */
export function servicesOf(
  root: string,
  own: readonly { readonly name: string; readonly ports: readonly number[] }[],
  config = '/etc/postfix',
): readonly Service[] {
  const given = new Map(own.map(service => [service.name, service.ports]));
  const known = [...KNOWN, { name: 'milter', ports: milterPorts(root, config) }].map(service => {
    const ports = given.get(service.name);
    given.delete(service.name);
    return ports === undefined ? service : { ...service, ports };
  });
  return [...known, ...[...given].map(([name, ports]) => ({ name, ports }))];
}

/** Ports of milters on this host, as smtpd_milters and non_smtpd_milters of main.cf name them. */
function milterPorts(root: string, config: string): readonly number[] {
  const main = textOf(join(root, config, 'main.cf'));
  if (main === undefined) return MILTER_PORTS;
  const written = [parameter(main, 'smtpd_milters'), parameter(main, 'non_smtpd_milters')].join(' ');
  const ports = [...written.matchAll(/\binet:(?:localhost|127\.[\d.]+|\[::1\]):(\d{1,5})/g)].map(match => Number(match[1]));
  return ports.length === 0 ? MILTER_PORTS : [...new Set(ports)];
}
