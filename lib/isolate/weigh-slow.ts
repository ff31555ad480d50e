// The message came, and later than it should. Which step took longer than it usually does: a dialog of ours, or the way between the
// hops? Pure.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { PhaseName } from '../model/dialog.ts';
import type { Protocol } from '../model/endpoint.ts';
import type { Evidence } from '../model/evidence.ts';
import type { Trip } from '../model/trip.ts';
import type { Suspect } from '../model/verdict.ts';
import type { Case } from './case.ts';

interface Span {
  readonly leg: string;
  readonly component: Component;
  readonly protocol: Protocol;
  readonly phase: PhaseName;
  readonly tookMs: number;
  readonly excessMs: number;
}

/** Least that a phase must be above its usual to be a reason at all. */
const WORTH_MS = 50;
/** Least that a door must take to be slow by itself. */
const SLOW_KNOCK_MS = 500;

export function weighSlow(it: Case): readonly Suspect[] {
  const spans = [...spansOf(it.trip, it.evidence)].sort((a, b) => b.excessMs - a.excessMs);
  const worst = spans[0];
  if (worst === undefined || worst.excessMs < WORTH_MS) return [];
  if (worst.leg === 'transit') return weighTransit(it, worst);
  const why = [spanText(worst, it.evidence)];
  const isSmtp = worst.protocol === 'smtp';
  const filter = isSmtp ? it.badFilters()[0] : undefined;
  if (filter !== undefined) return [{ ...it.convicted(filter, ...why), kind: 'slow' }];
  const directory =
    worst.phase === 'auth' || worst.phase === 'mail' || worst.phase === 'rcpt'
      ? it.badDirectories(worst.component)[0]
      : undefined;
  if (directory !== undefined) return [{ ...it.convicted(directory, ...why), kind: 'slow' }];
  const server = worst.phase === 'banner' || worst.phase === 'resolve' ? it.badNameServers()[0] : undefined;
  if (server !== undefined) return [{ ...it.convicted(server, ...why), kind: 'slow' }];
  const slow = slowBehind(it, worst, why);
  if (slow.length > 0) return slow;
  const self = it.suspect(worst.component, 'likely', why, { protocol: worst.protocol, phase: worst.phase, kind: 'slow' });
  if (kindOf(worst.component) === 'balancer') return weighSlowBalancer(it, worst, self);
  const afterContent = isSmtp && (worst.phase === 'final' || worst.phase === 'body');
  if (!afterContent || it.scene.filters.length === 0) return [self];
  return [
    { ...self, confidence: 'cannot tell apart' },
    ...it.scene.filters.map(each =>
      it.suspect(each, 'cannot tell apart', [`${worst.component} shows it every message`], {
        protocol: 'milter',
        phase: 'final',
        kind: 'slow',
      }),
    ),
  ];
}

/** Whoever stands behind a slow step and, asked directly, is as slow. */
function slowBehind(it: Case, worst: Span, why: readonly (string | undefined)[]): readonly Suspect[] {
  const least = Math.max(SLOW_KNOCK_MS, worst.excessMs / 2);
  return behind(it, worst).flatMap(component => {
    const knock = it
      .knocks(component, undefined, worst.phase === 'arrival' ? 'lmtp' : undefined)
      .find(({ outcome, tookMs }) => outcome === 'answered' && tookMs >= least);
    if (knock === undefined) return [];
    const own = `its own door, asked directly, took ${seconds(knock.tookMs)}: ${knock.text}`;
    const phase = knock.slowest?.phase ?? worst.phase;
    return [it.suspect(component, 'likely', [own, ...why], { protocol: knock.protocol, phase, kind: 'slow' })];
  });
}

function behind({ scene }: Case, { component, protocol, phase }: Span): readonly Component[] {
  switch (phase) {
    case 'arrival':
      return [scene.store];
    case 'banner':
      return protocol === 'smtp' ? [...scene.nameServers, ...scene.filters] : scene.nameServers;
    case 'data':
    case 'body':
    case 'final':
      return scene.filters;
    case 'auth':
    case 'mail':
    case 'rcpt':
    case 'select':
      return [
        ...(scene.needs[component] ?? []).filter(each => kindOf(each) === 'directory'),
        ...(protocol === 'smtp' || component === scene.store ? [] : [scene.store]),
      ];
    default:
      return [];
  }
}

