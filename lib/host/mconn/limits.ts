// How many connections the servers themselves allow: by Postfix' master.cf, Dovecot's doveconf, sendmail.cf and Exim's own word.
// What cannot be read has no limit here; it is not guessed.

import { join } from 'node:path';
import type { Run } from '../program.ts';
import { parameter } from '../queues/places.ts';
import { textOf } from '../source.ts';

/** Connections at once, by service; services that share one limit are named together. */
export interface ConnectionLimit {
  readonly services: readonly string[];
  readonly most: number;
  /** Where it is set, for people. */
  readonly setting: string;
}

/** @param listening services that listen here: nobody is asked about others */
export async function connectionLimits(
  root: string,
  config: string | undefined,
  run: Run,
  listening: ReadonlySet<string>,
): Promise<readonly ConnectionLimit[]> {
  const has = (...names: readonly string[]) => names.some(name => listening.has(name));
  const limits: ConnectionLimit[] = [];
  if (has('smtp', 'submission', 'smtps')) {
    const folder = config ?? '/etc/postfix';
    const master = textOf(join(root, folder, 'master.cf'));
    const main = textOf(join(root, folder, 'main.cf'));
    if (master !== undefined) limits.push(...postfixLimits(master, main ?? ''));
    else limits.push(...(await otherMta(root, run)));
  }
  if (has('imap', 'imaps', 'pop3', 'pop3s')) {
    const asked = await run(['doveconf', '-n'], { deadlineMs: 3000 });
    if (asked.ended === 'done' && asked.status === 0) limits.push(...dovecotLimits(asked.stdout));
  }
  return limits;
}

const PORT_NAMES: Readonly<Record<string, string>> = { '25': 'smtp', '587': 'submission', '465': 'smtps', submissions: 'smtps' };
const POSTFIX_DEFAULT = 100;

/**
 * One smtpd process serves one client. A service behind postscreen is left out: its limit is another one.
 *
 * @see master(5): service, type, private, unpriv, chroot, wakeup, maxproc, command
 */
export function postfixLimits(master: string, main: string): readonly ConnectionLimit[] {
  const written = Number(parameter(main, 'default_process_limit'));
  const usual = Number.isInteger(written) && written > 0 ? written : POSTFIX_DEFAULT;
  const byName = new Map<string, number>();
  for (const line of master.split('\n')) {
    const [service = '', type, , , , , maxproc = '-', command] = line.split(/\s+/);
    if (line.startsWith('#') || type !== 'inet' || command !== 'smtpd') continue;
    const port = service.slice(service.lastIndexOf(':') + 1);
    const name = PORT_NAMES[port] ?? port;
    const most = maxproc === '-' ? usual : Number(maxproc);
    // 0 is no limit. One service on two addresses is two pools of processes.
    if (['smtp', 'submission', 'smtps'].includes(name) && most > 0) byName.set(name, (byName.get(name) ?? 0) + most);
  }
  return [...byName].map(([name, most]) => ({ services: [name], most, setting: `maxproc of ${name} in master.cf` }));
}

/** service imap and service pop3 have a process for each client that is logged in. @see doc.dovecot.org, "Service configuration" */
export function dovecotLimits(text: string): readonly ConnectionLimit[] {
  return (['imap', 'pop3'] as const).map(name => {
    const block = new RegExp(`^service ${name} \\{\\n((?: .*\\n|\\n)*)\\}`, 'm').exec(text)?.[1] ?? '';
    const of = (key: string, fallback: number) => Number(new RegExp(`^ +${key} = (\\d+)`, 'm').exec(block)?.[1] ?? fallback);
    const most = of('process_limit', 1024) * Math.max(1, of('client_limit', 1));
    return { services: [name, `${name}s`], most, setting: `process_limit of service ${name} in Dovecot` };
  });
}

async function otherMta(root: string, run: Run): Promise<readonly ConnectionLimit[]> {
  const children = Number(/^O MaxDaemonChildren=(\d+)/m.exec(textOf(join(root, 'etc/mail/sendmail.cf')) ?? '')?.[1] ?? 0);
  if (children > 0)
    return [{ services: ['smtp', 'submission', 'smtps'], most: children, setting: 'MaxDaemonChildren in sendmail.cf' }];
  for (const program of ['exim4', 'exim']) {
    const asked = await run([program, '-bP', 'smtp_accept_max'], { deadlineMs: 3000 });
    const most = asked.ended === 'done' ? Number(/^smtp_accept_max = (\d+)/m.exec(asked.stdout)?.[1] ?? 0) : 0;
    if (most > 0) return [{ services: ['smtp', 'submission', 'smtps'], most, setting: 'smtp_accept_max of Exim' }];
  }
  return [];
}
