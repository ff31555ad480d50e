// `healthmon drill`: something is broken on the embedded site, a trip meets it, and what was said is held against the truth. It shows an
// operator what a verdict looks like before the night in which it matters, and it is how the project tests itself.

import { didYouMean } from '../../site/table/nearest.ts';
import type { FaultKind } from '../../standin/faults/breaking.ts';
import { isFaultName } from '../../standin/faults/breaking.ts';
import type { StandinSite } from '../../standin/site.ts';
import { Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { type Drilled, drillOne, openDrill } from './run.ts';

export interface DrillOptions {
  readonly list?: boolean;
  readonly at?: string;
  readonly everywhere?: boolean;
  readonly json?: boolean;
  /** A channel of alarms.cfg, by name. */
  readonly withAlarms?: string;
  readonly config?: string;
  readonly state?: string;
}

/** Needs more to be said than a name: for the project's own tests. */
const NOT_ALONE = 'at-phase';

export async function runDrill(options: DrillOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  await using standin = disposable(await openDrill());
  const kinds = standin.site.faults.filter(({ name }) => name !== NOT_ALONE);
  if (options.list === true) return list(kinds, options, terminal);
  const chosen = choose(kinds, args[0] ?? 'all');
  const rehearsal = await rehearsalOf(options, chosen, terminal);
  const drilled: Drilled[] = [];
  let notTold = 0;
  for (const { name, imitates, places } of chosen) {
    for (const place of placesFor(places, options)) {
      terminal.progress(`${name} at ${place}: ${imitates} ...`);
      const result = await drillOne(standin.site, name, place);
      drilled.push(result);
      terminal.progress('');
      if (options.json === true) terminal.out(JSON.stringify(forMachines(result)));
      else tell(result, imitates, terminal);
      if (rehearsal !== undefined && !(await rehearsal(standin.site, result))) notTold += 1;
    }
  }
  const wrong = drilled.filter(({ right, stateRight }) => !right || !stateRight);
  if (options.json !== true) terminal.out(score(drilled));
  return wrong.length === 0 && notTold === 0 ? 0 : 2;
}

/** What tells the chosen channel of a drill; undefined when none is to be told. */
async function rehearsalOf(options: DrillOptions, chosen: readonly FaultKind[], terminal: Terminal) {
  if (options.withAlarms === undefined) return undefined;
  if (chosen.length > 1 || options.everywhere === true)
    throw new Stop('--with-alarms rings for real: choose one fault, at one place');
  const { openRehearsal } = await import('./alarms.ts');
  return openRehearsal(options.withAlarms, options, terminal);
}

function list(kinds: readonly FaultKind[], { json }: DrillOptions, terminal: Terminal): number {
  if (json === true) terminal.out(JSON.stringify(kinds));
  else {
    const width = Math.max(...kinds.map(({ name }) => name.length));
    for (const { name, imitates, places } of kinds)
      terminal.out(`${name.padEnd(width)}  ${imitates} (${places.length} ${places.length === 1 ? 'place' : 'places'})`);
  }
  return 0;
}

function choose(kinds: readonly FaultKind[], name: string): readonly FaultKind[] {
  if (name === 'all') return kinds;
  const found = isFaultName(name) ? kinds.filter(kind => kind.name === name) : [];
  if (found.length === 0) {
    throw new Stop(
      `no fault "${name}"${didYouMean(
        name,
        kinds.map(kind => kind.name),
      )}; "healthmon drill --list" tells all`,
    );
  }
  return found;
}

/** One place of each fault, unless all are asked for, or one by its name. */
function placesFor(places: FaultKind['places'], { at, everywhere }: DrillOptions): FaultKind['places'] {
  if (at === undefined) return everywhere === true ? places : places.slice(0, 1);
  const found = places.filter(place => place === at);
  if (found.length === 0) throw new Stop(`it cannot occur at ${at}, but at: ${places.join(', ')}`);
  return found;
}

function tell(
  { fault, place, record, right, phaseRight, stateRight, truth, tookMs }: Drilled,
  imitates: string,
  terminal: Terminal,
): void {
  const { bold, dim, green, red, yellow } = terminal.colours;
  const { verdict, trip } = record;
  const mark = right && stateRight ? (phaseRight ? green('right') : yellow('right component, other phase')) : red('WRONG');
  terminal.out(`${bold(fault)} at ${place}  ${dim(imitates)}`);
  terminal.out(`  ${mark}: ${verdict.state}, ${verdict.text}`);
  const failing = trip.legs.find(leg => leg.fault !== undefined)?.tookMs ?? trip.tookMs;
  if (verdict.state !== 'ok') terminal.out(dim(`  seen after ${seconds(failing)}, isolated in ${seconds(tookMs)}`));
  if (!right || !stateRight)
    terminal.out(`  the truth: ${truth.components.join(' or ')}, ${truth.phases.join(' or ')}, ${truth.states.join(' or ')}`);
}

/** `81 drilled: component right in 81, phase right in 80; isolated in 190 ms at the median, 6.0 s at the most` */
export function score(drilled: readonly Drilled[]): string {
  const right = drilled.filter(each => each.right && each.stateRight).length;
  const phase = drilled.filter(each => each.phaseRight && each.stateRight).length;
  const times = drilled
    .filter(({ record }) => record.evidence !== undefined)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  return `${drilled.length} drilled: component right in ${right}, protocol and phase in ${phase}; isolated in ${seconds(median)} at the median, ${seconds(times.at(-1) ?? 0)} at the most`;
}

function forMachines({ fault, place, truth, record, right, phaseRight, stateRight, tookMs }: Drilled) {
  const { components, phases, protocols, states } = truth;
  return {
    fault,
    place,
    right: right && stateRight,
    phaseRight,
    isolatedMs: Math.round(tookMs),
    verdict: record.verdict,
    truth: { components, protocols, phases, states },
  };
}

function disposable(site: StandinSite): { readonly site: StandinSite; [Symbol.asyncDispose](): Promise<void> } {
  return { site, [Symbol.asyncDispose]: () => site.stop() };
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
