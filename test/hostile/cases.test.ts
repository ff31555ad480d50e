// CASES.md is the tables in words. `npx vitest run -u --config test/vitest.config.ts --project fast test/hostile/cases.test.ts` writes it.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { printable } from '../../lib/model/printable.ts';
import type { Case, Wanted } from './case.ts';
import { TABLES } from './tables.ts';

function wantedText(wanted: Wanted): string {
  if (wanted === 'answered') return 'nothing: the dialog ends well';
  const { phase, kind, lasting, atOnce } = wanted;
  const how = [atOnce === true ? 'at once' : '', lasting ?? ''].filter(each => each !== '').join(', ');
  return `${[phase].flat().join(' or ')}: ${[kind].flat().join(' or ')}${how === '' ? '' : ` (${how})`}`;
}

function row({ name, wanted, heavy, noSecret }: Case): string {
  const marks = [heavy === true ? 'weighed' : '', noSecret === true ? 'no password' : ''].filter(each => each !== '').join(', ');
  return `| ${[printable(name, 120), wantedText(wanted), marks].map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

test('CASES.md lists every case', async () => {
  const parts = Object.entries(TABLES).map(([protocol, table]) =>
    [
      `## ${protocol}: ${table.length}`,
      '',
      '| a peer that … | is told as phase: kind | besides |',
      '|---|---|---|',
      ...table.map(row),
      '',
    ].join('\n'),
  );
  const count = Object.values(TABLES).flat().length;
  const head = `# The ${count} cases\n\nGenerated from the tables beside it by cases.test.ts. "At once": long before the deadline. "Weighed": in a process of its own too, at most\n16 MB. "No password": none has gone out, looked for in all that the peer heard.\n`;
  await expect(`${head}\n${parts.join('\n')}`).toMatchFileSnapshot(join(import.meta.dirname, 'CASES.md'));
});
