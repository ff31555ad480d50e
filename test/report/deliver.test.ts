// Reports on their way: nobody gets one twice, nobody is forgotten, and what a relay does is noted.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import { deliver, type HandOver, type Send } from '../../lib/report/deliver.ts';
import { forgetMade, madeDays, madeNote, missingDays, noteMade } from '../../lib/report/made.ts';
import { isUndelivered, isWaiting, Outbox, type Outgoing, pauseMs, TRY_MS } from '../../lib/report/outbox.ts';
import { sendOver } from '../../lib/report/relay.ts';

const NOW = Date.UTC(2026, 10, 22, 0, 4);
const HOUR = 3_600_000;
let state: string;
let outbox: Outbox;
const servers: SMTPServer[] = [];

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'healthmon-outbox-'));
  outbox = new Outbox(state);
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise(resolve => server.close(() => resolve(undefined)));
});

function outgoing(over: Partial<Outgoing> = {}): Outgoing {
  return {
    v: 1,
    id: '2026-11-21',
    title: 'Saturday 21 November 2026',
    from: 'healthmon@example.com',
    messageId: '<report-1@example.com>',
    createdAt: NOW,
    attempts: 0,
    nextAt: 0,
    people: ['a@x.test', 'b@x.test', 'c@x.test'].map(address => ({ address, state: 'waiting', text: '' })),
    ...over,
  };
}

/** Answers by address, and remembers who was tried. */
function sender(answers: Record<string, HandOver>): Send & { readonly tried: string[] } {
  const tried: string[] = [];
  const send: Send = async (_letter, { to }) => {
    tried.push(to);
    return answers[to] ?? { result: 'sent', text: '250 ok' };
  };
  return Object.assign(send, { tried });
}

const later: HandOver = { result: 'failed', text: 'mta/r smtp connect: refused the connection', again: 'later' };
const never: HandOver = { result: 'failed', text: 'mta/r smtp rcpt: refused: 550 no such user', again: 'never' };
const states = () => outbox.all().map(({ people }) => people.map(person => person.state).join(' '));

test('each address is handed over once, and then it is over', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  const send = sender({});
  await deliver({ outbox, send, at: NOW, onlyDue: false });
  await deliver({ outbox, send, at: NOW + HOUR, onlyDue: false });
  expect(send.tried).toEqual(['a@x.test', 'b@x.test', 'c@x.test']);
  expect(states()).toEqual(['sent sent sent']);
  expect(outbox.waiting()).toEqual([]);
});

test('an address that is refused for good does not hold the others up, and is not tried again', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  const send = sender({ 'b@x.test': never });
  const [entry] = await deliver({ outbox, send, at: NOW, onlyDue: false });
  expect(states()).toEqual(['sent refused sent']);
  expect(entry && [isWaiting(entry), isUndelivered(entry)]).toEqual([false, true]);
  await deliver({ outbox, send, at: NOW + HOUR, onlyDue: false });
  expect(send.tried).toHaveLength(3);
});

test('a relay that is down is asked once, and the letter goes out at the next try to those who have not got it', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  const down = sender({ 'b@x.test': later, 'c@x.test': later });
  await deliver({ outbox, send: down, at: NOW, onlyDue: false });
  expect(down.tried).toEqual(['a@x.test', 'b@x.test']);
  expect(states()).toEqual(['sent waiting waiting']);
  expect(outbox.all()[0]?.people[2]?.text).toBe('mta/r smtp connect: refused the connection');
  const up = sender({});
  await deliver({ outbox, send: up, at: NOW + HOUR, onlyDue: false });
  expect(up.tried).toEqual(['b@x.test', 'c@x.test']);
  expect(states()).toEqual(['sent sent sent']);
});

test('between reports it is tried again by a schedule that grows, and at last not at all', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  const send = sender({ 'a@x.test': later });
  await deliver({ outbox, send, at: NOW, onlyDue: true });
  await deliver({ outbox, send, at: NOW + 4 * 60_000, onlyDue: true });
  expect(send.tried).toHaveLength(1);
  await deliver({ outbox, send, at: NOW + 5 * 60_000, onlyDue: true });
  expect(send.tried).toHaveLength(2);
  await deliver({ outbox, send, at: NOW + TRY_MS + 1, onlyDue: false });
  expect(send.tried).toHaveLength(2);
  expect([1, 2, 3, 4, 5, 9].map(n => pauseMs(n) / 60_000)).toEqual([5, 10, 20, 40, 60, 60]);
});

test('a crash while it was being handed over leaves it to be tried again, with the same Message-ID', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  const crash: Send = async () => {
    throw new Error('killed');
  };
  await expect(deliver({ outbox, send: crash, at: NOW, onlyDue: false })).rejects.toThrow('killed');
  expect(states()).toEqual(['sending waiting waiting']);
  const send = sender({});
  await deliver({ outbox: new Outbox(state), send, at: NOW, onlyDue: false });
  expect(send.tried).toEqual(['a@x.test', 'b@x.test', 'c@x.test']);
  expect(outbox.all()[0]?.messageId).toBe('<report-1@example.com>');
});

test('a letter that has gone from the disk is told, not sent empty', async () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  rmSync(join(state, 'report', 'outbox', '2026-11-21.eml'));
  const send = sender({});
  await deliver({ outbox, send, at: NOW, onlyDue: false });
  expect(send.tried).toEqual([]);
  expect(outbox.all()[0]?.people[0]).toEqual({
    address: 'a@x.test',
    state: 'refused',
    text: 'the letter is no longer on the disk',
  });
});

