// master.cf of an MTA: its three doors, and the services behind them, none of them in a chroot.

import type { Faults } from '../faults/place.ts';
import type { Machine } from '../site.ts';

/** name, type, private, process limit, program: the services that every Postfix has. */
const SERVICES = `
pickup unix n 1 pickup
cleanup unix n 0 cleanup
qmgr unix n 1 qmgr
tlsmgr unix - 1 tlsmgr
rewrite unix - - trivial-rewrite
bounce unix - 0 bounce
defer unix - 0 bounce
trace unix - 0 bounce
verify unix - 1 verify
flush unix n 0 flush
proxymap unix - - proxymap
proxywrite unix - 1 proxymap
smtp unix - - smtp
relay unix - - smtp
showq unix n - showq
error unix - - error
retry unix - - error
discard unix - - discard
local unix - - local
virtual unix - - virtual
lmtp unix - - lmtp
anvil unix - 1 anvil
scache unix - 1 scache
postlog unix-dgram n 1 postlogd
`;

/** Seconds after which each of these wakes up by itself. */
const WAKE: Readonly<Record<string, string>> = { pickup: '60', qmgr: '300', tlsmgr: '1000?', flush: '1000?' };

/** Services that need root's rights; all others give them up. */
const asRoot: ReadonlySet<string> = new Set(['local', 'virtual']);

export function masterCf(machine: Machine, faults: Faults): string {
  const { address, component } = machine;
  const withTls = !faults.on('no-starttls', component);
  const auth = ['smtpd_sasl_auth_enable=yes', 'smtpd_sender_restrictions=$lab_submission_restrictions'];
  const named = (service: string) => `syslog_name=postfix-${machine.name}/${service}`;
  const lines = [
    door(`${address}:25`, []),
    door(`${address}:587`, [named('submission'), ...(withTls ? ['smtpd_tls_security_level=encrypt'] : []), ...auth]),
    ...(withTls ? [door(`${address}:465`, [named('smtps'), 'smtpd_tls_wrappermode=yes', ...auth])] : []),
    ...SERVICES.trim()
      .split('\n')
      .map(line => {
        const [name = '', type = '', isPrivate = '', limit = '', program = ''] = line.split(' ');
        const column = (text: string, width: number) => text.padEnd(width);
        return `${column(name, 10)} ${column(type, 10)} ${isPrivate}  ${asRoot.has(name) ? 'n' : '-'}  n  ${column(WAKE[name] ?? '-', 6)} ${column(limit, 3)} ${program}`;
      }),
  ];
  return `${lines.join('\n')}\n`;
}

function door(name: string, overrides: readonly string[]): string {
  return [`${name} inet n  -  n  -      -   smtpd`, ...overrides.map(each => `  -o ${each}`)].join('\n');
}
