// A reading of a mail host, for people and for the monitoring plugins' convention.

import { baseName, FIGURES, type Unit, unitOf } from '../../host/figures.ts';
import { limitsOf, valueText } from '../../host/judge.ts';
import type { Limit } from '../../host/limits.ts';
import { printable } from '../../model/printable.ts';
import type { CheckReading, HostReading, Level } from '../../model/reading.ts';
import type { Terminal } from '../terminal.ts';

const WORDS = { ok: 'OK', warning: 'WARNING', critical: 'CRITICAL', unknown: 'UNKNOWN' } as const satisfies Record<Level, string>;

/** A block for each check: its line, what is wrong, and with `verbose` the figures, the largest of many and what could not be read. */
export function hostText(reading: HostReading, colours: Terminal['colours'], options: { readonly verbose: boolean }): string {
  return reading.checks.map(check => checkText(check, colours, options.verbose)).join('\n');
}

function checkText(
  { check, level, text, findings, figures, tops, missing }: CheckReading,
  colours: Terminal['colours'],
  verbose: boolean,
): string {
  const paint = { ok: colours.green, warning: colours.yellow, critical: colours.red, unknown: colours.magenta }[level];
  const lines = [`${check.padEnd(7)} ${paint(WORDS[level].padEnd(8))} ${printable(text, 300)}`];
  const isFirst = findings[0] !== undefined && findings[0].level !== 'ok';
  for (const [index, finding] of findings.entries()) {
    if (!(isFirst && index === 0))
      lines.push(
        `${INDENT}${finding.level === 'ok' ? '' : `${WORDS[finding.level].toLowerCase()}: `}${printable(finding.text, 300)}`,
      );
    // Eleven services that are gone have one remedy.
    const isLast = findings[index + 1]?.remedy !== finding.remedy;
    if (finding.remedy !== undefined && isLast) lines.push(`${INDENT}  ${colours.dim(printable(finding.remedy, 400))}`);
  }
  if (!verbose) {
    if (missing.length > 0) lines.push(`${INDENT}${colours.dim(`${missing.length} not read here (-v tells)`)}`);
    return lines.join('\n');
  }
  for (const [name, ranked] of Object.entries(tops)) {
    lines.push(`${INDENT}${name}: ${ranked.map(each => `${printable(each.name, 100)} ${each.count}`).join(', ')}`);
  }
  for (const [name, value] of Object.entries(figures))
    lines.push(`${INDENT}${name.padEnd(36)} ${valueText(value, unitOf(name))}`);
  for (const { what, why, remedy } of missing) {
    lines.push(`${INDENT}not read: ${printable(what, 200)} (${printable(why, 300)})`);
    if (remedy !== undefined) lines.push(`${INDENT}  ${colours.dim(printable(remedy, 400))}`);
  }
  return lines.join('\n');
}

const INDENT = ' '.repeat(8);

/**
 * The status line with perfdata. @see the Monitoring Plugins Development Guidelines, section 2.6
 *
 * @param at when it was looked, epoch ms: limits may hold in some hours only
 */
export function hostNagios(reading: HostReading, limits: readonly Limit[], at: number): string {
  const { checks, level } = reading;
  const bad = checks.filter(check => check.level !== 'ok');
  const said = (bad.length > 0 ? bad : checks)
    .map(({ check, text }) => (checks.length === 1 ? text : `${check}: ${text}`))
    .join('; ');
  const name = checks.length === 1 ? (checks[0]?.check ?? 'host').toUpperCase() : 'HOST';
  const data = checks.flatMap(({ figures }) =>
    Object.entries(figures).map(([figure, value]) => perfdata(figure, value, limits, at)),
  );
  const text = printable(said, 1000).replace(/\|/g, ' ');
  return `${name} ${WORDS[level]} - ${text}${data.length === 0 ? '' : ` | ${data.join(' ')}`}`;
}

const UOM: Readonly<Record<Unit, string>> = {
  count: '',
  bytes: 'B',
  percent: '%',
  s: 's',
  ms: 'ms',
  'per minute': '',
  'per second': '',
};

/** `'label'=value[UOM];warn;crit;min`: a limit below which things are bad is written as a range, `10:`. */
function perfdata(figure: string, value: number, limits: readonly Limit[], at: number): string {
  const limit = limitsOf(figure, limits, at).find(({ overMs }) => overMs === undefined);
  const bound = (n: number | undefined) => (n === undefined ? '' : `${n}${limit?.is === 'below' ? ':' : ''}`);
  const label = figure.replace(/['=|]/g, '_');
  const min = FIGURES.get(baseName(figure))?.name === 'queues.growth_per_min' ? '' : '0';
  return `'${label}'=${value}${UOM[unitOf(figure)]};${bound(limit?.warn)};${bound(limit?.crit)};${min}`;
}
