// A longer look at a door that was silent: what it asks, how long it may last, and what its answer does to the verdict.

import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitLonger } from '../../lib/cli/round/longer.ts';
import { lookLonger, silentDoor } from '../../lib/isolate/longer.ts';
import { weigh } from '../../lib/isolate/weigh.ts';
import type { Evidence, Longer } from '../../lib/model/evidence.ts';
import type { TripRecord } from '../../lib/model/record.ts';
import type { Route, Site } from '../../lib/model/site.ts';
import { routeOf } from '../../lib/plan/route.ts';
import { localDay } from '../../lib/record/day.ts';
import { readJournal } from '../../lib/record/journal.ts';
import { takeLock } from '../../lib/record/lock.ts';
import { openWorld, PATH, type World } from '../story/world.ts';

const signal = new AbortController().signal;
let world: World;
let frozen: TripRecord;
let server: Server | undefined;
const open = new Set<Socket>();

beforeAll(async () => {
  world = await openWorld({ limits: { submitMs: 400, isolateMs: 1200 } });
  await world.standin.breakIt('frozen', 'mta/ssmtp01');
  frozen = await world.one({});
});
afterEach(() => {
  for (const socket of open) socket.destroy();
  server?.close();
  server = undefined;
});
afterAll(() => world.stop());

function usualRoute(site: Site = world.standin.site): Route {
  const routed = routeOf(site, PATH);
  if ('problem' in routed) throw new Error(routed.problem);
  return routed.route;
}

/** The same path over a server of ours that speaks after some time, and hears what it is told. */
async function behind(greetAfterMs: number | undefined): Promise<{ route: Route; heard: string[] }> {
  const heard: string[] = [];
  const listening = createServer(socket => {
    open.add(socket);
    const reply = (text: string) => void (socket.writable && socket.write(text));
    if (greetAfterMs !== undefined) setTimeout(() => reply('220 ssmtp01 ESMTP\r\n'), greetAfterMs);
    socket.on('error', () => {});
    socket.on('data', data => {
      heard.push(data.toString('latin1').trimEnd());
      reply(/^QUIT/.test(heard.at(-1) ?? '') ? '221 bye\r\n' : '250 ssmtp01\r\n');
    });
  });
  server = listening;
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const route = usualRoute();
  return { route: { ...route, smtp: { ...route.smtp, security: 'plain', port: address.port } }, heard };
}

function weighedWith(longer: Omit<Longer, 'component' | 'protocol' | 'phase' | 'text'>, scene: Partial<Evidence['scene']> = {}) {
  const { trip, evidence } = frozen;
  if (evidence === undefined) throw new Error('no evidence was kept');
  const text = longer.outcome === 'answered' ? `it answers (banner) after ${longer.waitedMs / 1000} s` : 'still silent';
  const looked: Evidence = {
    ...evidence,
    scene: { ...evidence.scene, ...scene },
    longer: { ...longer, component: 'mta/ssmtp01', protocol: 'smtp', phase: 'banner', text },
  };
  const { suspects } = weigh(trip, looked, world.standin.site.limits);
  return suspects.map(({ component, protocol, phase, kind, confidence, why }) => ({
    who: `${component} ${protocol} ${phase} ${kind}: ${confidence}`,
    why: why.join('; '),
  }));
}

test('a door that was silent in its banner is worth a longer look; one that refused, or a trip that went well, is not', async () => {
  expect(silentDoor(usualRoute(), frozen)?.component).toBe('mta/ssmtp01');
  const healthy = await world.one({ mta: 'ssmtp02' });
  expect(silentDoor(usualRoute(), healthy)).toBeUndefined();
  const broken = await world.standin.breakIt('stopped', 'mmp/smux02 imap');
  const refused = await world.one({ mta: 'ssmtp02', mmp: 'smux02' });
  await broken.mend();
  expect(refused.verdict.state).toBe('failed');
  expect(silentDoor(usualRoute(), refused)).toBeUndefined();
});

test('a server that speaks later than a knock waits is alive: the verdict says slow and how long; no password is sent', async () => {
  const { route, heard } = await behind(500);
  const looked = await lookLonger(world.standin.site, route, frozen, { signal, withinMs: 3000 });
  expect(looked?.evidence.longer).toMatchObject({ component: 'mta/ssmtp01', phase: 'banner', outcome: 'answered' });
  expect(looked?.evidence.longer?.waitedMs).toBeGreaterThanOrEqual(495);
  expect(looked?.verdict.suspects[0]).toMatchObject({
    component: 'mta/ssmtp01',
    protocol: 'smtp',
    phase: 'banner',
    kind: 'slow',
  });
  expect(looked?.verdict.suspects[0]?.why.join('\n')).toMatch(/it answers \(banner\) after 0\.5 s: alive and busy/);
  expect(heard.join('\n')).not.toMatch(/AUTH|MAIL|DATA/);
});

