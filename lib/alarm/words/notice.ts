// What is told to somebody: the facts of an alarm at the moment of telling, complete in themselves, so that a message that goes
// out late, or from another process, says what was decided. Pure.

import type { Component } from '../../model/component.ts';
import type { Protocol } from '../../model/endpoint.ts';
import type { CauseKind, NoticeKind, Step } from '../../model/record.ts';
import type { Path } from '../../model/trip.ts';
import type { Confidence } from '../../model/verdict.ts';
import type { Alarm, Severity } from '../when/alarm.ts';
import { titleOf } from './words.ts';

/** Kept on disk and sent as JSON: field names are an interface, documented in README.md. */
export interface Notice {
  readonly what: NoticeKind;
  readonly site: string;
  /** The alarm's number; 0 for a test. */
  readonly alarm: number;
  /** The same for all notices of one turn of an alarm, and for no other: for systems that join events. */
  readonly key: string;
  /** When it was decided, epoch ms. */
  readonly at: number;
  readonly severity: Severity;
  readonly component: Component;
  readonly protocols: readonly Protocol[];
  readonly phase: Step;
  readonly kind: CauseKind;
  readonly confidence: Confidence;
  /** One line, component first. */
  readonly title: string;
  /** First bad result, epoch ms. */
  readonly since: number;
  /** `cleared`: when it was first seen to work again, epoch ms. */
  readonly until?: number;
  /** Where not good results ended it. */
  readonly because?: string;
  readonly touched: {
    /** Paths and other subjects, in words: at most twenty of `count`. */
    readonly labels: readonly string[];
    readonly count: number;
    readonly stores: readonly string[];
  };
  /** Results since the first bad one, and how many of them were bad. */
  readonly results: number;
  readonly bad: number;
  /** The peer's words. */
  readonly words?: string;
  readonly was?: string;
  /** What it was about when it was raised: stays the same for one turn, whatever the verdict changes to. */
  readonly raisedAs: { readonly component: Component; readonly phase: Step };
  /** Alarms that this one explains, which are not told beside it. */
  readonly explains: readonly string[];
  /** The n-th time lately; 1 for the first. */
  readonly times: number;
  readonly flapping: boolean;
  /** `raised`: told because nobody has taken it on for so long, ms. */
  readonly unackedMs?: number;
  /** A rehearsal: nothing of the site is broken. Every form says so first. */
  readonly isDrill?: true;
  /** `cleared`: that it was raised could not be told before. */
  readonly untold?: true;
  /** One command to run next. */
  readonly next: string;
  readonly trip?: string;
  /** Who has taken it on. */
  readonly ackBy?: string;
}

/** What a notice needs besides its alarm. */
export interface NoticeContext {
  readonly site: string;
  /** Distinguishes this monitor from others that tell the same people. */
  readonly origin: string;
  /** What a command needs to find our folders: ` --config /etc/healthmon`, or nothing. */
  readonly commandTail: string;
  /** By account: its store. */
  readonly storeOf: (account: string) => string | undefined;
}

const LABELS = 20;

export function noticeOf(
  alarm: Alarm,
  what: Exclude<NoticeKind, 'test' | 'canary' | 'held'>,
  { site, origin, commandTail, storeOf }: NoticeContext,
  at: number,
  { turn = alarm.turn, ...more }: Pick<Notice, 'unackedMs' | 'untold'> & { readonly turn?: number } = {},
): Notice {
  const touched = Object.values(alarm.touched);
  const paths = touched.flatMap(({ path }) => path ?? []);
  const stores = [...new Set(paths.map(({ account }) => storeOf(account) ?? account))].sort();
  const newest = touched.toSorted((a, b) => b.at - a.at).find(({ tripId }) => tripId === alarm.lastTrip) ?? touched[0];
  return {
    what,
    site,
    alarm: alarm.id,
    key: `${origin}-${alarm.id}-${turn}`,
    at,
    severity: alarm.severity,
    component: alarm.component,
    protocols: alarm.protocols,
    phase: alarm.phase,
    kind: alarm.kind,
    confidence: alarm.confidence,
    title: titleOf(alarm),
    since: alarm.flapping?.since ?? alarm.firstAt,
    ...(what === 'cleared' ? { until: alarm.endedAt ?? at } : {}),
    ...(alarm.closedBecause === undefined ? {} : { because: alarm.closedBecause }),
    touched: { labels: touched.slice(0, LABELS).map(({ label }) => label), count: touched.length, stores },
    results: alarm.count.results,
    bad: alarm.count.bad,
    // Of a host, the words are in the title.
    ...(alarm.words === undefined || alarm.kind === 'host' ? {} : { words: alarm.words }),
    ...(alarm.was === undefined ? {} : { was: alarm.was }),
    raisedAs: alarm.raisedAs ?? { component: alarm.component, phase: alarm.phase },
    explains: alarm.explains,
    times: Math.max(1, alarm.raises.length),
    flapping: alarm.flapping !== undefined,
    next: nextCommand(alarm, newest?.path, commandTail),
    ...(alarm.lastTrip === undefined ? {} : { trip: alarm.lastTrip }),
    ...(alarm.ack === undefined ? {} : { ackBy: alarm.ack.by }),
    ...more,
  };
}

/**
 * See for yourself: the same path once more, or the same check of the host, with everything that is said; for a fault of our own
 * set-up, what checks that.
 */
function nextCommand({ component, phase, kind }: Alarm, path: Path | undefined, tail: string): string {
  if (kind === 'host') return `check_${phase.split(' ')[0]} -v --no-record${tail}`;
  const isSetUp = component === 'monitor' && (phase === 'secret' || phase === 'config');
  if (isSetUp || path === undefined) return `healthmon config check${configOnly(tail)}`;
  return `runmonitor -u ${path.account} -s ${path.mta} -p ${path.mmp} -m ${path.mailbox} -v${tail}`;
}

/** `config check` takes the folder as an argument. */
function configOnly(tail: string): string {
  const folder = / --config (\S+)/.exec(tail)?.[1];
  return folder === undefined ? '' : ` ${folder}`;
}

/** A notice that is no alarm, marked as such: of the chain itself. */
export function testNotice(
  what: 'test' | 'canary',
  { site, origin }: Pick<NoticeContext, 'site' | 'origin'>,
  at: number,
): Notice {
  return {
    what,
    site,
    alarm: 0,
    key: `${origin}-${what}-${Math.floor(at / 1000)}`,
    at,
    severity: 'unknown',
    component: 'monitor',
    protocols: ['local'],
    phase: 'state',
    kind: 'local',
    confidence: 'sure',
    title: what === 'test' ? 'this is a test of the alarm chain, and no alarm' : 'daily test of the alarm chain: all is well',
    since: at,
    touched: { labels: [], count: 0, stores: [] },
    results: 0,
    bad: 0,
    raisedAs: { component: 'monitor', phase: 'state' },
    explains: [],
    times: 1,
    flapping: false,
    next: 'healthmon alarm status',
  };
}
