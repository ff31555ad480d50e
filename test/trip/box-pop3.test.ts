// A maildrop that others use as well: what another session removes between our list and our look at it is no fault of the server.

import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Pop3Box } from '../../lib/trip/box-pop3.ts';
import { endpoint, login, terms } from '../dialog/peer.ts';

interface Mail {
  readonly uidl: string;
  readonly text: string;
  /** Listed, and then refused: somebody else has removed it meanwhile. */
  readonly gone?: boolean;
}

let server: Server | undefined;
afterEach(() => void server?.close());

/** @param drops what each log-in in turn finds; the last one again and again */
async function maildrop(drops: readonly (readonly Mail[])[]): Promise<Pop3Box> {
  let logins = 0;
  const listening = createServer(socket => {
    const mails = drops[Math.min(logins, drops.length - 1)] ?? [];
    logins += 1;
    socket.write('+OK ready\r\n');
    socket.on('error', () => {});
    socket.on('data', data => {
      for (const line of data.toString('latin1').split('\r\n').slice(0, -1)) socket.write(answerTo(line, mails));
    });
  });
  server = listening;
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new Pop3Box(endpoint('pop3', address.port, 'plain', { login: login() }), { logins: 10, largestBytes: 0 });
}

function answerTo(line: string, mails: readonly Mail[]): string {
  const [verb = '', number] = line.split(' ');
  const mail = mails[Number(number) - 1];
  switch (verb) {
    case 'UIDL':
      return `+OK\r\n${mails.map(({ uidl }, n) => `${n + 1} ${uidl}\r\n`).join('')}.\r\n`;
    case 'LIST':
      return `+OK\r\n${mails.map(({ text }, n) => `${n + 1} ${text.length}\r\n`).join('')}.\r\n`;
    case 'TOP':
      return mail === undefined || mail.gone === true
        ? `-ERR Message ${number} expunged.\r\n`
        : `+OK\r\nX-Healthmon-Token: ${mail.text}\r\n\r\n.\r\n`;
    case 'CAPA':
      return '+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n';
    default:
      return '+OK\r\n';
  }
}

const refs = (letters: readonly { ref: string }[]) => letters.map(({ ref }) => ref);
const OLD: Mail = { uidl: 'old', text: 'a' };
const THEIRS: Mail = { uidl: 'theirs', text: 'b' };
const OURS: Mail = { uidl: 'ours', text: 'c' };

test('a new message that another session removes while we look is passed over, and the others are seen', async () => {
  const box = await maildrop([[OLD], [OLD, { ...THEIRS, gone: true }, OURS], [OLD, OURS]]);
  expect((await box.open(terms())).trouble).toBeUndefined();
  const first = await box.look(0, terms());
  expect([refs(first.letters), first.trouble]).toEqual([['ours'], undefined]);
  const second = await box.look(0, terms());
  expect([refs(second.letters), second.trouble]).toEqual([[], undefined]);
});

test('a message that is listed and refused again and again is a fault of the server, with its words', async () => {
  const box = await maildrop([[OLD], [OLD, { ...OURS, gone: true }]]);
  await box.open(terms());
  expect((await box.look(0, terms())).trouble).toBeUndefined();
  const { trouble } = await box.look(0, terms());
  expect(trouble).toMatchObject({
    fault: { phase: 'top', kind: 'rejected', text: 'refused: -ERR Message 2 expunged.' },
  });
});

test('a message that was refused once and is shown the next time is seen then', async () => {
  const box = await maildrop([[OLD], [OLD, { ...OURS, gone: true }], [OLD, OURS]]);
  await box.open(terms());
  await box.look(0, terms());
  const { letters, trouble } = await box.look(0, terms());
  expect([refs(letters), trouble]).toEqual([['ours'], undefined]);
});

test('the search for left-overs passes over what is gone', async () => {
  const box = await maildrop([[OLD], [OLD, { ...THEIRS, gone: true }, OURS]]);
  await box.open(terms());
  const found = await box.leftOvers(10, true, terms());
  expect(found.outcome === 'answered' && refs(found.value)).toEqual(['old', 'ours']);
});
