// How long after a message has been filed do we know of it, and is the interval that a trip prints true? Whole trips through a real
// Dovecot; only the MTA is ours, so that the instant of filing is known and falls anywhere between two looks. Beside them, at another
// mailbox that gets its messages at the same instants: IDLE, and looking every second and every five.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route, Site } from '../../lib/model/site.ts';
import type { Path } from '../../lib/model/trip.ts';
import { routeOf } from '../../lib/plan/route.ts';
import { Ledger } from '../../lib/record/ledger.ts';
import { loadSite } from '../../lib/site/load.ts';
import { usualOf } from '../../lib/trip/pace.ts';
import { loadAhead, makeTrip } from '../../lib/trip/trip.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { whyNoLab } from '../lab/packages.ts';
import { type Bench, bounded, type Row } from './bench.ts';
import { percentile } from './figures.ts';
import { idler, type Onlooker, poller } from './onlookers.ts';
import { type Filed, startPostman } from './postman.ts';

const DELIVERIES = 40;
const FIRST_MS = 5000;

interface Series {
  readonly lags: readonly number[];
  /** Trips whose interval holds the instant of filing. */
  readonly held: number;
  /** Looks within the first five seconds: what it cost the server. */
  readonly mostLooks: number;
  readonly logins: number;
}

