// `healthmon drain` and `undrain`: a component is taken out for a while. It is left out of verdicts, and mail that still goes through it
// is a finding.

import { type Component, KINDS, kindOf, shortName } from '../model/component.ts';
import { printable } from '../model/printable.ts';
import type { Site } from '../model/site.ts';
import { localDay, localTime } from '../record/day.ts';
import { drainsAt, endDrain, putDrain } from '../record/drain.ts';
import { loadSite } from '../site/load.ts';
import { didYouMean } from '../site/table/nearest.ts';
import { openState, placesOf, Stop } from './context.ts';
import type { Terminal } from './terminal.ts';

export interface DrainOptions {
  readonly config?: string;
  readonly state?: string;
  readonly until?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

export async function runDrain(options: DrainOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  openState(places.state);
  const now = Date.now();
  const name = args[0];
  if (name === undefined) return list(places.state, now, options.json === true, terminal);
  const { site } = await loadSite(places.config, { secrets: false });
  const component = componentOf(name, site);
  const until = options.until === undefined ? undefined : instantOf(options.until, now);
  if (until !== undefined && until <= now) throw new Stop(`--until ${options.until} is over already`);
  putDrain(places.state, {
    component,
    since: now,
    reason: printable(options.reason ?? 'drained by hand', 200),
    ...(until === undefined ? {} : { until }),
  });
  terminal.out(
    `${component} is drained${until === undefined ? ' until it is taken back (healthmon undrain)' : ` until ${whenText(until)}`}`,
  );
  return 0;
}

export async function runUndrain(options: DrainOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  const places = placesOf(options);
  const { site } = await loadSite(places.config, { secrets: false });
  const component = componentOf(args[0] ?? '', site);
  if (!endDrain(places.state, component)) throw new Stop(`${component} is not drained`);
  terminal.out(`${component} is back`);
  return 0;
}

function list(state: string, now: number, json: boolean, terminal: Terminal): number {
  const drains = drainsAt(state, now);
  if (json) terminal.out(JSON.stringify(drains));
  else if (drains.length === 0) terminal.out('Nothing is drained');
  else
    for (const { component, since, until, reason } of drains)
      terminal.out(`${component}  since ${whenText(since)}${until === undefined ? '' : `, until ${whenText(until)}`}: ${reason}`);
  return 0;
}

/** `mta/ssmtp02`, or `ssmtp02` where only one component has that name. */
export function componentOf(name: string, site: Site | undefined): Component {
  if (site === undefined) throw new Stop('the config has errors; "healthmon config check" tells them');
  const known = [
    site.mtas,
    site.mmps,
    site.stores,
    site.accounts,
    site.directories,
    site.filters,
    site.balancers,
    site.nameServers,
  ].flatMap((kind): Component[] => [...kind.values()].map(({ component }) => component));
  const found = known.filter(each => each === name || shortName(each) === name);
  const exact = found.filter(each => each === name);
  const [one, two] = exact.length === 1 ? exact : found.filter(each => kindOf(each) !== 'account');
  if (one !== undefined && two === undefined) return one;
  if (two !== undefined) throw new Stop(`"${printable(name, 60)}" could be ${found.join(' or ')}`);
  const shown = printable(name, 60);
  throw new Stop(
    `no component "${shown}" in site.cfg${didYouMean(name, known)}; it is written kind/name, and kinds are ${KINDS.filter(kind => kind !== 'link' && kind !== 'host').join(', ')}`,
  );
}

/** `90m`, `2h`, `3d`, `22:30` (the next one), or an ISO date and time. */
export function instantOf(text: string, now: number): number {
  const span = /^(\d{1,5})\s*(m|min|h|d)$/.exec(text);
  if (span !== null)
    return now + Number(span[1]) * { m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[span[2] as 'm' | 'min' | 'h' | 'd'];
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock !== null) {
    const at = new Date(now);
    at.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (at.getTime() <= now) at.setDate(at.getDate() + 1);
    return at.getTime();
  }
  const at = Date.parse(text);
  if (Number.isNaN(at) || !/^\d{4}-\d{2}-\d{2}/.test(text))
    throw new Stop(`expected a time such as 90m, 2h, 22:30 or 2026-11-23T06:00, not "${printable(text, 60)}"`);
  return at;
}

function whenText(at: number): string {
  return `${localDay(at)} ${localTime(at)}`;
}
