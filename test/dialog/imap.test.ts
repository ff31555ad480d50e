// What servers tell in passing, and what must come of it.

import { expect, test } from 'vitest';
import { openImap } from '../../lib/dialog/imap.ts';
import { endpoint, type Step, startPeer, terms } from './peer.ts';

const SELECT: Step[] = [
  { phase: 'banner', say: '* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] x\r\n' },
  { phase: 'select', hear: /^h1 SELECT/, say: '* 0 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 1] n\r\nh1 OK done\r\n' },
];

async function session(steps: readonly Step[]) {
  const peer = await startPeer([...SELECT, ...steps]);
  const opened = await openImap(endpoint('imap', peer.port), 'INBOX', terms());
  if (opened.outcome !== 'answered') throw new Error('not opened');
  return { peer, session: opened.value };
}

test('news that comes with the answer to another command is looked at by the next look', async () => {
  const { peer, session: box } = await session([
    { phase: 'noop', hear: /NOOP/, say: '* 1 EXISTS\r\nh2 OK\r\n' },
    { phase: 'search', hear: /SEARCH/, say: '* SEARCH 1\r\nh3 OK\r\n' },
    // A second message arrives while the header lines of the first are read.
    { phase: 'fetch', hear: /FETCH/, say: '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] {2}\r\n\r\n)\r\n* 2 EXISTS\r\nh4 OK\r\n' },
    { phase: 'noop', hear: /NOOP/, say: 'h5 OK\r\n' },
    { phase: 'search', hear: /SEARCH UID 2:\*/, say: '* SEARCH 2\r\nh6 OK\r\n' },
    { phase: 'noop', hear: /NOOP/, say: 'h7 OK\r\n' },
  ]);
  expect(await box.noop(terms())).toMatchObject({ value: true });
  expect(await box.fresh(terms())).toMatchObject({ value: [1] });
  await box.envelopes([1], ['X'], terms());
  expect(await box.noop(terms())).toMatchObject({ value: true });
  expect(await box.fresh(terms())).toMatchObject({ value: [2] });
  expect(await box.noop(terms())).toMatchObject({ value: false });
  box.close();
  await peer.stop();
});

test('n:* names the last message also when it is an old one: it is no news', async () => {
  const { peer, session: box } = await session([
    { phase: 'search', hear: /SEARCH/, say: '* SEARCH 0005\r\n* SEARCH\r\nh2 OK\r\n' },
  ]);
  expect(await box.fresh(terms())).toMatchObject({ value: [5] });
  expect(box.uidNext).toBe(6);
  box.close();
  await peer.stop();
});

test('a count that goes down, and up again, is news again', async () => {
  const { peer, session: box } = await session([
    { phase: 'noop', hear: /NOOP/, say: '* 3 EXISTS\r\nh2 OK\r\n' },
    { phase: 'search', hear: /SEARCH/, say: '* SEARCH 1 2 3\r\nh3 OK\r\n' },
    { phase: 'noop', hear: /NOOP/, say: '* 1 EXISTS\r\nh4 OK\r\n' },
    { phase: 'noop', hear: /NOOP/, say: '* 2 EXISTS\r\nh5 OK\r\n' },
  ]);
  await box.noop(terms());
  await box.fresh(terms());
  expect(await box.noop(terms())).toMatchObject({ value: false });
  expect(await box.noop(terms())).toMatchObject({ value: true });
  box.close();
  await peer.stop();
});

test('UIDVALIDITY that changes under an open folder makes every UID worthless, and is said', async () => {
  const { peer, session: box } = await session([{ phase: 'noop', hear: /NOOP/, say: '* OK [UIDVALIDITY 8] new\r\nh2 OK\r\n' }]);
  expect(await box.noop(terms())).toMatchObject({
    outcome: 'failed',
    fault: { kind: 'garbled', text: expect.stringContaining('UIDVALIDITY') },
  });
  await peer.stop();
});

test('IDLE that is told of news ends at once, and without news at its time', async () => {
  const { peer, session: box } = await session([
    { phase: 'idle', hear: /IDLE/, say: '+ idling\r\n* 1 EXISTS\r\n' },
    { phase: 'idle', hear: /DONE/, say: 'h2 OK\r\n' },
    { phase: 'search', hear: /SEARCH/, say: '* SEARCH 1\r\nh3 OK\r\n' },
    { phase: 'idle', hear: /IDLE/, say: '+ idling\r\n' },
    { phase: 'idle', hear: /DONE/, say: 'h4 OK\r\n' },
  ]);
  const first = await box.idle(5000, terms(8000));
  expect(first).toMatchObject({ value: true });
  expect(first.tookMs).toBeLessThan(1000);
  await box.fresh(terms());
  expect(await box.idle(60, terms())).toMatchObject({ value: false });
  box.close();
  await peer.stop();
});

test('a server that leaves out UIDNEXT is asked for its last UID', async () => {
  const peer = await startPeer([
    SELECT[0] as Step,
    { phase: 'select', hear: /^h1 SELECT/, say: '* 2 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\nh1 OK done\r\n' },
    { phase: 'select', hear: /UID FETCH \* \(UID\)/, say: '* 2 FETCH (UID 41)\r\nh2 OK\r\n' },
  ]);
  const opened = await openImap(endpoint('imap', peer.port), 'INBOX', terms());
  expect(opened.outcome === 'answered' && opened.value.uidNext).toBe(42);
  await peer.stop();
});
