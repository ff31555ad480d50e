// Whatever is in the files: loading never throws, never hangs, and every problem has a file, a line that exists, and clean text.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describe } from '../../lib/site/describe.ts';
import { loadSite } from '../../lib/site/load.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { siteText, temporaryFolder } from './folder.ts';

const AT = Date.UTC(2026, 10, 22);
const SITE = Buffer.from(describe('site.cfg').replaceAll(/^#.*\n/gm, ''));
const SEQUENCE = Buffer.from(describe('sequence.cfg'));

/** Loads the two files and checks what holds for any. */
async function checkLoad(dir: string, site: Uint8Array, sequence: Uint8Array): Promise<number> {
  await writeFile(join(dir, 'site.cfg'), site);
  await writeFile(join(dir, 'sequence.cfg'), sequence);
  const loaded = await loadSite(dir, { secrets: false, at: AT });
  const lines = { [join(dir, 'site.cfg')]: lineCount(site), [join(dir, 'sequence.cfg')]: lineCount(sequence) };
  for (const problem of loaded.problems) {
    expect(Object.keys(lines)).toContain(problem.file);
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines[problem.file] ?? 0);
    expect(problem.text).not.toBe('');
    expect(`${problem.text}${problem.remedy ?? ''}`).not.toMatch(/\p{Cc}/u);
  }
  expect(loaded.site === undefined).toBe(loaded.problems.some(({ severity }) => severity === 'error'));
  formatProblems(loaded.problems);
  return loaded.problems.length;
}

function lineCount(bytes: Uint8Array): number {
  return bytes.filter(byte => byte === 0x0a).length + 1;
}

interface Change {
  readonly kind: 'insert' | 'delete' | 'replace' | 'double' | 'cut';
  /** Where, as a share of the whole. */
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

const TRICKS = [
  '\0',
  '\r',
  '"',
  "'''",
  '[',
  ']',
  '[[',
  '{',
  '}',
  '=',
  ',',
  '.',
  '#',
  '\n',
  '\\',
  '\x1b[2J',
  '\u{202e}',
  '\u{feff}',
  '-1',
  '1e999',
  '99999999999999999999',
  'inf',
  'true',
  '2026-13-01',
  'é',
];
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.constantFrom(...TRICKS).map(text => new Uint8Array(Buffer.from(text))),
);
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('insert', 'delete', 'replace', 'double', 'cut'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 60 }),
  bytes,
});

function mutate(original: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((text, { kind, at, length, bytes: inserted }) => {
    const i = Math.floor(at * text.length);
    const [before, middle, after] = [text.subarray(0, i), text.subarray(i, i + length), text.subarray(i + length)];
    switch (kind) {
      case 'insert':
        return Buffer.concat([before, inserted, middle, after]);
      case 'delete':
        return Buffer.concat([before, after]);
      case 'replace':
        return Buffer.concat([before, inserted, after]);
      case 'double':
        return Buffer.concat([before, middle, middle, after]);
      case 'cut':
        return Buffer.from(before);
      default:
        return kind satisfies never;
    }
  }, original);
}

test('loadSite() gives a file and a line for every problem of 500 damaged configs', async () => {
  const dir = await temporaryFolder();
  let damaged = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.array(change, { maxLength: 4 }),
      async (ofSite, ofSequence) => {
        if ((await checkLoad(dir, mutate(SITE, ofSite), mutate(SEQUENCE, ofSequence))) > 0) damaged++;
      },
    ),
    { numRuns: 500 },
  );
  expect(damaged).toBeGreaterThan(250);
}, 60_000);

test('loadSite() survives 200 files of random bytes', async () => {
  const dir = await temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 400 }), async (site, sequence) => {
      await checkLoad(dir, site, sequence);
    }),
    { numRuns: 200 },
  );
}, 60_000);

const literal = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => JSON.stringify(text)),
    fc.integer().map(String),
    fc.constantFrom('true', 'false', '1.5', 'nan', '2026-11-22', '22:00:00', '2026-11-22T22:00:00Z', '""', '[]', '{}'),
    fc.array(tie('value'), { maxLength: 3 }).map(items => `[${items.join(', ')}]`),
    fc.tuple(fc.constantFrom('port', 'security', 'x', 'password'), tie('value')).map(([key, value]) => `{ ${key} = ${value} }`),
  ),
})).value;

test('loadSite() says something sensible about any TOML value under any key', async () => {
  const dir = await temporaryFolder();
  const keys = ['host', 'port', 'security', 'needs', 'user', 'auth', 'queue', 'ca_file', 'password_file', 'password', 'ip', 'x'];
  const section = fc.constantFrom(
    'mta',
    'mmp',
    'store',
    'account',
    'balancer',
    'directory',
    'filter',
    'dns',
    'site',
    'maintenance',
    'z',
  );
  const header = fc.tuple(section, fc.constantFrom('', '.n', '."a b"', '.a.b')).map(([name, more]) => `[${name}${more}]`);
  await fc.assert(
    fc.asyncProperty(
      header,
      fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), literal), { selector: ([key]) => key, maxLength: 5 }),
      async (head, pairs) => {
        const below = `${head}\n${pairs.map(([key, value]) => `${key} = ${value}`).join('\n')}`;
        await checkLoad(dir, Buffer.from(siteText({ below })), SEQUENCE);
      },
    ),
    { numRuns: 500 },
  );
}, 60_000);

test('loadSite() tells thousands of problems in a time that grows with their number, no faster', async () => {
  const dir = await temporaryFolder();
  const time = async (count: number): Promise<number> => {
    const keys = Array.from({ length: count }, (_, i) => `prt${i} = 1`).join('\n');
    const lines = Array.from({ length: count }, (_, i) => `${i % 60} DMSG -u u${i} -s s${i} -p p${i}`).join('\n');
    const began = performance.now();
    await checkLoad(dir, Buffer.from(siteText({ mta: keys })), Buffer.from(lines));
    return performance.now() - began;
  };
  await time(200);
  const [few, many] = [await time(1000), await time(5000)];
  expect(many).toBeLessThan(few * 5 * 5 + 500);
}, 60_000);
