// Every format that ships, on a quiet, a bad and an empty day: what people read is compared with files that are changed only by reading
// the difference (npx vitest -u writes them).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadFormats } from '../../lib/report/formats.ts';
import { schemaText } from '../../lib/report/json-schema.ts';
import { renderReport } from '../../lib/report/render.ts';
import { SAMPLES, sampleReport } from '../../lib/report/sample.ts';
import { wrongWith } from './conform.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const REPORTS = join(ROOT, 'reports');
const FORMATS = ['classic', 'daily', 'csv', 'json', 'prometheus', 'openmetrics'] as const;
const ZONE = process.env.TZ;

beforeAll(() => {
  process.env.TZ = 'Europe/Berlin';
});
afterAll(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

/** Made once each: a report reads the weeks before it as well. */
const made = new Map<string, ReturnType<typeof sampleReport>>();
function reportOf(sample: (typeof SAMPLES)[number]) {
  const report = made.get(sample) ?? sampleReport(sample, '0.1.0');
  made.set(sample, report);
  return report;
}

const cases = FORMATS.flatMap(name => SAMPLES.map(sample => ({ name, sample })));

test('these are all the formats that ship, and nothing is wrong with them', async () => {
  const { byName, problems } = await loadFormats({ shipped: REPORTS, plugins: join(ROOT, 'none') });
  expect(problems).toEqual([]);
  expect([...byName.keys()]).toEqual([...FORMATS]);
});

test.for(cases)('$name on a $sample day is what its golden file says', async ({ name, sample }) => {
  const { byName } = await loadFormats({ shipped: REPORTS, plugins: join(ROOT, 'none') });
  const format = byName.get(name);
  if (format === undefined) throw new Error(`no format ${name}`);
  let pictures = 0;
  const rendered = await renderReport(format, reportOf(sample), picture => {
    pictures += 1;
    return `picture-${pictures}-${picture.width}x${picture.height}.png`;
  });
  const golden = join(REPORTS, name, 'golden');
  if (rendered.text !== undefined) await expect(rendered.text).toMatchFileSnapshot(join(golden, `${sample}.${format.extension}`));
  if (rendered.html !== undefined) await expect(rendered.html).toMatchFileSnapshot(join(golden, `${sample}.html`));
});

test.for(['classic', 'daily'])('no line of the text of %s is wider than a terminal', async name => {
  for (const sample of SAMPLES) {
    const { byName } = await loadFormats({ shipped: REPORTS, plugins: join(ROOT, 'none') });
    const format = byName.get(name);
    if (format === undefined) throw new Error(`no format ${name}`);
    const { text = '' } = await renderReport(format, reportOf(sample), () => '');
    // The seed's table has 76; the lines that compare are somewhat longer.
    expect(text.split('\n').filter(line => line.length > 96)).toEqual([]);
    expect(text.split('\n').filter(line => line.trimEnd() !== line)).toEqual([]);
  }
});

test('the HTML loads nothing from elsewhere and runs nothing', async () => {
  const { byName } = await loadFormats({ shipped: REPORTS, plugins: join(ROOT, 'none') });
  const format = byName.get('daily');
  if (format === undefined) throw new Error('no format');
  const { html = '' } = await renderReport(format, reportOf('bad'), () => 'cid:x');
  expect(html).not.toMatch(/<script|<link|<iframe|<object|<form|javascript:|@import|url\(|https?:/i);
  expect([...html.matchAll(/src="([^"]*)"/g)].every(([, src]) => src === 'cid:x')).toBe(true);
  expect(html.length).toBeLessThan(100_000);
});

test('reports/schema.json is the schema of the data (npx vitest -u does not write it: healthmon report schema does)', () => {
  expect(JSON.parse(readFileSync(join(REPORTS, 'schema.json'), 'utf8'))).toEqual(JSON.parse(schemaText()));
});

test.for(SAMPLES)('the data of a %s day is what the schema says', sample => {
  expect(wrongWith(JSON.parse(JSON.stringify(reportOf(sample))))).toEqual([]);
});