test('notes that cannot be read are left alone', () => {
  const folder = join(state, 'report', 'outbox');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'a.json'), '{"v":1,');
  writeFileSync(join(folder, 'b.json'), JSON.stringify({ ...outgoing(), id: '../../etc' }));
  writeFileSync(
    join(folder, 'c.json'),
    JSON.stringify({ ...outgoing(), people: [{ address: 7 }, { address: 'a@x.test', state: 'odd' }] }),
  );
  expect(outbox.all().map(({ id, people }) => [id, people])).toEqual([['2026-11-21', []]]);
});

test('letters are for nobody else to read, and old ones go', () => {
  outbox.put(outgoing(), Buffer.from('letter'));
  outbox.put(outgoing({ id: '2026-11-22', createdAt: NOW + 24 * HOUR }), Buffer.from('letter'));
  const folder = join(state, 'report', 'outbox');
  expect(readdirSync(folder).map(name => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o600]);
  outbox.forget(NOW + 1);
  expect(readdirSync(folder)).toEqual(['2026-11-22.eml', '2026-11-22.json']);
});

interface Taken {
  readonly to: string[];
  readonly raw: string;
}

async function relayThat(options: SMTPServerOptions = {}): Promise<{ endpoint: Endpoint; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', chunk => chunks.push(chunk));
      stream.on('end', () => {
        taken.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString('latin1') });
        callback(null, '2.0.0 queued as 4711');
      });
    },
    ...options,
  });
  servers.push(server);
  server.on('error', () => {});
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    taken,
    endpoint: { component: 'mta/relay', protocol: 'smtp', host: '127.0.0.1', port, security: 'plain', trust: { verify: true } },
  };
}

const over = (endpoint: Endpoint) =>
  sendOver({ endpoint, helo: 'monitor.example.com', isWatched: false }, AbortSignal.timeout(5000));
const LETTER = Buffer.from('Subject: x\r\n\r\n.a dot first\r\n..two\r\nlast\r\n');

test('sendOver() hands the letter over as it is', async () => {
  const { endpoint, taken } = await relayThat();
  const handed = await over(endpoint)(LETTER, { from: 'healthmon@example.com', to: 'a@x.test' });
  expect(handed).toEqual({ result: 'sent', text: '250 2.0.0 queued as 4711' });
  expect(taken).toEqual([{ to: ['a@x.test'], raw: LETTER.toString('latin1') }]);
});

test.for([
  { code: 550, again: 'never' },
  { code: 451, again: 'later' },
] as const)('a recipient that is refused with $code is tried again: $again', async ({ code, again }) => {
  const { endpoint } = await relayThat({
    onRcptTo: (_address, _session, callback) => callback(Object.assign(new Error('not now'), { responseCode: code })),
  });
  const handed = await over(endpoint)(LETTER, { from: 'h@example.com', to: 'a@x.test' });
  expect(handed).toEqual({ result: 'failed', text: `mta/relay smtp rcpt: refused: ${code} not now`, again });
});

test('a relay that refuses the sender for good is tried again: that is its set-up, not the recipient', async () => {
  const { endpoint } = await relayThat({
    onMailFrom: (_address, _session, callback) => callback(Object.assign(new Error('no'), { responseCode: 550 })),
  });
  expect(await over(endpoint)(LETTER, { from: 'h@example.com', to: 'a@x.test' })).toMatchObject({ again: 'later' });
});

test('a relay that is not there is told by its name', async () => {
  const { endpoint } = await relayThat();
  await new Promise(resolve => servers.pop()?.close(() => resolve(undefined)));
  expect(await over(endpoint)(LETTER, { from: 'h@example.com', to: 'a@x.test' })).toMatchObject({
    result: 'failed',
    text: expect.stringMatching(/^mta\/relay smtp connect: /),
    again: 'later',
  });
});

test('missingDays() are those since the first report that have none', () => {
  expect(missingDays([], '2026-11-21')).toEqual({ make: [], older: [] });
  expect(missingDays(['2026-11-20'], '2026-11-21')).toEqual({ make: [], older: [] });
  expect(missingDays(['2026-11-17', '2026-11-19'], '2026-11-21')).toEqual({ make: ['2026-11-18', '2026-11-20'], older: [] });
  const { make, older } = missingDays(['2026-11-01'], '2026-11-21');
  expect([make.length, make[0], older.length, older[0]]).toEqual([7, '2026-11-14', 12, '2026-11-02']);
  // The clock was set back: a report of a later day is known.
  expect(missingDays(['2026-11-25'], '2026-11-21')).toEqual({ make: [], older: [] });
});

test('notes of made reports come back, broken ones do not count', () => {
  noteMade(state, { id: '2026-11-21', madeAt: NOW, format: 'daily' });
  noteMade(state, { id: '2026-W47', madeAt: NOW, format: 'daily' });
  noteMade(state, { id: '2026-11-20', madeAt: NOW - 1, format: 'daily' });
  expect(madeDays(state)).toEqual(['2026-11-20', '2026-11-21']);
  expect(madeNote(state, '2026-11-21')).toEqual({ id: '2026-11-21', madeAt: NOW, format: 'daily' });
  writeFileSync(join(state, 'report', 'made', '2026-11-21.json'), 'torn');
  expect(madeNote(state, '2026-11-21')).toBeUndefined();
  expect(readFileSync(join(state, 'report', 'made', '2026-W47.json'), 'utf8')).toContain('"v":1');
});

test('forgetMade() keeps the newest note, or the next run would not know what is missing', () => {
  for (const id of ['2026-01-01', '2026-01-02', '2026-01-03']) noteMade(state, { id, madeAt: NOW, format: '' });
  forgetMade(state, '2026-11-01');
  expect(madeDays(state)).toEqual(['2026-01-03']);
});
