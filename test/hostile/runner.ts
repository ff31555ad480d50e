// Runs a case and looks at all that must hold for any of them.
//
// The clock of a case is the dialog's own. On a machine that is busy with other work a timer comes late through nobody's fault, so
// time in which the system did not let this process run is not counted: a metronome sees each stall, and the processor time that the
// process itself used in it stays counted. Code that blocks is thus found out, a busy neighbour is not.

import type { Terms } from '../../lib/dialog/line.ts';
import type { Dialog } from '../../lib/model/dialog.ts';
import { authorityPem } from '../../lib/standin/network/certificates.ts';
import type { Case, Failing } from './case.ts';
import { componentOf, SECRET, speak } from './client.ts';

/** How long after its deadline a dialog may end. */
const GRACE_MS = 200;
/** What the way from the dialog's last stamp to the caller may take besides: cases run side by side on one event loop. */
const WALL_GRACE_MS = 300;

/** Everything that is wrong with how a case ended, in words; empty when all is right. */
export async function check(each: Case, metronome: Metronome): Promise<readonly string[]> {
  const peer = await each.start();
  const zero = performance.now();
  const stalledBefore = metronome.stalledMs;
  const clock = () => performance.now() - zero;
  const terms: Terms = { clock, deadlineMs: each.deadlineMs, signal: new AbortController().signal };
  try {
    const ended = await speak(each.client, peer.port, authorityPem(), terms);
    const wallMs = clock();
    const excusedMs = metronome.stalledMs - stalledBefore;
    return [
      ...inTime(each, ended, wallMs, excusedMs),
      ...asWanted(each, ended, excusedMs),
      ...wholesome(ended),
      ...(each.noSecret === true ? secretKept(peer.heard) : []),
    ];
  } finally {
    await peer.stop();
  }
}

function inTime(each: Case, ended: Dialog<unknown>, wallMs: number, excusedMs: number): string[] {
  const wrong: string[] = [];
  // A walk through a mailbox is several operations, each with the whole deadline; only the last can use it up.
  if (ended.tookMs > each.deadlineMs + GRACE_MS + excusedMs)
    wrong.push(`took ${ended.tookMs.toFixed(0)} ms of ${each.deadlineMs} (${excusedMs.toFixed(0)} excused)`);
  if (ended.outcome === 'failed' && wallMs - ended.beganMs - ended.tookMs > WALL_GRACE_MS + excusedMs)
    wrong.push(`was given back ${(wallMs - ended.beganMs - ended.tookMs).toFixed(0)} ms after its end`);
  return wrong;
}

function asWanted(each: Case, ended: Dialog<unknown>, excusedMs: number): string[] {
  const { wanted } = each;
  if (wanted === 'answered') return ended.outcome === 'answered' ? [] : [`wanted answered, got ${shown(ended)}`];
  if (ended.outcome !== 'failed') return [`wanted ${words(wanted)}, got ${ended.outcome}`];
  const { fault } = ended;
  const phases: readonly string[] = typeof wanted.phase === 'string' ? [wanted.phase] : wanted.phase;
  const wrong: string[] = [];
  const kinds: readonly string[] = typeof wanted.kind === 'string' ? [wanted.kind] : wanted.kind;
  if (!phases.includes(fault.phase) || !kinds.includes(fault.kind)) wrong.push(`wanted ${words(wanted)}, got ${shown(ended)}`);
  if (fault.component !== componentOf(each.client)) wrong.push(`blames ${fault.component}`);
  if (fault.protocol !== each.client.protocol) wrong.push(`speaks of ${fault.protocol}`);
  if (wanted.lasting !== undefined && fault.lasting !== wanted.lasting) wrong.push(`calls it ${fault.lasting}`);
  // A certificate that is refused is told all the same.
  if (
    fault.kind === 'tls' &&
    wanted.lasting === 'permanent' &&
    !(ended.facts.tls?.names.length && ended.facts.tls.validTo !== '')
  )
    wrong.push(`does not tell the certificate: ${JSON.stringify(ended.facts.tls)}`);
  if (wanted.says !== undefined && !fault.text.includes(wanted.says)) wrong.push(`says "${fault.text}"`);
  if (wanted.atOnce === true && ended.tookMs > each.deadlineMs / 2 + excusedMs)
    wrong.push(`waited ${ended.tookMs.toFixed(0)} ms for what could not come`);
  return wrong;
}

/** What holds for every record of every dialog, whatever the peer did. */
export function wholesome(ended: Dialog<unknown>): string[] {
  const wrong: string[] = [];
  const { phases } = ended;
  const record: Record<string, unknown> = { ...ended };
  delete record.value;
  const all = texts(record);
  const foul = all.find(isFoul);
  if (foul !== undefined) wrong.push(`holds text that is not clean: ${JSON.stringify(foul.slice(0, 80))}`);
  const secret = all.find(text => [SECRET, b64(SECRET), b64(`\0probe\0${SECRET}`)].some(form => text.includes(form)));
  if (secret !== undefined) wrong.push('holds the password');
  const bytes = JSON.stringify(record).length;
  if (bytes > 200_000) wrong.push(`is ${bytes} bytes long`);
  if (ended.tookMs < 0 || phases.some(({ tookMs }) => !(tookMs >= 0))) wrong.push('has a time below zero');
  if (ended.outcome === 'failed' && phases.length > 0 && phases.at(-1)?.name !== ended.fault.phase)
    wrong.push(`ends in phase ${phases.at(-1)?.name}, and blames ${ended.fault.phase}`);
  if (ended.outcome === 'failed' && ended.fault.text === '') wrong.push('says nothing');
  return wrong;
}

/**
 * Control, format, line separator and broken characters: none may reach a terminal, table, record or letter. The few format characters
 * that are seen, as the Arabic number sign, may.
 */
export function isFoul(text: string): boolean {
  return /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text);
}

/** All strings in a value, names of fields included. */
export function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...texts(each)]);
}

function secretKept(heard: readonly string[]): string[] {
  const leaked = heard.find(line => [SECRET, b64(SECRET), b64(`\0probe\0${SECRET}`)].some(form => line.includes(form)));
  return leaked === undefined ? [] : ['a password went out'];
}

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function words({ phase, kind }: Failing): string {
  return `${[phase].flat().join('/')} ${[kind].flat().join('/')}`;
}

function shown(ended: Dialog<unknown>): string {
  return ended.outcome === 'failed' ? `${ended.fault.phase} ${ended.fault.kind}: ${ended.fault.text}` : ended.outcome;
}

/** Counts time in which this process wanted to run and was not let. */
export class Metronome {
  static readonly #everyMs = 10;
  #stalledMs = 0;
  #at = performance.now();
  #cpu = process.cpuUsage();
  #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), Metronome.#everyMs);
  }

  get stalledMs(): number {
    this.#tick();
    return this.#stalledMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const lateMs = now - this.#at - Metronome.#everyMs;
    const ownMs = (used.user + used.system) / 1000;
    if (lateMs > 10) this.#stalledMs += Math.max(0, lateMs - ownMs);
    this.#at = now;
    this.#cpu = process.cpuUsage();
  }
}

/** Runs work side by side, at most so many at a time; each has its own promise. */
export function pooled<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): readonly Promise<R>[] {
  const waiting: (() => void)[] = [];
  let running = 0;
  return items.map(async item => {
    if (running >= width) await new Promise<void>(resolve => waiting.push(resolve));
    running += 1;
    try {
      return await work(item);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  });
}
