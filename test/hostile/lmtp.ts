// Hostile stores at their LMTP door.

import type { Case } from './case.ts';
import { everyDoor, everyPhase, everyTls, type Manners } from './every-phase.ts';
import { drip, ESCAPE_BYTES, fin, flood, megabytes, rst, say, silence } from './mischief.ts';
import { type Turn, textCase } from './text-peer.ts';

const MANNERS: Manners = {
  protocol: 'lmtp',
  refusal: (_, words) => `550 5.1.1 ${words}\r\n`,
  mayRefuse: () => false,
  mayHang: ({ phase }) => phase === 'quit',
  consent: '220 Go\r\n',
  injected: '250 peer.test\r\n',
};

const TURNS: readonly Turn[] = [
  {
    name: 'sends a line of 100 MB',
    at: 'banner',
    does: megabytes(100, 'x'),
    heavy: true,
    wanted: { phase: 'banner', kind: 'garbled', atOnce: true },
  },
  {
    name: 'answers LHLO without an end',
    at: 'ehlo',
    does: flood('250-X\r\n'),
    heavy: true,
    wanted: { phase: 'ehlo', kind: 'garbled', atOnce: true },
  },
  {
    name: 'sends a line of its answer every 20 ms',
    at: 'rcpt',
    does: drip('250-x\r\n'),
    wanted: { phase: 'rcpt', kind: 'timeout' },
  },
  { name: 'says 354 to RCPT', at: 'rcpt', does: say('354 go on\r\n'), wanted: { phase: 'rcpt', kind: 'garbled', atOnce: true } },
  {
    name: 'says 452 to RCPT',
    at: 'rcpt',
    does: say('452 4.2.2 full\r\n'),
    wanted: { phase: 'rcpt', kind: 'rejected', lasting: 'transient', atOnce: true },
  },
  {
    name: 'has terminal escapes in its words on the recipient',
    at: 'rcpt',
    says: `250 2.1.5 ${ESCAPE_BYTES}\r\n`,
    wanted: 'answered',
  },
  { name: 'ends lines with a bare LF', at: 'ehlo', says: usual => usual.replaceAll('\r\n', '\n'), wanted: 'answered' },
  { name: 'stalls at QUIT', at: 'quit', does: silence, wanted: 'answered' },
  { name: 'ends at QUIT', at: 'quit', does: fin, wanted: 'answered' },
  { name: 'resets at QUIT', at: 'quit', does: rst, wanted: 'answered' },
];

export const LMTP: readonly Case[] = [
  ...everyDoor('lmtp'),
  ...everyPhase(MANNERS),
  ...everyTls(MANNERS),
  ...TURNS.map(turn => textCase('lmtp', turn)),
];