/** Some connections through it are slow and others are not, and its members are quick: one of them is hard for it to reach. */
function weighSlowBalancer(it: Case, { component, protocol, excessMs }: Span, self: Suspect): readonly Suspect[] {
  const { scene } = it;
  const members = component === scene.mta ? scene.mtaMembers : scene.mmpMembers;
  const through = it.knocks(component, undefined, protocol).filter(({ outcome }) => outcome === 'answered');
  const slow = through.filter(({ tookMs }) => tookMs >= excessMs / 2);
  const quick = members.filter(member => it.answered(member, undefined, protocol));
  if (slow.length === through.length || quick.length < members.length) return [self];
  const some = `${slow.length + 1} of ${through.length + 1} connections through it took ${seconds(excessMs)} or nearly`;
  // Whoever greets by a name of their own tells who was met.
  const met = new Set(through.map(({ banner }) => banner));
  const bannerOf = (member: Component) =>
    it.knocks(member, undefined, protocol).find(({ banner }) => banner !== undefined)?.banner;
  const unmet = members.filter(member => !met.has(bannerOf(member)));
  // A balancer that has noticed by now sends nobody there any more: then only the banners tell.
  if (slow.length === 0 && unmet.length !== 1) return [self];
  const ways = unmet.length === 1 ? unmet : members;
  return [
    ...ways.map(member =>
      it.suspect(
        `link/${shortName(component)}-${shortName(member)}`,
        'cannot tell apart',
        [
          some,
          unmet.length === 1 ? `${member} answers us, and nobody who came through ${component} was greeted by it` : undefined,
        ],
        { protocol, phase: 'connect', kind: 'slow' },
      ),
    ),
    { ...self, confidence: 'cannot tell apart', why: [...self.why, some] },
  ];
}

/** Between acceptance and the mailbox: which host kept it, by the stamps. */
function weighTransit(it: Case, worst: Span): readonly Suspect[] {
  const { scene } = it;
  const hops = it.trip.hops.filter(({ skewMs }) => skewMs === undefined);
  const longest = [...hops].sort((a, b) => (b.delayMs ?? 0) - (a.delayMs ?? 0))[0];
  const text = spanText(worst, it.evidence);
  const queue = it.evidence.queue;
  // A hop's delay is the time since the stamp before it: the host before it had the message.
  const keeper = longest === undefined ? undefined : it.trip.hops[it.trip.hops.indexOf(longest) - 1];
  const why = [
    text,
    longest?.delayMs === undefined ? undefined : `the stamps show ${seconds(longest.delayMs)} before ${longest.by}`,
    queue?.text,
  ];
  const lmtp = it.failed(scene.store, undefined, 'lmtp');
  if (lmtp !== undefined) return [{ ...it.convicted(lmtp, ...why), kind: 'slow' }];
  const late = slowBehind(it, worst, why);
  if (late.length > 0) return late;
  const byStore = longest !== undefined && (longest.delayMs ?? 0) >= 1000 && keeper === undefined;
  const component = byStore || keeper === undefined || !isStore(keeper.by, scene.store) ? scene.mta : scene.store;
  return [
    it.suspect(component, 'likely', why, {
      protocol: component === scene.store ? 'lmtp' : 'smtp',
      phase: 'arrival',
      kind: 'slow',
    }),
  ];
}

/** Every timed step with how far it is above what it usually takes; without a past, its whole time counts. */
function* spansOf(trip: Trip, { usual }: Evidence): Iterable<Span> {
  for (const leg of trip.legs) {
    if (leg.name === 'sweep') continue;
    const dialog = leg.dialogs[0];
    if (leg.name === 'transit') {
      const known = usual.find(each => each.leg === 'transit' && each.phase === 'total');
      if (dialog !== undefined)
        yield {
          leg: 'transit',
          component: dialog.component,
          protocol: dialog.protocol,
          phase: 'arrival',
          tookMs: leg.tookMs,
          excessMs: leg.tookMs - (known?.p90Ms ?? 0),
        };
      continue;
    }
    for (const { component, protocol, phases } of leg.dialogs) {
      for (const { name, tookMs } of phases) {
        const known = usual.find(each => each.leg === leg.name && each.phase === name);
        yield { leg: leg.name, component, protocol, phase: name, tookMs, excessMs: tookMs - (known?.p90Ms ?? 0) };
      }
    }
  }
}

function spanText({ leg, component, protocol, phase, tookMs }: Span, { usual }: Evidence): string {
  const known = usual.find(each => each.leg === leg && each.phase === (leg === 'transit' ? 'total' : phase));
  const than =
    known === undefined ? '' : `, usually ${seconds(known.p50Ms)} and in nine of ten ${seconds(known.p90Ms)} (${known.n} trips)`;
  return leg === 'transit'
    ? `the message was under way for ${seconds(tookMs)}${than}`
    : `${component} ${protocol} ${phase} took ${seconds(tookMs)}${than}`;
}

function isStore(host: string, store: Component): boolean {
  return host.toLowerCase().startsWith(shortName(store).toLowerCase());
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
