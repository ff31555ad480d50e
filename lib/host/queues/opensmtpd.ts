// OpenSMTPD's queue: queue/XX/MSGID/ holds the file message and an envelope file for each recipient, lines of `name: value`.
// @see smtpd/envelope.c, queue_fs.c
//
// Messages are counted, not envelopes. A message that was tried counts as deferred, by its first envelope.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { denied, type ReadQueue } from './flavour.ts';
import type { Envelope } from './tally.ts';
import { namesIn, walk } from './walk.ts';

export const readOpensmtpd: ReadQueue = async ({ root, place, tally, goOn }) => {
  const spool = join(root, place.directory);
  const closed: string[] = [];
  const messages = (folder: string, queue: 'incoming' | 'corrupt' | undefined) =>
    walk(
      folder,
      name => {
        if (/^[0-9a-f]{8}$/.test(name)) tally.file(queue, folder, name, undefined);
      },
      goOn,
    );
  for (const [name, queue] of [
    ['queue', undefined],
    ['incoming', 'incoming'],
    ['corrupt', 'corrupt'],
  ] as const) {
    const folder = join(spool, name);
    if (messages(folder, queue) === 'denied') closed.push(name);
    for (const bucket of namesIn(folder)) if (bucket.length === 2) messages(join(folder, bucket), queue);
  }
  tally.openSample(readMessage, goOn);
  return denied(closed, 'run it as root');
};

function readMessage(folder: string): Envelope | undefined {
  const envelopes = namesIn(folder)
    .filter(name => /^[0-9a-f]{16}$/.test(name))
    .slice(0, 100)
    .flatMap(name => {
      try {
        return [parseEnvelope(readFileSync(join(folder, name), 'latin1'))];
      } catch {
        return [];
      }
    });
  const [first] = envelopes;
  if (first === undefined) {
    try {
      return { at: statSync(folder).mtimeMs, recipients: [], queue: 'incoming' };
    } catch {
      return undefined;
    }
  }
  return { ...first, recipients: envelopes.flatMap(({ recipients }) => recipients) };
}

export function parseEnvelope(text: string): Envelope {
  const of = (name: string) => new RegExp(`^${name}: *(.*)$`, 'm').exec(text)?.[1];
  const seconds = Number(of('ctime'));
  const client = /^(?:\[(?:IPv6:)?)?([0-9A-Fa-f.:]+?)\]?(?::\d+)?$/.exec(of('sockaddr') ?? '')?.[1];
  const sender = of('sender');
  const recipient = of('dest') ?? of('rcpt');
  return {
    queue: Number(of('retry') ?? 0) > 0 ? 'deferred' : 'active',
    recipients: recipient === undefined ? [] : [recipient],
    ...(Number.isFinite(seconds) && seconds > 0 ? { at: seconds * 1000 } : {}),
    ...(sender === undefined ? {} : { sender: sender.replace(/^@$/, '') }),
    ...(client === undefined || client === 'local' ? {} : { client }),
  };
}
