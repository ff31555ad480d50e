// Whole trips through sites that mean harm, and past mail that does: the trip ends in time with the truth, other people's mail is as it
// was, and nothing that a server says reaches a terminal, a table, the journal, a status line or an alarm as it was said.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nagiosLine } from '../../lib/cli/view/nagios.ts';
import { roundTable } from '../../lib/cli/view/table.ts';
import { transcriptText, tripText } from '../../lib/cli/view/trip.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Site } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import { foreign, openWorld, type World } from '../story/world.ts';
import { type Filter, startFilter } from './filter.ts';
import { ESCAPE_BYTES } from './mischief.ts';
import { isFoul, texts } from './runner.ts';

const LIMITS = { submitMs: 1500, deliverMs: 1000, fetchMs: 1500, isolateMs: 1500, slowMs: 5000 };
const COLOURLESS = pc.createColors(false);

let world: World;
const filters: Filter[] = [];
beforeEach(async () => {
  world = await openWorld({ security: 'plain', limits: LIMITS });
});
afterEach(async () => {
  for (const filter of filters.splice(0)) await filter.stop();
  await world.stop();
});

const inbox = () => world.standin.stores.get('ims1')?.mailbox('ims1');
const BOTH: readonly Path['mailbox'][] = ['imap', 'pop3'];

/** The site with one door behind a filter. */
async function through(door: 'smtp' | 'imap' | 'pop3', change: (line: string, asked: string) => string): Promise<Site> {
  const { site } = world.standin;
  const filtered = async (endpoint: Endpoint) => {
    const filter = await startFilter(endpoint, change);
    filters.push(filter);
    return filter.endpoint;
  };
  const mta = site.mtas.get('ssmtp01');
  const mmp = site.mmps.get('smux01');
  if (mta === undefined || mmp?.imap === undefined || mmp.pop3 === undefined) throw new Error('no such door');
  if (door === 'smtp') return { ...site, mtas: new Map([...site.mtas, ['ssmtp01', { ...mta, smtp: await filtered(mta.smtp) }]]) };
  const changed = door === 'imap' ? { ...mmp, imap: await filtered(mmp.imap) } : { ...mmp, pop3: await filtered(mmp.pop3) };
  return { ...site, mmps: new Map([...site.mmps, ['smux01', changed]]) };
}

/** All that the product shows or keeps of a trip. */
function outputs(record: TripRecord): readonly string[] {
  const files = readdirSync(world.state, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const pages = [
    tripText(record, COLOURLESS, { verbose: true }),
    transcriptText(record.trip, COLOURLESS).join('\n'),
    nagiosLine(record, LIMITS),
    roundTable([record]),
    ...files,
  ];
  return [...pages.flatMap(page => page.split('\n')), ...texts(record)];
}

const foul = (record: TripRecord) =>
  outputs(record)
    .filter(isFoul)
    .map(line => JSON.stringify(line.slice(0, 100)));

for (const mailbox of BOTH) {
  test(`${mailbox}: a message of a million header lines is passed by`, async () => {
    const lines = 'Received: x\r\n'.repeat(1_000_000);
    inbox()?.append(foreign('old'));
    const meanwhile = { sent: false };
    const record = await world.one(
      { mailbox },
      {
        // The stand-in reads all of it for every search; a store has an index.
        site: { ...world.standin.site, limits: { ...LIMITS, fetchMs: 15_000 } },
        onLeg: (_, leg) => {
          if (leg === 'transit' && !meanwhile.sent) inbox()?.append(`${lines}${foreign('new')}`);
          meanwhile.sent ||= leg === 'transit';
        },
      },
    );
    // How long the stand-in takes to look through it is not what is asked here.
    expect([record.trip.arrival.outcome, record.trip.fault, record.verdict.suspects.length]).toEqual([
      'seen',
      undefined,
      record.verdict.state === 'slow' ? record.verdict.suspects.length : 0,
    ]);
    expect(inbox()?.messages.map(({ raw }) => raw.length)).toEqual([foreign('old').length, lines.length + foreign('new').length]);
  });

  test(`${mailbox}: our token in the body of somebody's reply, and in a message within, is no message of ours`, async () => {
    await world.one({ mailbox }, { keep: true });
    const kept = inbox()?.messages[0]?.raw.toString('latin1') ?? '';
    const token = /^X-Healthmon-Token:.*(?:\r\n[ \t].*)*/im.exec(kept)?.[0] ?? '';
    expect(token).not.toBe('');
    const quoting = foreign('Re: test message', '').replace('private words', `> ${token}\r\n${token}\r\n`);
    const within = `${foreign('Fwd', 'Content-Type: message/rfc822\r\n').replace('private words\r\n', '')}${kept}`;
    inbox()?.append(quoting);
    inbox()?.append(within);
    const record = await world.one({ mailbox });
    expect(record.trip.arrival.outcome).toBe('seen');
    expect(inbox()?.messages.map(({ raw }) => raw.toString('latin1'))).toEqual([kept, quoting, within]);
  });

  test(`${mailbox}: terminal escapes in every word of the server change nothing and go nowhere`, async () => {
    const status = mailbox === 'imap' ? /^(\* OK|[a-z]\d+ OK)(?: (\[[^\]]*\]))?.*\r\n$/i : /^(\+OK).*\r\n$/;
    const site = await through(mailbox, line =>
      line.replace(status, (_, word, code) => [word, code, `${ESCAPE_BYTES}\r\n`].filter(each => each !== undefined).join(' ')),
    );
    const record = await world.one({ mailbox }, { site });
    expect(record.trip.arrival.outcome).toBe('seen');
    expect(foul(record)).toEqual([]);
  });
}

