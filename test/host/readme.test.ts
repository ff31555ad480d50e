// The pages of the checks name every figure, in the words of the table that limits and perfdata are made from.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkOf, FIGURES, unitOf } from '../../lib/host/figures.ts';
import { CHECKS, type CheckName } from '../../lib/model/reading.ts';

const FILE = join(import.meta.dirname, '../../lib/host/README.md');

function table(check: CheckName): string {
  const rows = [...FIGURES.values()]
    .filter(({ name }) => checkOf(name) === check)
    .map(({ name, of, help }) => `| \`${name}${of === undefined ? '' : `:${of.toUpperCase()}`}\` | ${unitOf(name)} | ${help} |`);
  return ['| figure | in | |', '|---|---|---|', ...rows].join('\n');
}

test('lib/host/README.md has a page for each check with all of its figures (UPDATE=1 writes them)', () => {
  const before = readFileSync(FILE, 'utf8');
  const after = CHECKS.reduce(
    (text, check) =>
      text.replace(
        new RegExp(`(<!-- figures: ${check} -->\n)(?:\n(?:\\|[^\n]*\n)+)?`),
        (_, mark) => `${mark}\n${table(check)}\n`,
      ),
    before,
  );
  if (process.env.UPDATE === '1') writeFileSync(FILE, after);
  expect(before).toBe(after);
  for (const check of CHECKS) expect(before).toContain(`\n## check_${check}\n`);
});
