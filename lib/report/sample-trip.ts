// The trips of the sample days (sample.ts): one at a time, with legs, dialogs, hops and a verdict as real ones have them; also as large, since
// the bench takes them for a year's.

import type { Component } from '../model/component.ts';
import type { DialogRecord, Facts, Fault, Phase, PhaseName } from '../model/dialog.ts';
import type { Protocol } from '../model/endpoint.ts';
import { JOURNAL_VERSION, type JournalRecord, type TripRecord } from '../model/record.ts';
import type { Finding, Hop, Leg, LegName, Path, Trip } from '../model/trip.ts';
import type { Suspect, Verdict } from '../model/verdict.ts';

const STORES = ['ims1', 'ims2', 'ims3', 'ims4'];
const MTAS = ['ssmtp01', 'ssmtp02', 'ssmtp03', 'ssmtp04'];
const MMPS = ['smux01', 'smux02'];

/** The path of the so-manieth start of a day: every store, every MTA with every MMP, by POP3 and by IMAP in turn. */
export function samplePath(start: number): Path {
  const slot = start % 12;
  return {
    account: STORES[slot % 4] ?? '',
    mta: MTAS[Math.floor(slot / 3)] ?? '',
    mmp: MMPS[slot % 2] ?? '',
    mailbox: (Math.floor(start / 12) + slot) % 2 === 0 ? 'pop3' : 'imap',
  };
}

export interface Start {
  readonly start: number;
  readonly startedAt: number;
  readonly path: Path;
  readonly chance: () => number;
}

interface LegTimes {
  readonly open: number;
  readonly submit: number;
  readonly transit: number;
  readonly fetch: number;
  readonly sweep: number;
}

export function goodTrip(trip: Start, over: Partial<LegTimes> = {}, findings: readonly Finding[] = []): TripRecord {
  const times = { ...usualTimes(trip), ...over };
  const legs = legsOf(trip.path, times);
  const totalMs = times.submit + times.transit + times.fetch;
  const transit = times.open + times.submit;
  const slow = totalMs > 10_000;
  const words = `${Math.round(totalMs)} ms`;
  const verdict: Verdict = slow
    ? {
        state: 'slow',
        totalMs,
        suspects: [slowSuspect(trip.path)],
        text: `mta/${trip.path.mta} smtp data: slow, ${words}`,
        short: 'slow submit',
      }
    : { state: 'ok', totalMs, suspects: [], text: `ok, ${words}`, short: '' };
  const arrival = { outcome: 'seen', afterMs: transit, byMs: transit + times.transit } as const;
  return recordOf(trip, { legs, arrival, hops: hopsOf(trip.path, trip.startedAt), findings, totalMs }, verdict);
}

function slowSuspect({ mta }: Path): Suspect {
  return {
    component: `mta/${mta}`,
    protocol: 'smtp',
    phase: 'data',
    kind: 'slow',
    confidence: 'sure',
    why: ['took 11.6 s, usually 0.04 s; other MTAs are quick'],
  };
}

export function failedTrip(trip: Start, fault: Fault): TripRecord {
  const [open] = legsOf(trip.path, usualTimes(trip));
  const legs = open === undefined ? [] : [{ ...open, fault }];
  const verdict: Verdict = {
    state: 'failed',
    suspects: [{ ...fault, confidence: 'sure', why: ['the store itself takes the log-in', 'smux01 takes it too'] }],
    text: `${fault.component} ${fault.protocol} ${fault.phase}: ${fault.text}`,
    short: 'smux02 pop auth',
  };
  return recordOf(trip, { legs, arrival: { outcome: 'unsent' }, hops: [], findings: [], fault }, verdict);
}

/** Lost, and found twenty minutes later. */
export function lostTrip(trip: Start): JournalRecord[] {
  const waitedMs = 60_000;
  const component: Component = `mta/${trip.path.mta}`;
  const words = 'accepted, and not in the mailbox after 60 s';
  const fault: Fault = { component, protocol: 'smtp', phase: 'arrival', kind: 'missing', text: words, lasting: 'unknown' };
  const legs = legsOf(trip.path, { ...usualTimes(trip), transit: waitedMs })
    .slice(0, 3)
    .map(leg => (leg.name === 'transit' ? { ...leg, fault } : leg));
  const suspects: Suspect[] = [
    { component, protocol: 'smtp', phase: 'arrival', kind: 'missing', confidence: 'cannot tell apart', why: ['accepted it'] },
    {
      component: `store/${trip.path.account}`,
      protocol: 'lmtp',
      phase: 'arrival',
      kind: 'missing',
      confidence: 'cannot tell apart',
      why: ['does not have it'],
    },
  ];
  const text = `${component} smtp arrival: ${words}`;
  const record = recordOf(
    trip,
    { legs, arrival: { outcome: 'lost', waitedMs }, hops: [], findings: [], fault },
    { state: 'failed', suspects, text, short: `${trip.path.mta} lost` },
  );
  return [
    record,
    {
      v: JOURNAL_VERSION,
      at: record.at + 1_200_000,
      type: 'amend',
      trip: record.trip.id,
      path: trip.path,
      became: 'late',
      afterMs: 1_245_000,
      text: 'arrived after all, at most 1245.0 s after its trip began',
    },
  ];
}