export const arrival: Bench = {
  name: 'arrival',
  about: 'from filing to being seen, and the truth of the interval (real Dovecot, about five minutes)',
  run: async say => {
    const cannot = whyNoLab();
    if (cannot !== undefined) return { cannot };
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-arrival-'));
    await using lab = await startLab();
    const postman = await startPostman();
    try {
      lab.etc(join(folder, 'etc'));
      const { site, problems } = await loadSite(join(folder, 'etc'), { secrets: false });
      if (site === undefined) throw new Error(problems.map(({ text }) => text).join('\n'));
      rmSync(lab.plant('ims1', ''));
      rmSync(lab.plant('ims2', ''));
      await loadAhead();
      const watched = watchedBox(site, lab);
      const onlookers = [await idler(watched.imap), await poller(watched.imap, 1000), await poller(watched.imap, 5000)];
      const others = new Others(onlookers, watched.maildir);
      try {
        const run = (mailbox: Path['mailbox']) => series(mailbox, { lab, site, folder, postman, others, say });
        const imap = await run('imap');
        const pop3 = await run('pop3');
        say('arrival: waiting for the last of the others ...');
        await new Promise(resolve => setTimeout(resolve, 5500));
        return [...rowsOf('IMAP', imap, { p50: 30, p95: 80 }), ...rowsOf('POP3', pop3, { p50: 130 }), ...others.rows(imap)];
      } finally {
        for (const each of onlookers) each.stop();
      }
    } finally {
      await postman.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Scene {
  readonly lab: Lab;
  readonly site: Site;
  readonly folder: string;
  readonly postman: Awaited<ReturnType<typeof startPostman>>;
  readonly others: Others;
  readonly say: (text: string) => void;
}

async function series(mailbox: Path['mailbox'], { lab, site, folder, postman, others, say }: Scene): Promise<Series> {
  const path: Path = { account: 'ims1', mta: 'ssmtp01', mmp: 'smux01', mailbox };
  const routed = routeOf(site, path);
  if ('problem' in routed) throw new Error(routed.problem);
  const { login: _, ...mta } = routed.route.smtp;
  const route: Route = { ...routed.route, smtp: { ...mta, host: '127.0.0.1', port: postman.port, security: 'plain' } };
  const ledger = new Ledger(join(folder, `state-${mailbox}`));
  const lags: number[] = [];
  const took: number[] = [];
  let [held, mostLooks, logins] = [0, 0, 0];
  for (let n = -1; n < DELIVERIES; n += 1) {
    // Anywhere within the time in which we look often: no phase of the looking is special.
    const delayMs = n < 0 ? 50 : 20 + Math.random() * (FIRST_MS - 200);
    const filing = postman.next(delayMs, [lab.maildir('ims1'), others.maildir]);
    let zero: number | undefined;
    const monotonic = () => {
      const now = performance.now();
      zero ??= now;
      return now;
    };
    const signal = new AbortController().signal;
    const [{ trip }, filed] = await Promise.all([
      makeTrip({ site, route, usual: usualOf(took) }, { ledger, signal, monotonic }),
      filing,
    ]);
    others.filed(filed);
    const transit = trip.legs.find(leg => leg.name === 'transit');
    if (trip.arrival.outcome !== 'seen' || trip.fault !== undefined || zero === undefined || transit === undefined)
      throw new Error(`a trip by ${mailbox} ended with ${trip.arrival.outcome}: ${trip.fault?.text ?? ''}`);
    if (readdirSync(join(lab.maildir('ims1'), 'new')).length > 0) throw new Error('a message was left in the box');
    if (n < 0) continue;
    const { afterMs, byMs } = trip.arrival;
    if (zero + afterMs <= filed.byMs && zero + byMs >= filed.afterMs) held += 1;
    lags.push(zero + byMs - filed.afterMs);
    took.push(Math.max(0, byMs - transit.beganMs));
    mostLooks = Math.max(mostLooks, transit.looks ?? 0);
    logins = Math.max(logins, transit.logins ?? 0);
    if (n % 10 === 9) say(`arrival: ${n + 1} of ${DELIVERIES} by ${mailbox} ...`);
  }
  return { lags, held, mostLooks, logins };
}

function rowsOf(name: string, { lags, held, mostLooks, logins }: Series, goal: { p50: number; p95?: number }): Row[] {
  const cost = logins > 0 ? `at most ${logins} log-ins in 5 s` : `at most ${mostLooks} looks in 5 s`;
  return [
    bounded(`arrival by ${name}, lag p50`, { value: percentile(lags, 0.5), unit: 'ms', most: goal.p50, reference: cost }),
    bounded(`arrival by ${name}, lag p95`, {
      value: percentile(lags, 0.95),
      unit: 'ms',
      ...(goal.p95 === undefined ? {} : { most: goal.p95 }),
      reference: `largest ${Math.max(...lags).toFixed(0)} ms, ${lags.length} deliveries`,
    }),
    ...(logins > 0
      ? []
      : [bounded(`arrival by ${name}, commands in the first 5 s`, { value: mostLooks, unit: 'at most', most: 100 })]),
    bounded(`arrival by ${name}, interval holds the truth`, { value: (held / lags.length) * 100, unit: '%', least: 99 }),
  ];
}

/** The mailbox of the others: every message is there from the same instant on, and stays. */
class Others {
  readonly maildir: string;
  readonly #onlookers: readonly Onlooker[];
  readonly #filed: Filed[] = [];

  constructor(onlookers: readonly Onlooker[], maildir: string) {
    this.#onlookers = onlookers;
    this.maildir = maildir;
  }

  filed(filed: Filed): void {
    this.#filed.push(filed);
  }

  rows(ours: Series): Row[] {
    const mine = percentile(ours.lags, 0.5);
    return this.#onlookers.map(onlooker => {
      const lags = this.#filed.map(({ afterMs }, n) => {
        const seenAt = onlooker.seenAt(n + 1);
        if (seenAt === undefined) throw new Error(`${onlooker.name} has not seen message ${n + 1}`);
        return seenAt - afterMs;
      });
      const p50 = percentile(lags, 0.5);
      return {
        name: `arrival by IMAP against ${onlooker.name}, p50`,
        measured: `${mine.toFixed(0)} ms`,
        reference: `${p50.toFixed(0)} ms (p95 ${percentile(lags, 0.95).toFixed(0)} ms)`,
        ratio: `${(mine / p50).toFixed(2)}x`,
        goal: '',
      };
    });
  }
}

/** Another account than the one of our trips, on another store, by the same kind of door. */
function watchedBox(site: Site, lab: Lab) {
  const routed = routeOf(site, { account: 'ims2', mta: 'ssmtp01', mmp: 'smux01', mailbox: 'imap' });
  if ('problem' in routed || routed.route.imap === undefined) throw new Error('no door');
  return { imap: routed.route.imap, maildir: lab.maildir('ims2') };
}
