// Lines of mail servers into counters: what each says, whose it is, and that no line can do harm.
//
// fixtures/exim.log is of Exim 4.96, most of fixtures/sendmail.log of sendmail 8.17, both run for the purpose; postfix.log is written by hand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counted, read } from './read.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'latin1');
const postfix = fixture('postfix.log');
/** A line of a Postfix daemon. */
const line = (daemon: string, text: string) => `Nov 21 10:00:00 mx1 postfix/${daemon}[12]: ${text}\n`;

describe('Postfix', () => {
  test('each kind of line counts once', () => {
    expect(counted(postfix)).toEqual({
      lines: 40,
      foreignLines: 1,
      connections: 3,
      received: 3,
      receivedFromNet: 1,
      receivedByLogin: 1,
      receivedLocal: 1,
      bytesReceived: 72_512,
      delivered: 5,
      deliveredToNet: 1,
      deliveredToMailboxes: 4,
      forwarded: 1,
      bytesDelivered: 9050,
      deferrals: 1,
      deferred: 1,
      bounced: 1,
      expired: 1,
      rejected: 3,
      rejectWarnings: 1,
      held: 1,
      loginsFailed: 1,
      warnings: 1,
      logins: 1,
    });
  });

  test('hours are those of the log, whatever the zone of the reader', () => {
    const { intervals } = read(postfix).summary;
    expect(intervals.map(({ from, fromAt, counters }) => [from, fromAt, counters.delivered])).toEqual([
      ['2026-11-21 23:00', Date.parse('2026-11-21T22:00:00Z'), 4],
      ['2026-11-22 00:00', Date.parse('2026-11-21T23:00:00Z'), 1],
    ]);
  });

  test('days begin at midnight of the log', () => {
    const { intervals } = read(postfix, { intervalMs: 86_400_000 }).summary;
    expect(intervals.map(({ from, counters }) => [from, counters.delivered])).toEqual([
      ['2026-11-21 00:00', 4],
      ['2026-11-22 00:00', 1],
    ]);
  });

  test('delays are split as Postfix splits them', () => {
    const { delays } = read(postfix).summary;
    expect(delays).toMatchObject({ count: 5, most: 301 });
    expect(delays.parts.map(({ name, most }) => [name, most])).toEqual([
      ['before the queue manager', 299],
      ['in the queue manager', 0.2],
      ['connecting', 0.3],
      ['sending', 1.6],
    ]);
    expect(delays.classes.filter(({ count }) => count > 0)).toEqual([
      { upTo: 1, count: 3 },
      { upTo: 10, count: 1 },
      { upTo: 600, count: 1 },
    ]);
  });

  test('names are counted with their domains in lower case', () => {
    const { top } = read(postfix).summary;
    expect(top.senders[0]).toEqual({ name: 'a@sender.example', count: 1 });
    expect(top.recipientDomains).toEqual([
      { name: 'example.com', count: 4 },
      { name: 'remote.example', count: 1 },
    ]);
    expect(top.troubledDomains).toEqual([{ name: 'remote.example', count: 2 }]);
    expect(top.clients.map(({ name }) => name)).toEqual(['192.0.2.7', '2001:db8::7']);
  });

  test('a message that was filtered comes in twice, once from outside and once back from the filter', () => {
    const text = [
      line('smtpd', 'NOQUEUE: client=mail.sender.example[192.0.2.7]'),
      line('smtpd', 'ABC1: client=localhost[127.0.0.1]'),
      line('smtpd', 'ABC2: client=localhost[::1], sasl_method=PLAIN, sasl_username=webmail'),
    ].join('');
    expect(counted(text)).toMatchObject({ received: 3, receivedFromNet: 1, receivedAgain: 1, receivedByLogin: 1 });
  });

  test('a deferred message counts once, each of its tries again', () => {
    const one = line(
      'smtp',
      'ABC1: to=<a@b.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (timed out)',
    );
    expect(counted(one + one + one.replace('ABC1', 'ABC2'))).toMatchObject({ deferrals: 3, deferred: 2 });
  });

  test('a sender who writes another status into the address is not believed', () => {
    const to = '"x>, relay=y, delay=0, status=sent ("@evil.example';
    const text = line('smtp', `ABC1: to=<${to}>, relay=none, delay=1, delays=1/0/0/0, dsn=5.0.0, status=bounced (no)`);
    expect(counted(text)).toEqual({ lines: 1, bounced: 1 });
  });

  test('other names of instances and services are Postfix too', () => {
    const text = 'Nov 21 10:00:00 mx1 postfix-in/smtpd[12]: ABC1: client=a[192.0.2.1]\n'.repeat(2);
    expect(counted(text)).toMatchObject({ received: 2, receivedFromNet: 2 });
  });

  test('what is not understood is counted as such, and what is of other programs apart', () => {
    const text = `${line('smtpd', 'gibberish of a kind never seen')}Nov 21 10:00:00 mx1 sshd[3]: Accepted publickey\n`;
    expect(counted(text)).toEqual({ lines: 2, unknownLines: 1, foreignLines: 1 });
  });
});

