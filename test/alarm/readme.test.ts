// lib/alarm/README.md is true: its samples are valid, it names every channel and every field of what is sent.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KINDS } from '../../lib/alarm/config/kinds.ts';
import { readAlarms } from '../../lib/alarm/config/load.ts';
import { structured } from '../../lib/alarm/words/structured.ts';
import { plainText } from '../../lib/alarm/words/wording.ts';
import { type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith } from '../site/folder.ts';
import { TELLINGS } from './tellings.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'lib', 'alarm', 'README.md'), 'utf8');
const samples = [...page.matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '');

test('every sample of alarms.cfg is valid as it stands', async () => {
  expect(samples.length).toBeGreaterThan(3);
  for (const sample of samples) {
    const dir = await folderWith({});
    const problems: Problem[] = [];
    await readAlarms(sample, dir, { plugins: dir, state: dir }, { report: reporterFor('README.md', problems), problems });
    expect(problems.map(({ line, text }) => `${line}: ${text}`)).toEqual([]);
  }
});

test('every channel that ships is in the table', () => {
  expect(KINDS.filter(({ kind }) => !page.includes(`[${kind}.NAME]`)).map(({ kind }) => kind)).toEqual([]);
  expect(KINDS.length).toBe(18);
});

test('every field of the structured form is explained', () => {
  const forms = Object.values(TELLINGS).map(telling => structured('x', telling));
  const fields = new Set(forms.flatMap(form => [...Object.keys(form), ...form.notices.flatMap(notice => Object.keys(notice))]));
  const others = ['unackedMs', 'untold', 'ackBy', 'because', 'was', 'isDrill'];
  expect([...fields, ...others].filter(field => !page.includes(`\`${field}\``))).toEqual([]);
});

test('the message that it shows is the one that is sent', () => {
  const telling = TELLINGS.raised;
  if (telling === undefined) throw new Error('no such telling');
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  const lines = plainText(telling).split('\n').slice(0, -2);
  process.env.TZ = zone;
  expect(page).toContain(lines.map(line => `    ${line}`).join('\n'));
});
