// Other ways to notice new mail, all at the same mailbox and the same messages: IDLE, as mail clients do, and asking every so many
// seconds, as other monitors do. imapflow does the talking.

import { ImapFlow } from 'imapflow';
import type { Endpoint } from '../../lib/model/endpoint.ts';

export interface Onlooker {
  readonly name: string;
  /** When it knew of so many messages, performance.now(); undefined while it does not. */
  seenAt(count: number): number | undefined;
  stop(): void;
}

export async function idler(endpoint: Endpoint): Promise<Onlooker> {
  const seen: number[] = [];
  const client = await connected(endpoint, seen);
  void client.idle();
  return { name: 'IMAP IDLE', seenAt: count => seen[count], stop: () => client.close() };
}

export async function poller(endpoint: Endpoint, everyMs: number): Promise<Onlooker> {
  const seen: number[] = [];
  const client = await connected(endpoint, seen);
  const timer = setInterval(() => void client.noop().catch(() => {}), everyMs);
  return {
    name: `looking every ${everyMs / 1000} s`,
    seenAt: count => seen[count],
    stop: () => {
      clearInterval(timer);
      client.close();
    },
  };
}

async function connected(endpoint: Endpoint, seen: number[]): Promise<ImapFlow> {
  const { host, port, servername, trust, login } = endpoint;
  if (login === undefined) throw new Error('no log-in');
  const client = new ImapFlow({
    host,
    port,
    secure: false,
    doSTARTTLS: true,
    tls: { ...(trust.ca === undefined ? {} : { ca: trust.ca }), ...(servername === undefined ? {} : { servername }) },
    auth: { user: login.user, pass: await login.secret() },
    logger: false,
    disableAutoIdle: true,
  });
  client.on('error', () => {});
  await client.connect();
  const box = await client.mailboxOpen('INBOX', { readOnly: true });
  for (let count = 0; count <= box.exists; count += 1) seen[count] = performance.now();
  client.on('exists', ({ count }: { count: number }) => {
    for (let known = seen.length; known <= count; known += 1) seen[known] = performance.now();
  });
  return client;
}