test('a server that stays silent is named as before, and how long that was is said', async () => {
  const { route } = await behind(undefined);
  const looked = await lookLonger(world.standin.site, route, frozen, { signal, withinMs: 600 });
  expect(looked?.verdict.suspects[0]).toMatchObject({ component: 'mta/ssmtp01', phase: 'banner', kind: 'timeout' });
  expect(looked?.verdict.suspects[0]?.why.join('\n')).toMatch(/silent for 0\.\d s: the process is stopped or hangs/);
});

test('told to stop, it ends at once and changes nothing', async () => {
  const { route } = await behind(undefined);
  const stop = new AbortController();
  const began = performance.now();
  const looking = lookLonger(world.standin.site, route, frozen, { signal: stop.signal, withinMs: 20_000 });
  setTimeout(() => stop.abort(), 50);
  expect(await looking).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(5000);
});

test('30 s is how long Postfix waits for a filter: the filter of the site is named, or the MTA with the hint where to look', () => {
  const answered = { outcome: 'answered', waitedMs: 30_010 } as const;
  expect(weighedWith(answered, { filters: ['filter/dkim'] })).toEqual([
    { who: 'filter/dkim milter negotiate timeout: likely', why: expect.stringContaining('milter_connect_timeout') },
  ]);
  expect(weighedWith(answered, { filters: ['filter/dkim', 'filter/virus'] }).map(({ who }) => who)).toEqual([
    'filter/dkim milter negotiate timeout: cannot tell apart',
    'filter/virus milter negotiate timeout: cannot tell apart',
  ]);
  expect(weighedWith(answered, { filters: [] })).toEqual([
    { who: 'mta/ssmtp01 smtp banner timeout: likely', why: expect.stringContaining('see its smtpd_milters') },
  ]);
});

test.each([10_020, 20_040])(
  '%i ms is how long a resolver waits: the name server is named, or the MTA with the hint',
  waitedMs => {
    const answered = { outcome: 'answered', waitedMs } as const;
    expect(weighedWith(answered, { nameServers: ['dns/ns1'] })).toEqual([
      { who: 'dns/ns1 dns query timeout: likely', why: expect.stringContaining('resolv.conf') },
    ]);
    expect(weighedWith(answered, { nameServers: [] })[0]).toEqual({
      who: 'mta/ssmtp01 smtp banner timeout: likely',
      why: expect.stringContaining('see its /etc/resolv.conf'),
    });
  },
);

test.each([9000, 15_000, 28_000, 34_000])('%i ms is nobody’s timer: slow, and nobody else is named', waitedMs => {
  expect(weighedWith({ outcome: 'answered', waitedMs }, { filters: ['filter/dkim'], nameServers: ['dns/ns1'] })[0]?.who).toMatch(
    /^mta\/ssmtp01 smtp banner slow/,
  );
});

test('after a round: one longer look for all its paths, recorded as a verdict of its own that can be weighed again', async () => {
  const second = await world.one({ mmp: 'smux02' });
  const waits: string[] = [];
  const options = { site: world.standin.site, state: world.state, signal, withinMs: 500, onNotWritten: expect.unreachable };
  const text = await waitLonger([frozen, second], { ...options, onWait: component => waits.push(component) });
  expect(waits).toEqual(['mta/ssmtp01']);
  expect(text).toMatch(/^mta\/ssmtp01 smtp banner/);
  const verdicts = readJournal(world.state, localDay(Date.now())).records.filter(({ type }) => type === 'verdict');
  expect(verdicts).toMatchObject([{ trip: frozen.trip.id, path: PATH, text: expect.stringContaining('silent for 0.5 s') }]);
  for (const record of verdicts)
    if (record.type === 'verdict') expect(weigh(frozen.trip, record.evidence, world.standin.site.limits)).toEqual(record.verdict);
});

test('only one looks longer at a time', async () => {
  const lock = await takeLock(world.state, 'longer', 'another run');
  const options = { site: world.standin.site, state: world.state, signal, withinMs: 500, onNotWritten: expect.unreachable };
  expect(await waitLonger([frozen], options)).toBeUndefined();
  if (lock.held) lock.release();
});