describe('Exim', () => {
  // As eximstats has it for the same log: received 10 (4751 bytes), delivered 7 (1546), delayed 2, failed 4, rejects 3.
  test('a log of the real one gives what its own eximstats gives', () => {
    expect(counted(fixture('exim.log'))).toMatchObject({
      received: 10,
      bytesReceived: 4751,
      receivedLocal: 3,
      receivedAgain: 7,
      delivered: 7,
      bytesDelivered: 1546,
      deliveredToNet: 1,
      deliveredToMailboxes: 6,
      deferred: 2,
      bounced: 4,
      rejected: 3,
      held: 2,
      connections: 9,
    });
  });

  test('of an address that was rewritten the domain of the original counts', () => {
    const { top } = read(fixture('exim.log')).summary;
    expect(top.recipientDomains).toEqual([
      { name: 'example.com', count: 6 },
      { name: 'remote.example', count: 1 },
    ]);
    expect(top.troubledDomains.some(({ name }) => name.includes(':'))).toBe(false);
  });

  test('a client cannot name another address as its HELO', () => {
    const text = '2026-11-22 10:00:00 1xV2IK-00085r-0R <= a@b.example H=([192.0.2.99]) [203.0.113.5]:4711 P=smtp S=300\n';
    expect(read(text).summary.top.clients).toEqual([{ name: '203.0.113.5', count: 1 }]);
  });

  test('through syslog, with a stamp of its own or without', () => {
    const one = '1xV2IK-00085r-0R <= a@b.example H=x [203.0.113.5] P=smtp S=300\n';
    const text = `Nov 21 10:00:00 mx1 exim[77]: 2026-11-21 10:00:00 ${one}Nov 21 10:00:00 mx1 exim[77]: ${one.replace('0R', '1R')}`;
    expect(counted(text)).toMatchObject({ received: 2, bytesReceived: 600, receivedFromNet: 2 });
  });

  test('ids of Exim 4.97 are longer', () => {
    const text = '2026-11-22 10:00:00 1rNoLk-00000002RaY-1Nzv => u@b.example R=r T=t H=mx [203.0.113.5] QT=1m2s\n';
    const { totals, delays } = read(text).summary;
    expect([totals.delivered, totals.deliveredToNet, delays.most]).toEqual([1, 1, 62]);
  });
});

test('sendmail: one line for several recipients, refusals with and without an id', () => {
  expect(counted(fixture('sendmail.log'))).toMatchObject({
    received: 9,
    receivedFromNet: 1,
    receivedByLogin: 1,
    receivedLocal: 1,
    receivedAgain: 6,
    bytesReceived: 3089,
    delivered: 3,
    deliveredToNet: 2,
    deliveredToMailboxes: 1,
    bytesDelivered: 3600,
    deferrals: 2,
    deferred: 1,
    bounced: 1,
    rejected: 3,
  });
});

test('Dovecot: log-ins, refused ones and stored messages, by syslog and in its own log', () => {
  const text = `Nov 21 10:00:00 mx1 dovecot: imap-login: Login: user=<u>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=1
Nov 21 10:00:01 imap-login: Info: Disconnected (auth failed, 1 attempts in 2 secs): user=<u>, method=PLAIN, rip=192.0.2.1
Nov 21 10:00:02 lmtp(u)<3><x>: Info: msgid=<1@x>: saved mail to INBOX
Nov 21 10:00:03 imap-login: Error: out of files
`;
  expect(counted(text)).toEqual({ lines: 4, logins: 1, loginsFailed: 1, stored: 1, warnings: 1 });
});

describe('pieces of lines', () => {
  test('the same is counted however the bytes come', () => {
    const whole = counted(postfix);
    for (const piece of [1, 7, 100, 1000]) expect(counted(postfix, { piece })).toEqual(whole);
  });

  test('a line that is cut off anywhere does no harm to the next one', () => {
    const [first = '', second = ''] = [postfix.split('\n')[6], postfix.split('\n')[7]];
    for (let length = 0; length < first.length; length++) {
      const { totals } = read(`${first.slice(0, length)}\n${second}\n`).summary;
      expect([length, totals.delivered - Number(/status=sent/.test(first.slice(0, length)))]).toEqual([length, 1]);
    }
  });

  test('no bytes make the reader throw', () => {
    const lines = `${postfix}${fixture('exim.log')}${fixture('sendmail.log')}`.split('\n');
    const damaged = fc.tuple(fc.constantFrom(...lines), fc.nat(400), fc.string({ unit: 'binary' })).map(([text, at, junk]) => {
      return text.slice(0, at) + junk + text.slice(at + junk.length);
    });
    fc.assert(fc.property(fc.array(damaged, { maxLength: 20 }), all => read(all.join('\n')).summary.v === 1));
  });

  test('a log of messages that never leave is read in time, and they are not all kept', () => {
    const lines = Array.from({ length: 215_000 }, (_, n) => line('smtpd', `ID${n}XXXXXXXXXX: client=a[192.0.2.1]`));
    const began = performance.now();
    const { reader, summary } = read(lines.join(''));
    // In half a second; with a search for the oldest at each new one it took minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(summary.totals.received).toBe(215_000);
    expect(reader.book.messages.size).toBeLessThanOrEqual(200_000);
  });

  test('names from the log cannot move the cursor, nor run on without end', () => {
    const sender = `\x1b[2J${'x'.repeat(500)}`;
    const text =
      line('smtpd', 'ABC1: client=a[192.0.2.1]') + line('qmgr', `ABC1: from=<${sender}>, size=1, nrcpt=1 (queue active)`);
    const name = read(text).summary.top.senders[0]?.name ?? '';
    expect(name.startsWith('\\x1b[2Jxxx')).toBe(true);
    expect(name.length).toBeLessThanOrEqual(120);
  });
});

test('since and until take lines by the second', () => {
  const since = Date.parse('2026-11-21T22:58:04Z');
  expect(counted(postfix, { since, until: since + 1000 })).toEqual({
    lines: 7,
    bounced: 1,
    delivered: 1,
    deliveredToMailboxes: 1,
    bytesDelivered: 2400,
  });
});