export function unmeasuredTrip(trip: Start): TripRecord {
  const text = 'Cannot read secret file /etc/healthmon/secrets/ims4: permission denied';
  const fault: Fault = { component: 'monitor', protocol: 'local', phase: 'secret', kind: 'local', text, lasting: 'unknown' };
  return recordOf(
    trip,
    { legs: [], arrival: { outcome: 'unknown', why: text }, hops: [], findings: [], fault },
    { state: 'unknown', suspects: [], text: `monitor local secret: ${text}`, short: 'monitor secret' },
  );
}

function recordOf(
  { path, startedAt, start }: Start,
  rest: Pick<Trip, 'legs' | 'arrival' | 'hops' | 'findings'> & Partial<Pick<Trip, 'fault' | 'totalMs'>>,
  verdict: Verdict,
): TripRecord {
  const tookMs = rest.legs.reduce((sum, leg) => sum + leg.tookMs, 0);
  const id = `${startedAt.toString(36)}sample${String(start).padStart(5, '0')}`;
  const at = Math.round(startedAt + tookMs);
  const message = {
    id,
    messageId: `<${id}@healthmon.example.com>`,
    from: 'sender@example.com',
    to: `${path.account}@example.com`,
    envelopeFrom: 'sender@example.com',
    subject: `healthmon test ${id}`,
    bytes: 725,
  };
  return { v: JOURNAL_VERSION, at, type: 'trip', by: 'daemon', trip: { id, path, startedAt, tookMs, message, ...rest }, verdict };
}

/** A working day's load: slowest before noon; each machine has its own pace. */
function usualTimes({ startedAt, path, chance }: Start): LegTimes {
  const local = new Date(startedAt);
  const hour = local.getHours() + local.getMinutes() / 60;
  const load = 1 + 0.9 * Math.exp(-((hour - 10.5) ** 2) / 14);
  const noise = () => 0.85 + 0.3 * chance() + (chance() > 0.97 ? chance() * 1.6 : 0);
  const mta = 1 + MTAS.indexOf(path.mta) * 0.08;
  const mmp = path.mmp === 'smux02' ? 1.2 : 1;
  const digits = (ms: number) => Math.round(ms * 1000) / 1000;
  return {
    open: digits(62 * mmp * load * noise()),
    submit: digits(118 * mta * load * noise()),
    transit: digits((path.mailbox === 'pop3' ? 920 : 540) * load * noise()),
    fetch: digits(24 * mmp * load * noise()),
    sweep: digits(31 * mmp * noise()),
  };
}

const OPENING: readonly (readonly [PhaseName, number])[] = [
  ['connect', 0.02],
  ['banner', 0.12],
  ['starttls', 0.08],
  ['tls', 0.2],
  ['capability', 0.05],
  ['auth', 0.45],
  ['select', 0.08],
];
const SUBMITTING: readonly (readonly [PhaseName, number])[] = [
  ['connect', 0.02],
  ['banner', 0.2],
  ['ehlo', 0.06],
  ['starttls', 0.05],
  ['tls', 0.17],
  ['mail', 0.08],
  ['rcpt', 0.14],
  ['data', 0.05],
  ['body', 0.01],
  ['final', 0.22],
];

