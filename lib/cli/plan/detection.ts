// How soon a failure of each component is noticed, for people: a line each, many that are alike in one. Pure but for colours.

import { kindOf, shortName } from '../../model/component.ts';
import type { Site } from '../../model/site.ts';
import { CERTAINTY, type Detection, isUnseen, longestMs } from '../../plan/detection.ts';
import type { Terminal } from '../terminal.ts';
import { changeText, NAMED } from './changes.ts';
import { count, span } from './words.ts';

type Colours = Terminal['colours'];

export function detectionText(detection: readonly Detection[], site: Site, colours: Colours): readonly string[] {
  const alike = new Map<string, Detection[]>();
  for (const each of detection.filter(one => !isToldByStore(one, detection))) {
    const key = JSON.stringify([kindOf(each.component), timeText(each), aboutText(each), each.change]);
    alike.set(key, [...(alike.get(key) ?? []), each]);
  }
  // Of many that are alike the first stands for all; each line keeps the place of its first.
  const rows = [...alike.values()].flatMap(some => (some.length <= NAMED ? some.map(each => [each]) : [some]));
  const names = rows.map(([first, ...others]) =>
    others.length === 0 ? (first?.component ?? '') : `${first?.component} and ${others.length} more`,
  );
  const width = Math.max(...names.map(name => name.length)) + 2;
  const shown = new Set<string>();
  const lines = rows.flatMap(([each], n) => {
    if (each === undefined) return [];
    const key = JSON.stringify(each.change);
    const change = each.change === undefined || shown.has(key) ? [] : changeText(each.change);
    const about = each.change !== undefined && shown.has(key) ? ['a line above would change that'] : [];
    shown.add(key);
    const paint = isUnseen(each) ? colours.red : each.worstMs === undefined ? colours.yellow : (text: string) => text;
    return [
      `  ${(names[n] ?? '').padEnd(width)}${paint(timeText(each).padEnd(17))}${[aboutText(each), ...about].filter(text => text !== '').join('; ')}`.trimEnd(),
      ...change,
    ];
  });
  const limits = span(longestMs(site.limits));
  return [
    colours.bold('A failure is noticed at the latest after'),
    colours.dim(`  the longest pause between two visits, and ${limits} (submit + deliver + fetch + isolate)`),
    ...lines,
  ];
}

function timeText({ worstMs, chance, wanted }: Detection): string {
  if (!wanted) return '-';
  return worstMs === undefined ? (chance === undefined ? 'never' : 'no bound') : span(worstMs);
}

function aboutText(each: Detection): string {
  return [...visitsText(each), ...each.notes].join('; ');
}

/** An account that bears its store's name and is visited as often says nothing new. */
function isToldByStore({ component, worstMs, wanted }: Detection, detection: readonly Detection[]): boolean {
  if (kindOf(component) !== 'account' || !wanted) return false;
  return detection.some(other => other.component === `store/${shortName(component)}` && other.worstMs === worstMs);
}

function visitsText({ visitsAnHour, chance, byProtocol, worstMs }: Detection): readonly string[] {
  const texts = visitsAnHour === 0 ? [] : [`${count(visitsAnHour, 'visit')} an hour`];
  if (chance !== undefined) {
    const odds = `${count(chance.visitsAnHour, 'visit')} an hour through a balancer, with a chance of ${oddsText(chance.odds)}`;
    const likely = `in ${Math.round(CERTAINTY * 100)} of 100 cases after ${span(chance.likelyMs)}`;
    texts.push(worstMs === undefined ? `${odds}: ${likely}` : `and ${odds}`);
  }
  const doors = Object.entries(byProtocol ?? {}).filter(([, ms]) => ms !== worstMs);
  if (doors.length > 0) texts.push(doors.map(([protocol, ms]) => `its ${protocol} door ${span(ms)}`).join(', '));
  return texts;
}

function oddsText(odds: number): string {
  const one = 1 / odds;
  return Math.abs(one - Math.round(one)) < 1e-6 ? `1 in ${Math.round(one)}` : `${Math.round(odds * 100)} in 100`;
}
