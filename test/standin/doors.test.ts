// Each condition of a door shows at the right phase, and is gone when it is mended.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import type { FaultName } from '../../lib/standin/faults/breaking.ts';
import type { Place } from '../../lib/standin/faults/faults.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { type Ended, walk } from './walk.ts';

let standin: StandinSite;

beforeAll(async () => {
  standin = await startSite({
    waits: { authFailureMs: 1, retryMs: 20 },
  });
});

afterAll(async () => {
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

const DOORS = [
  'mta/ssmtp01',
  'mmp/smux01 pop3',
  'mmp/smux02 imap',
  'store/ims1 lmtp',
  'store/ims1 pop3',
  'store/ims2 imap',
] as const;

function endpointOf(place: Place): Endpoint | undefined {
  const { mtas, mmps, stores } = standin.site;
  const [component = '', protocol] = place.split(' ');
  const name = component.split('/')[1] ?? '';
  const mailDoors = mmps.get(name) ?? stores.get(name);
  if (protocol === 'lmtp') return stores.get(name)?.lmtp;
  if (mailDoors === undefined) return mtas.get(name)?.smtp;
  return protocol === 'pop3' ? mailDoors.pop3 : mailDoors.imap;
}

async function take(place: Place, stalls: string): Promise<Ended> {
  const endpoint = endpointOf(place);
  // a proxy's user is one whose own door at the store is not broken meanwhile
  const account = standin.site.accounts.get(place === 'mmp/smux01 pop3' || place === 'store/ims2 imap' ? 'ims2' : 'ims1');
  const login = endpoint?.login ?? (endpoint?.protocol === 'lmtp' ? undefined : account?.login);
  return walk(endpoint, { stalls, ...(login === undefined ? {} : { login }) });
}

interface Row {
  readonly fault: FaultName;
  readonly phase: string;
  readonly how: Ended['how'];
  readonly said?: RegExp;
  readonly places?: readonly (typeof DOORS)[number][];
}

const TLS_DOORS = ['mta/ssmtp01', 'mmp/smux01 pop3', 'mmp/smux02 imap'] as const;

const rows: readonly Row[] = [
  { fault: 'stopped', phase: 'connect', how: 'refused' },
  { fault: 'frozen', phase: 'banner', how: 'timeout' },
  { fault: 'blackholed', phase: 'connect', how: 'timeout' },
  // whether the client hears of its connection before the RST comes is chance
  { fault: 'resets-on-connect', phase: 'connect banner', how: 'reset' },
  { fault: 'closes-at-once', phase: 'banner', how: 'eof' },
  { fault: 'turns-away', phase: 'banner', how: 'rejected', said: /^(421 4\.3\.2 |-ERR |\* BYE )/ },
  { fault: 'slow-drip-banner', phase: 'banner', how: 'timeout' },
  { fault: 'slow-drip', phase: 'banner', how: 'timeout' },
  {
    fault: 'connection-limit',
    phase: 'banner',
    how: 'rejected',
    said: /^421 4\.7\.0 ssmtp01\.standin\.test Error: too many connections from 127\.0\.0\.1$/,
    places: ['mta/ssmtp01'],
  },
  {
    fault: 'connection-limit',
    phase: 'banner',
    how: 'eof',
    places: ['mmp/smux01 pop3', 'mmp/smux02 imap', 'store/ims1 pop3', 'store/ims2 imap', 'store/ims1 lmtp'],
  },
  { fault: 'garbled-banner', phase: 'banner', how: 'rejected', said: /^HTTP/, places: ['mmp/smux02 imap'] },
  // no line of it looks like the end of a reply
  { fault: 'garbled-banner', phase: 'banner', how: 'timeout', places: ['mta/ssmtp01', 'mmp/smux01 pop3'] },
  { fault: 'certificate-expired', phase: 'tls', how: 'tls', places: TLS_DOORS },
  { fault: 'certificate-other-name', phase: 'tls', how: 'tls', places: TLS_DOORS },
  { fault: 'certificate-self-signed', phase: 'tls', how: 'tls', places: TLS_DOORS },
  { fault: 'certificate-unknown-authority', phase: 'tls', how: 'tls', places: TLS_DOORS },
  { fault: 'starttls-withdrawn', phase: 'starttls', how: 'rejected', places: TLS_DOORS },
  {
    fault: 'starttls-refused',
    phase: 'starttls',
    how: 'rejected',
    said: /^(454 4\.7\.0 TLS not available due to local problem|-ERR .*TLS|a NO .*TLS)/,
    places: TLS_DOORS,
  },
  { fault: 'handshake-stalls', phase: 'tls', how: 'timeout', places: TLS_DOORS },
];

test.concurrent.each(DOORS)('each condition of %s shows at its phase, and goes away', async place => {
  const got: string[] = [];
  const want: string[] = [];
  for (const { fault, phase, how, said, places = DOORS } of rows) {
    if (!places.some(each => each === place)) continue;
    const broken = await standin.breakIt(fault, place);
    const ended = await take(place, how === 'timeout' ? phase : '');
    await broken.mend();
    const after = await take(place, '');
    got.push(`${fault}: ${ended.phase} ${ended.how}, then ${after.phase} ${after.how}`);
    want.push(`${fault}: ${phase.split(' ').includes(ended.phase) ? ended.phase : phase} ${how}, then quit done`);
    if (said !== undefined) expect(ended.said).toMatch(said);
  }
  expect(got).toEqual(want);
});
