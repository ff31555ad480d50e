// Why the verdict is what it is: what was looked at, what it says for and against whom, and how to see it for oneself.

import type { Component } from '../../model/component.ts';
import type { Evidence, Knocked, Sibling } from '../../model/evidence.ts';
import { pathText } from '../../model/trip.ts';
import type { Suspect, Verdict } from '../../model/verdict.ts';
import { localTime } from '../../record/day.ts';
import { ms } from '../milliseconds.ts';
import type { Terminal } from '../terminal.ts';

type Colours = Terminal['colours'];

/** Suspects with their reasons, as a person would tell it. */
export function reasonsText({ suspects, excused }: Verdict, colours: Colours): readonly string[] {
  if (excused !== undefined) return [colours.bold('  Excused'), `    ${excused}`];
  const rows: string[] = [];
  let fault = -1;
  for (const suspect of suspects) {
    if ((suspect.fault ?? 0) !== fault) {
      fault = suspect.fault ?? 0;
      rows.push(colours.bold(fault === 0 ? '  Who it is' : '  Broken as well, by its own door'));
    }
    rows.push(`    ${suspectLine(suspect)}`);
    for (const why of suspect.why) rows.push(`      because ${why}`);
    for (const against of suspect.against ?? []) rows.push(`      against it: ${against}`);
  }
  return rows;
}

function suspectLine({ component, protocol, phase, kind, confidence }: Suspect): string {
  return `${component} ${protocol} ${phase} (${kind}): ${confidence}`;
}

/** Everything that was looked at. */
export function evidenceText(
  { knocks, queue, onStore, siblings, usual, absences, longer, tookMs }: Evidence,
  colours: Colours,
): readonly string[] {
  const rows = [colours.bold(`  Looked at, in ${ms(tookMs)} ms`)];
  const width = Math.max(0, ...knocks.map(each => headOf(each).length));
  for (const knock of [...knocks].sort(byComponent))
    rows.push(`    ${mark(knock, colours)} ${headOf(knock).padEnd(width)} ${ms(knock.tookMs).padStart(8)} ms  ${knock.text}`);
  if (longer !== undefined) rows.push(`    later, ${longer.component} ${longer.protocol}: ${longer.text}`);
  if (queue !== undefined) rows.push(`    queue: ${queue.text}`);
  if (onStore !== undefined) rows.push(`    store: ${onStore.text}`);
  for (const sibling of siblings) rows.push(`    ${siblingText(sibling)}`);
  for (const { component, reason, until } of absences)
    rows.push(`    ${component} is out of service${until === undefined ? '' : ` until ${localTime(until)}`}: ${reason}`);
  const typical = usual.filter(({ phase }) => phase === 'total');
  for (const { leg, p50Ms, p90Ms, n } of typical)
    rows.push(`    usually ${leg} takes ${ms(p50Ms)} ms, nine times of ten under ${ms(p90Ms)} ms (${n} trips)`);
  return rows;
}

function siblingText({ path, state, outcome, at, forThis, fault }: Sibling): string {
  const where = fault === undefined ? '' : `, ${fault.component} ${fault.phase}`;
  return `${forThis ? 'sent to tell:' : `at ${localTime(at)}:`} ${pathText(path)}: ${state} (${outcome}${where})`;
}

function headOf({ component, protocol, question, about }: Knocked): string {
  return `${component} ${protocol} ${question}${question === 'name' || question === 'own name' || question === 'login' ? ` ${about}` : ''}`;
}

function mark({ outcome }: Knocked, { green, red, dim }: Colours): string {
  return outcome === 'answered' ? green('+') : outcome === 'failed' ? red('-') : dim('.');
}

function byComponent(a: Knocked, b: Knocked): number {
  return compare(a.component, b.component) || compare(a.protocol, b.protocol);
}

function compare(a: Component | string, b: Component | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