function legsOf(path: Path, times: LegTimes): Leg[] {
  const door = { component: `mmp/${path.mmp}` as const, protocol: path.mailbox };
  let beganMs = 0;
  const leg = (name: LegName, tookMs: number, dialogs: readonly DialogRecord[], more: Partial<Leg> = {}): Leg => {
    const made = { name, beganMs, tookMs, dialogs, ...more };
    beganMs += tookMs;
    return made;
  };
  const isPop = path.mailbox === 'pop3';
  const learned = factsOf(door.component, isPop ? POP_FACTS : IMAP_FACTS);
  const mta = `mta/${path.mta}` as const;
  const submitted = {
    ...factsOf(mta, SMTP_FACTS),
    queueId: '4jXLLr40ZCz9mnF',
    accepted: '250 2.0.0 Ok: queued as 4jXLLr40ZCz9mnF',
  };
  return [
    leg('open', times.open, [dialogOf(door, 0, times.open, OPENING, learned)]),
    leg('submit', times.submit, [
      dialogOf({ component: mta, protocol: 'smtp' }, times.open, times.submit, SUBMITTING, submitted),
    ]),
    leg('transit', times.transit, lookingOf(door, beganMs, times.transit, learned), { looks: 2, logins: isPop ? 2 : 0 }),
    leg('fetch', times.fetch, [dialogOf(door, beganMs, times.fetch, [[isPop ? 'retr' : 'fetch', 1]])]),
    leg('sweep', times.sweep, [
      dialogOf(door, beganMs, times.sweep, [
        [isPop ? 'dele' : 'store', 0.7],
        ['quit', 0.3],
      ]),
    ]),
  ];
}

interface Door {
  readonly component: Component;
  readonly protocol: Protocol;
}

/** POP3 has to log in again to see what is new. */
function lookingOf(door: Door, beganMs: number, tookMs: number, learned: Facts): DialogRecord[] {
  if (door.protocol !== 'pop3')
    return [
      dialogOf(door, beganMs, tookMs, [
        ['idle', 0.8],
        ['search', 0.1],
        ['fetch', 0.1],
      ]),
    ];
  const tops: readonly (readonly [PhaseName, number])[] = Array.from({ length: 5 }, () => ['top', 0.2] as const);
  return [dialogOf(door, beganMs, tookMs / 2, OPENING, learned), dialogOf(door, beganMs + tookMs / 2, tookMs / 2, tops)];
}

function dialogOf(
  { component, protocol }: Door,
  beganMs: number,
  tookMs: number,
  parts: readonly (readonly [PhaseName, number])[],
  facts: Facts = {},
): DialogRecord {
  let at = beganMs;
  const phases = parts.map(([name, share]): Phase => {
    const phase = { name, beganMs: at, tookMs: Math.round(tookMs * share * 1000) / 1000 };
    at += phase.tookMs;
    return phase;
  });
  const host = hostOf(component);
  const port = protocol === 'smtp' ? 25 : protocol === 'pop3' ? 110 : 143;
  return { component, protocol, host, port, security: 'starttls', beganMs, tookMs, phases, facts, transcript: [] };
}

function hostOf(component: Component): string {
  return `${component.slice(component.indexOf('/') + 1)}.example.com`;
}

const POP_FACTS: Facts = {
  banner: '+OK POP3 server ready',
  capabilities: ['CAPA', 'TOP', 'UIDL', 'RESP-CODES', 'PIPELINING', 'AUTH-RESP-CODE', 'USER', 'SASL PLAIN LOGIN'],
  mechanism: 'plain',
};
const IMAP_FACTS: Facts = {
  banner: '* OK IMAP4rev1 server ready',
  capabilities: ['IMAP4rev1', 'SASL-IR', 'LITERAL+', 'ID', 'ENABLE', 'IDLE', 'UIDPLUS', 'MOVE', 'AUTH=PLAIN', 'AUTH=LOGIN'],
  mechanism: 'plain',
};
const SMTP_FACTS: Facts = {
  banner: 'ESMTP ready',
  capabilities: ['PIPELINING', 'SIZE 52428800', 'AUTH PLAIN LOGIN', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN'],
  dsn: true,
};

/** What a dialog learns when it opens. */
function factsOf(component: Component, facts: Facts): Facts {
  const host = hostOf(component);
  const tls = {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    subject: host,
    issuer: 'Example CA',
    names: [host],
    validFrom: '2026-01-01T00:00:00.000Z',
    validTo: component === 'mmp/smux01' ? '2026-12-01T00:00:00.000Z' : '2028-01-01T00:00:00.000Z',
    daysLeft: 9,
    verified: true,
  };
  return { peerAddress: '192.0.2.17', ...facts, tls };
}

/** Stamps have whole seconds; ssmtp03's clock is two minutes ahead. */
function hopsOf({ mta, account }: Path, startedAt: number): Hop[] {
  const at = Math.floor(startedAt / 1000) * 1000;
  const by = `${mta}.example.com`;
  const store = `${account}.example.com`;
  const first: Hop = mta === 'ssmtp03' ? { by, at: at + 120_000, skewMs: 120_000 } : { by, at, delayMs: 0 };
  return [first, { by: store, from: by, at: at + 1000, ...(mta === 'ssmtp03' ? {} : { delayMs: 1000 }) }];
}

/** The same numbers for the same day: mulberry32. */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
