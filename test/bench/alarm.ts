// From the verdict on a trip to the request to a channel that tells of it: check_rndtrip as cron starts it, on the embedded site with
// one MMP dead, each run with a state folder of its own, so that each raises its alarm. Names and certificates of a service far away
// take their time beside this.

import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { journalDays, readJournal } from '../../lib/record/journal.ts';
import { openShop, type Shop } from '../cli/run.ts';
import { type Bench, bounded } from './bench.ts';
import { median, percentile } from './figures.ts';

const RUNS = 15;

export const alarm: Bench = {
  name: 'alarm',
  about: 'from a verdict to the request that tells of it',
  run: async say => {
    const came: number[] = [];
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => {
        came.push(Date.now());
        response.end('ok');
      });
    });
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const shop = await openShop();
    try {
      shop.write('alarms.cfg', `[webhook.hook]\nurl = "http://127.0.0.1:${port}/"\n[notify.oncall]\nchannels = ["hook"]\n`);
      const sequence = shop.standin.files().find(({ name }) => name === 'sequence.cfg')?.text ?? '';
      await using _broken = { [Symbol.asyncDispose]: (await shop.standin.breakIt('stopped', 'mmp/smux02 pop3')).mend };
      say(`alarm: ${RUNS} runs of one path, ${RUNS} of all ...`);
      const all = await measured(shop, came);
      shop.write('sequence.cfg', '00 DMSG -u ims1 -s ssmtp01 -p smux02 -m pop3\n');
      const one = await measured(shop, came);
      shop.write('sequence.cfg', sequence);
      return [
        bounded('verdict to request, one path, median', { value: median(one), unit: 'ms', most: 200 }),
        bounded('verdict to request, one path, 95 %', { value: percentile(one, 0.95), unit: 'ms' }),
        bounded('first bad verdict to request, 16 paths at once, median', { value: median(all), unit: 'ms', most: 200 }),
        bounded('first bad verdict to request, 16 paths at once, 95 %', { value: percentile(all, 0.95), unit: 'ms' }),
      ];
    } finally {
      await shop.stop();
      server.close();
    }
  },
};

/** From the first bad verdict of a run to its first request; ms. */
async function measured(shop: Shop, came: number[]): Promise<readonly number[]> {
  const spans: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    rmSync(shop.state, { recursive: true, force: true });
    came.length = 0;
    const { err } = await shop.run('check_rndtrip', '--all');
    const records = journalDays(shop.state).flatMap(day => readJournal(shop.state, day).records);
    const bad = records.flatMap(record => (record.type === 'trip' && record.verdict.state === 'failed' ? [record.at] : []));
    const [first] = came;
    if (bad.length === 0 || first === undefined) throw new Error(`no alarm went out: ${err}`);
    spans.push(first - Math.min(...bad));
  }
  return spans;
}