for (const phase of ['220', 'AUTH', 'MAIL', 'RCPT', 'DATA', '.'] as const) {
  test(`smtp: a refusal full of terminal escapes at ${phase} is told without them`, async () => {
    const refusal = `554-5.7.1 ${ESCAPE_BYTES}\r\n554 5.7.1 ${ESCAPE_BYTES}\r\n`;
    const site = await through('smtp', (line, asked) => {
      if (phase === '220') return asked === '' ? refusal : line;
      if (phase === '.') return asked.endsWith('\r\n.\r\n') || asked === '.\r\n' ? refusal : line;
      return asked.startsWith(phase) ? refusal : line;
    });
    const record = await world.one({}, { site });
    expect([record.trip.arrival.outcome, record.verdict.suspects[0]?.component, record.verdict.suspects[0]?.protocol]).toEqual([
      'unsent',
      'mta/ssmtp01',
      'smtp',
    ]);
    expect(record.verdict.state).toBe('failed');
    expect(foul(record)).toEqual([]);
  });
}

test('imap: EXISTS that goes down hides no message', async () => {
  const site = await through('imap', (line, asked) => (/NOOP/.test(asked) && / OK /.test(line) ? `* 0 EXISTS\r\n${line}` : line));
  inbox()?.append(foreign('theirs'));
  const record = await world.one({ mailbox: 'imap' }, { site });
  expect([record.trip.arrival.outcome, record.verdict.state]).toEqual(['seen', 'ok']);
  expect(inbox()?.messages.length).toBe(1);
});

test('imap: UIDVALIDITY that changes under way ends the watching, is blamed on that door, and nothing is removed', async () => {
  inbox()?.append(foreign('theirs'));
  const site = await through('imap', (line, asked) =>
    /NOOP/.test(asked) && / OK /.test(line) ? `* OK [UIDVALIDITY 4711] new\r\n${line}` : line,
  );
  const record = await world.one({ mailbox: 'imap' }, { site });
  const fault = record.trip.legs.map(leg => leg.fault).find(each => each !== undefined);
  expect([record.trip.arrival.outcome, fault?.component, fault?.protocol, fault?.phase, fault?.kind]).toEqual([
    'unknown',
    'mmp/smux01',
    'imap',
    'noop',
    'garbled',
  ]);
  expect(inbox()?.messages.map(({ raw }) => /Subject: (.*)\r/.exec(raw.toString())?.[1])).toContain('theirs');
  expect(foul(record)).toEqual([]);
});
