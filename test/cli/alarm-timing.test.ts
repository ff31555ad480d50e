// An alarm in the middle of a round, and the trips that are timed beside it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalDays, readJournal } from '../../lib/record/journal.ts';
import { startReceiver } from '../alarm/receiver.ts';
import { openShop, type Shop } from './run.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ mtas: 1, stores: 1, limits: { fetchMs: 1000, isolateMs: 500 } });
});
afterAll(() => shop.stop());

test('an SMS by Twilio, whose client takes the processor to load, waits for the trips that are still timed; a webhook does not', async () => {
  const receiver = await startReceiver();
  receiver.answer = ({ url }) => (url === '/hook' ? { status: 200 } : { status: 201, body: '{"sid":"SM1","status":"queued"}' });
  const accepted = 'accept_dependence = "everything here is on one machine"';
  shop.write('secrets/token', 'x\n', 0o600);
  shop.write(
    'alarms.cfg',
    `[webhook.hook]\nurl = "${receiver.url}/hook"\n${accepted}
[twilio.sms]\naccount = "AC${'0'.repeat(32)}"\ntoken_file = "secrets/token"\nfrom = "+15017122661"\nto = "+491701234567"\nurl = "${receiver.url}"\n${accepted}
[notify.oncall]\nchannels = ["hook"]\n[notify.boss]\nchannels = ["sms"]\n`,
  );
  const trips = () =>
    journalDays(shop.state).flatMap(day => readJournal(shop.state, day).records.filter(({ type }) => type === 'trip'));
  const known = trips().length;
  // One is refused at once; the other keeps its trip waiting.
  const broken = [
    await shop.standin.breakIt('stopped', 'mmp/smux02 pop3'),
    await shop.standin.breakIt('frozen', 'mmp/smux01 imap'),
  ];
  const { child, ended } = shop.start('check_rndtrip', '--all');
  await expect.poll(() => new Set(receiver.got.map(({ url }) => url)).size, { timeout: 15_000 }).toBe(2);
  // The longer look at the silent one is of no interest here.
  child.kill('SIGTERM');
  await ended;
  for (const one of broken) await one.mend();
  const lastTripAt = Math.max(
    ...trips()
      .slice(known)
      .map(({ at }) => at),
  );
  const arrived = (isHook: boolean) => receiver.got.find(({ url }) => (url === '/hook') === isHook)?.at ?? Number.NaN;
  expect(arrived(true)).toBeLessThan(lastTripAt);
  expect(arrived(false)).toBeGreaterThanOrEqual(lastTripAt);
});
