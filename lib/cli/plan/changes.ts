// What would make a plan better, as lines to copy into site.cfg and sequence.cfg. Pure.

import type { Change } from '../../plan/change.ts';
import { entryLines } from './json.ts';

/** Of a list that could be long, so many are named; --json has all. */
export const NAMED = 4;

/** The same lines for several sections are written once. */
export function changesText(changes: readonly Change[]): readonly string[] {
  const merged = new Map<string, { readonly sections: string[]; readonly lines: readonly string[] }>();
  const entries: string[] = [];
  for (const change of changes) {
    if (change.file === 'sequence.cfg') {
      entries.push(...changeText(change));
      continue;
    }
    const key = change.lines.join('\n');
    const known = merged.get(key) ?? { sections: [], lines: change.lines };
    known.sections.push(change.section);
    merged.set(key, known);
  }
  const all = [...merged.values()];
  const shown = all.slice(0, NAMED).flatMap(({ sections, lines }) => siteLines(sections, lines));
  const more = all.length > NAMED ? [`        and ${all.length - NAMED} more like these (--json has all)`] : [];
  return [...shown, ...more, ...entries];
}

export function changeText(change: Change): readonly string[] {
  if (change.file === 'site.cfg') return siteLines([change.section], change.lines);
  const [first = '', ...others] = entryLines(change.entries);
  return [`        sequence.cfg  ${first}`, ...others.map(line => `                      ${line}`)];
}

function siteLines(sections: readonly string[], lines: readonly string[]): readonly string[] {
  const named = sections.slice(0, NAMED).join(' ');
  const more = sections.length > NAMED ? ` and ${sections.length - NAMED} more` : '';
  return [`        site.cfg  ${named}${more}`, ...lines.map(line => `                  ${line}`)];
}
