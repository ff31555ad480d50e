// What could not be told apart after a failure, and what would change that, for people. Pure but for colours, which are an argument.

import type { Component } from '../../model/component.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Terminal } from '../terminal.ts';
import { changesText, changeText, NAMED } from './changes.ts';

type Colours = Terminal['colours'];

/** Further cases of the same are named up to this many. */
const LIKEWISE = 2;

export function ambiguityText({ ambiguities, together, load }: Plan, colours: Colours): readonly string[] {
  const title = colours.bold('After a failure these could not be told apart');
  if (ambiguities.length + together.length === 0) return [title, load.messages === 0 ? '  nothing is tested' : '  none'];
  const lines: string[] = [];
  const shown = new Set<string>();
  let last = '';
  for (const { symptom, cases, unnamed, changes, solves, beyond } of ambiguities) {
    if (symptom !== last) lines.push(`  ${symptom}`);
    last = symptom;
    const unknown = unnamed ? ['a directory or name server that it asks and site.cfg does not name'] : [];
    const [first = [], ...others] = cases;
    lines.push(`    ${colours.bold([...first, ...unknown].join(' or '))}`, ...likewiseText(others, colours));
    if (changes.length === 0) {
      lines.push(colours.dim(`      nothing in the config changes that: ${beyond}`));
      continue;
    }
    const fresh = changes.filter(change => !shown.has(JSON.stringify(change)));
    const above = fresh.length === changes.length ? '' : fresh.length === 0 ? ' the lines above' : ' the lines above, and';
    lines.push(colours.dim(`      ${solves ? 'told apart with' : 'told apart in part with'}${above}`), ...changesText(fresh));
    for (const change of fresh) shown.add(JSON.stringify(change));
  }
  if (together.length > 0) lines.push('  the same tests fail, because each test of one is a test of the other');
  for (const { components, entry } of together.slice(0, NAMED * 2))
    lines.push(
      `    ${colours.bold(components.join(' or '))}`,
      colours.dim('      told apart with'),
      ...changeText({ file: 'sequence.cfg', entries: [entry] }),
    );
  if (together.length > NAMED * 2) lines.push(`    and ${together.length - NAMED * 2} more such pairs (--json has all)`);
  return [title, ...lines];
}

function likewiseText(cases: readonly (readonly Component[])[], colours: Colours): readonly string[] {
  if (cases.length === 0) return [];
  const some = cases.slice(0, LIKEWISE).map(suspects => suspects.join(' or '));
  const more = cases.length > LIKEWISE ? [`${cases.length - LIKEWISE} more`] : [];
  return [colours.dim(`      likewise ${[...some, ...more].join('; ')}`)];
}
