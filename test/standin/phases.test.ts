// Every named phase of every line protocol can be refused, stalled, dropped, reset, delayed and garbled, and is sound again after.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PhaseName } from '../../lib/model/dialog.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import type { Place } from '../../lib/standin/faults/faults.ts';
import type { Act } from '../../lib/standin/network/conditions.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { type Ended, walk } from './walk.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({ waits: { authFailureMs: 1, retryMs: 20, proxyRefusedMs: 5 } });
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

const doors: readonly { place: Place; endpoint: () => Endpoint | undefined; phases: readonly PhaseName[] }[] = [
  {
    place: 'mta/ssmtp01',
    endpoint: () => standin.site.mtas.get('ssmtp01')?.smtp,
    phases: ['banner', 'ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'final', 'quit'],
  },
  {
    place: 'mmp/smux01 pop3',
    endpoint: () => standin.site.mmps.get('smux01')?.pop3,
    phases: ['banner', 'capability', 'starttls', 'auth', 'list', 'quit'],
  },
  {
    place: 'mmp/smux01 imap',
    endpoint: () => standin.site.mmps.get('smux01')?.imap,
    phases: ['banner', 'capability', 'starttls', 'auth', 'select', 'search', 'quit'],
  },
  {
    place: 'store/ims1 pop3',
    endpoint: () => standin.site.stores.get('ims1')?.pop3,
    phases: ['banner', 'capability', 'auth', 'list', 'quit'],
  },
  {
    place: 'store/ims1 imap',
    endpoint: () => standin.site.stores.get('ims1')?.imap,
    phases: ['banner', 'capability', 'auth', 'select', 'search', 'quit'],
  },
  {
    place: 'store/ims1 lmtp',
    endpoint: () => standin.site.stores.get('ims1')?.lmtp,
    phases: ['banner', 'ehlo', 'mail', 'rcpt', 'data', 'final', 'quit'],
  },
];

const acts: readonly { act: Act; how: Ended['how'] }[] = [
  { act: { do: 'refuse' }, how: 'rejected' },
  { act: { do: 'stall' }, how: 'timeout' },
  { act: { do: 'drop' }, how: 'eof' },
  { act: { do: 'reset' }, how: 'reset' },
  { act: { do: 'delay', ms: 10 }, how: 'done' },
  { act: { do: 'garble', bytes: 'a \u0000\u00ff what is this\r\n' }, how: 'rejected' },
];

// The proxies are walked as ims2: ims1's own doors are broken at the same time.
test.concurrent.each(doors)(
  'each phase of $place can be refused, stalled, dropped, reset, delayed and garbled',
  async ({ place, endpoint, phases }) => {
    const target = endpoint();
    const login =
      target?.protocol === 'lmtp'
        ? undefined
        : (target?.login ?? standin.site.accounts.get(place.startsWith('mmp') ? 'ims2' : 'ims1')?.login);
    const got: string[] = [];
    const want: string[] = [];
    for (const { act, how } of acts) {
      for (const phase of phases) {
        const broken = await standin.breakIt('at-phase', place, { phase, act });
        const ended = await walk(target, {
          stalls: act.do === 'stall' || act.do === 'garble' ? phase : '',
          ...(login === undefined ? {} : { login }),
        });
        await broken.mend();
        got.push(`${act.do} at ${phase}: ${ended.phase} ${ended.how}`);
        // nothing follows what is garbled in place of a good-bye
        const mayDiffer = act.do === 'garble' || (act.do === 'reset' && ended.how === 'eof'); // libuv tells an RST that comes with data as an end
        want.push(`${act.do} at ${phase}: ${how === 'done' ? 'quit' : phase} ${mayDiffer ? ended.how : how}`);
        if (act.do === 'garble') expect(['rejected', 'timeout', ...(phase === 'quit' ? ['eof'] : [])]).toContain(ended.how);
      }
    }
    expect(got).toEqual(want);
  },
);

test('a delay lasts as long as it was asked to', async () => {
  const broken = await standin.breakIt('at-phase', 'mta/ssmtp01', { phase: 'rcpt', act: { do: 'delay', ms: 80 } });
  const began = performance.now();
  expect(await walk(standin.site.mtas.get('ssmtp01')?.smtp)).toMatchObject({ phase: 'quit', how: 'done' });
  expect(performance.now() - began).toBeGreaterThanOrEqual(79);
  await broken.mend();
});

test('a refusal lasts for as many times as it was asked for', async () => {
  const { site } = standin;
  const mta = site.mtas.get('ssmtp02')?.smtp;
  const broken = await standin.breakIt('greylisted', 'mta/ssmtp02', { times: 2 });
  const ends = [];
  for (let i = 0; i < 3; i += 1) ends.push(await walk(mta));
  await broken.mend();
  expect(ends.map(({ phase, how }) => `${phase} ${how}`)).toEqual(['rcpt rejected', 'rcpt rejected', 'quit done']);
  expect(ends[0]?.said).toBe(
    '450 4.2.0 <ims1@standin.test>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/standin.html',
  );
});

test('a refusal says the words that it was given', async () => {
  const broken = await standin.breakIt('refused-after-dot', 'mta/ssmtp01', { reply: '554 5.7.1 not today' });
  const ended = await walk(standin.site.mtas.get('ssmtp01')?.smtp);
  await broken.mend();
  expect(ended).toEqual({ phase: 'final', how: 'rejected', said: '554 5.7.1 not today' });
  expect(standin.mtas.get('ssmtp01')?.queue.messages.filter(({ raw }) => raw.includes('not today'))).toEqual([]);
});

test('two faults hold at once, each on its own', async () => {
  const pop = standin.site.mmps.get('smux02')?.pop3;
  const imap = standin.site.mmps.get('smux02')?.imap;
  const login = standin.site.accounts.get('ims2')?.login;
  if (login === undefined) throw new Error('no account');
  const first = await standin.breakIt('stopped', 'mmp/smux02 pop3');
  const second = await standin.breakIt('login-refused-at-mmp', 'mmp/smux02 imap');
  expect(await walk(pop, { login })).toMatchObject({ phase: 'connect', how: 'refused' });
  expect(await walk(imap, { login })).toMatchObject({
    phase: 'auth',
    how: 'rejected',
    said: 'a NO [AUTHENTICATIONFAILED] Authentication failed.',
  });
  await first.mend();
  expect(await walk(pop, { login })).toMatchObject({ phase: 'quit', how: 'done' });
  expect(await walk(imap, { login })).toMatchObject({ phase: 'auth', how: 'rejected' });
  await second.mend();
  await second.mend();
  expect(await walk(imap, { login })).toMatchObject({ phase: 'quit', how: 'done' });
});

test('breakIt() says where a fault can be put when the place is none of them', async () => {
  await expect(standin.breakIt('greylisted', 'store/ims1')).rejects.toThrow(
    "Cannot break store/ims1 by 'greylisted': it can occur at mta/ssmtp01, mta/ssmtp02",
  );
});
