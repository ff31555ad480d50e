// `healthmon config`: what is wrong with the files, or what may stand in them.

import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../model/site.ts';
import { CONFIG_FILES, describe } from '../../site/describe.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems, inOrder, type Problem, summariseProblems } from '../../site/problem.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { placesOf, Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';

export async function runConfig(
  options: { readonly json?: boolean; readonly secrets: boolean },
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const [what = '', which] = args;
  if (what === 'check') return check(options, which, terminal);
  if (what === 'describe') return explain(which, terminal);
  throw new Stop(`expected "check" or "describe", not "${what}"${didYouMean(what, ['check', 'describe'])}`);
}

async function check(
  { json, secrets }: { readonly json?: boolean; readonly secrets: boolean },
  folder: string | undefined,
  terminal: Terminal,
): Promise<number> {
  const dir = folder === undefined ? placesOf({}).config : resolve(folder);
  if (!existsSync(dir) || !statSync(dir).isDirectory()) throw new Stop(`Cannot check ${dir}: no such folder`);
  const { site, sequence, problems: ofSite } = await loadSite(dir, { secrets });
  // A file that two rooms read is told once.
  const problems: readonly Problem[] = inOrder([...ofSite, ...(await otherProblems(dir, site, secrets))]);
  if (json === true) terminal.out(JSON.stringify({ dir, ...summariseProblems(problems) }));
  else {
    if (problems.length > 0) terminal.out(formatProblems(problems));
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    const warnings = problems.length - errors;
    const counts = [count(errors, 'error'), count(warnings, 'warning')].join(', ');
    const size =
      site === undefined || sequence === undefined
        ? ''
        : `: ${count(site.mtas.size, 'MTA')}, ${count(site.mmps.size, 'MMP')}, ${count(site.stores.size, 'store')}, ${count(sequence.length, 'entry')} in the sequence`;
    terminal.out(`${dir}: ${counts}${size}`);
  }
  return problems.some(({ severity }) => severity === 'error') ? 3 : 0;
}

/** Files that a site may do without, each checked by the room that it belongs to. */
async function otherProblems(dir: string, site: Site | undefined, secrets: boolean): Promise<readonly Problem[]> {
  const has = (name: string) => existsSync(join(dir, name));
  const { reportProblems } = await import('../report/check.ts');
  // The reader of a file that is not there is not loaded: compiling it takes longer than all the checking.
  return [
    ...(has('host.cfg') ? ((await (await import('../../host/config-load.ts')).loadHost(dir))?.problems ?? []) : []),
    ...(has('alarms.cfg') ? await (await import('./alarm.ts')).alarmProblems(dir, site, secrets) : []),
    ...(await reportProblems(dir, site)),
  ];
}

/** What each file may hold, as an annotated sample. */
const DESCRIPTIONS: Readonly<Record<string, () => string | Promise<string>>> = {
  ...Object.fromEntries(CONFIG_FILES.map(file => [file, () => describe(file)])),
  'host.cfg': async () => {
    const [{ annotatedFile }, { HOST_TABLE }] = await Promise.all([
      import('../../site/table/annotate.ts'),
      import('../../host/config-table.ts'),
    ]);
    return annotatedFile(HOST_TABLE);
  },
  'alarms.cfg': async () => (await import('./alarm.ts')).alarmSample(),
  'report_formats.cfg': async () => {
    const [{ annotatedFile }, { FORMATS_TABLE }] = await Promise.all([
      import('../../site/table/annotate.ts'),
      import('../../report/formats-table.ts'),
    ]);
    return annotatedFile(FORMATS_TABLE);
  },
};

async function explain(which: string | undefined, terminal: Terminal): Promise<number> {
  const known = Object.keys(DESCRIPTIONS);
  const files = known.filter(name => which === undefined || name === which);
  if (files.length === 0) throw new Stop(`expected ${known.join(' or ')}, not "${which}"${didYouMean(which ?? '', known)}`);
  for (const file of files) terminal.out(((await DESCRIPTIONS[file]?.()) ?? '').trimEnd());
  return 0;
}

function count(n: number, what: string): string {
  const many = what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${n} ${n === 1 ? what : many}`;
}
