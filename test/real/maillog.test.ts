// smtpstats against Debian's pflogsumm on the same logs. What differs on purpose stands in lib/maillog/README.md and is checked here as well.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../lib/maillog/summary.ts';
import { makeLog } from '../bench/log-maker.ts';
import { findPflogsumm, type PflogsummReport, pflogsumm } from '../maillog/pflogsumm.ts';
import { read } from '../maillog/read.ts';

const program = await findPflogsumm();
if (program === undefined) console.log('maillog against pflogsumm: skipped: it is not installed and apt-get cannot fetch it');
const CORPORA = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpora');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'healthmon-pflogsumm-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Both readings of a log. */
async function both(text: string): Promise<{ readonly ours: Summary; readonly theirs: PflogsummReport }> {
  const file = join(folder, 'mail.log');
  writeFileSync(file, text, 'latin1');
  return { ours: read(text).summary, theirs: await pflogsumm(program ?? '', file) };
}

function totalsOf({ totals, different }: Summary): Record<string, number> {
  return {
    received: totals.received,
    delivered: totals.delivered,
    forwarded: totals.forwarded,
    deferred: totals.deferred,
    deferrals: totals.deferrals,
    bounced: totals.bounced,
    rejected: totals.rejected,
    'reject warnings': totals.rejectWarnings,
    held: totals.held,
    discarded: totals.discarded,
    'bytes received': totals.bytesReceived,
    'bytes delivered': totals.bytesDelivered,
    senders: different.senders,
    'recipient hosts/domains': different.recipientDomains,
  };
}

/** It prints what is above 512 * 1024 in k, what is above 512 * 1024 * 1024 in m. */
function asPrinted(value: number): number {
  const unit = value > 512 * 1024 * 1024 ? 1024 * 1024 : value > 512 * 1024 ? 1024 : 1;
  return Math.floor(value / unit) * unit;
}

function expectEqual(ours: Summary, theirs: PflogsummReport, { rejects = true } = {}): void {
  const totals = totalsOf(ours);
  if (!rejects) delete totals.rejected;
  const printed = Object.fromEntries(Object.entries(totals).map(([name, value]) => [name, asPrinted(value)]));
  expect(printed).toEqual(Object.fromEntries(Object.keys(printed).map(name => [name, theirs.totals[name]])));
}

/** Without what is known to differ: `tls=` of Postfix 3.10. */
const known = (text: string) => text.replace(/, tls=[^,]*, dsn=/g, ', dsn=');

describe.runIf(program !== undefined)('smtpstats against pflogsumm', () => {
  test.each(['rfc3339', 'bsd'] as const)('a made log of a day with %s stamps: totals, and each hour', async stamps => {
    const file = join(folder, `${stamps}.log`);
    const truth = makeLog(file, { bytes: 8_000_000, stamps });
    const { ours, theirs } = await both(readFileSync(file, 'latin1'));
    const hours = ours.intervals.map(({ from, counters }) => ({
      at: Number(from.slice(11, 13)),
      row: [counters.received, counters.delivered, counters.deferrals, counters.bounced, counters.rejected],
    }));
    expect(hours.length).toBeGreaterThan(20);
    for (const { at, row } of hours) expect([at, row]).toEqual([at, theirs.hours[at]]);
    expectEqual(ours, theirs);
    // And both are right.
    expect(ours.totals).toMatchObject({
      received: truth.received,
      delivered: truth.delivered,
      deferrals: truth.deferrals,
      deferred: truth.deferred,
      bounced: truth.bounced,
      rejected: truth.rejected,
      bytesReceived: truth.bytesReceived,
      bytesDelivered: truth.bytesDelivered,
      logins: truth.logins,
      lines: truth.lines,
      unknownLines: 0,
    });
  });

  test('every kind of line of Postfix, but for what a milter refuses', async () => {
    const text = readFileSync(join(import.meta.dirname, '..', 'maillog', 'fixtures', 'postfix.log'), 'latin1');
    const { ours, theirs } = await both(known(text));
    expectEqual(ours, theirs, { rejects: false });
    expect([ours.totals.rejected, theirs.totals.rejected]).toEqual([3, 2]);
  });

  test.runIf(existsSync(CORPORA))('the logs of public projects', async () => {
    const logs = readdirSync(CORPORA, { recursive: true, encoding: 'utf8' }).filter(name =>
      /^(?:modoboa|youyo|postfix_exporter|crowdsec-hub\/post).*\.log$/.test(name),
    );
    expect(logs.length).toBeGreaterThan(10);
    for (const log of logs) {
      const text = readFileSync(join(CORPORA, log), 'latin1').replaceAll('%(day)s', 'Nov 21');
      const lines = text.split('\n').filter(line => !/: milter-reject: (?!END-OF-MESSAGE)|: reject: Unsupported$/.test(line));
      const { ours, theirs } = await both(known(lines.join('\n')));
      expectEqual(ours, theirs);
    }
  });

  test('what pflogsumm does not count, and we do', async () => {
    const line = (text: string) => `Nov 21 10:00:00 mx1 postfix/${text}\n`;
    const cases: readonly (readonly [text: string, counter: keyof Summary['totals'], theirs: string])[] = [
      [
        line('smtpd[1]: NOQUEUE: milter-reject: RCPT from a[192.0.2.1]: 451 4.7.1 later; from=<a@b.example> to=<c@d.example>'),
        'rejected',
        'rejected',
      ],
      [
        line(
          'smtp[1]: A1: to=<c@d.example>, relay=x[192.0.2.1]:25, delay=1, delays=1/0/0/0, tls=dane, dsn=2.0.0, status=sent (ok)',
        ),
        'delivered',
        'delivered',
      ],
      [
        line('smtp[1]: A1: to=<"x>y"@d.example>, relay=x[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (ok)'),
        'delivered',
        'delivered',
      ],
      ['Nov 21 10:00:00 mx1 postfix-in/smtpd[1]: A1: client=a[192.0.2.1]\n', 'received', 'received'],
    ];
    for (const [text, counter, name] of cases) {
      const { ours, theirs } = await both(text);
      expect([text, ours.totals[counter], theirs.totals[name]]).toEqual([text, 1, 0]);
    }
  });
});
