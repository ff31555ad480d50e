// The samples in etc/ are the annotated files, they are valid as they stand, and they leave no key out.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG_FILES, describe } from '../../lib/site/describe.ts';
import { loadSite } from '../../lib/site/load.ts';
import { SITE_TABLE } from '../../lib/site/site-table.ts';
import { innerFields } from '../../lib/site/table/field.ts';
import { folderWith } from './folder.ts';

const ETC = join(import.meta.dirname, '..', '..', 'etc');
const AT = Date.UTC(2026, 10, 22);

test.for(CONFIG_FILES)('etc/%s is what describe() prints, byte for byte', file => {
  expect(readFileSync(join(ETC, file), 'utf8')).toBe(describe(file));
});

test('etc/ is valid as it stands and shows the site of the seed', async () => {
  const { site, sequence, problems } = await loadSite(ETC, { secrets: false, at: AT });
  expect(problems).toEqual([]);
  expect([...(site?.mtas.keys() ?? [])]).toEqual(['ssmtp01', 'ssmtp02', 'ssmtp03', 'ssmtp04']);
  expect([...(site?.mmps.keys() ?? [])]).toEqual(['smux01', 'smux02']);
  expect([...(site?.stores.keys() ?? [])]).toEqual(['ims1', 'ims2', 'ims3', 'ims4']);
  expect([...(site?.directories.keys() ?? []), ...(site?.balancers.keys() ?? []), ...(site?.filters.keys() ?? [])]).toEqual([
    'ldap1',
    'smtp',
    'dkim',
  ]);
  expect(site?.nameServers.size).toBe(1);
  expect(sequence?.length).toBe(12);
});

/** The part of the text that shows a section, from its rule to the next. */
function partOf(text: string, section: string): string {
  const parts = text.split(/^#-{20,}$/m);
  const found = parts.filter(part => new RegExp(`^#?\\[\\[?${section}[.\\]]`, 'm').test(part));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

test.for(Object.entries(SITE_TABLE.sections))(
  'describe() shows every key of section %s, in use or commented out',
  ([name, section]) => {
    const part = partOf(describe('site.cfg'), name);
    const missing = Object.keys(section.fields).filter(key => !new RegExp(`^#?${key} = `, 'm').test(part));
    expect(missing).toEqual([]);
  },
);

test('describe() explains every key somewhere, with its default', () => {
  const text = describe('site.cfg').replaceAll(/\n# +/g, ' ');
  for (const section of Object.values(SITE_TABLE.sections)) {
    for (const field of Object.values(section.fields)) {
      const inner = Object.values(innerFields(field.form) ?? {});
      for (const one of [field, ...inner]) {
        expect(text).toContain(one.help);
        if (one.presence !== 'required') expect(text).toContain(`Default: ${one.otherwise ?? ''}`);
      }
    }
  }
});

test('describe() shows the default itself where there is one', () => {
  for (const [key, field] of Object.entries(SITE_TABLE.sections.site.fields)) {
    if (field.presence !== 'defaulted') continue;
    const shown = new RegExp(`^#?${key} = (.*)$`, 'm').exec(describe('site.cfg'))?.[1];
    expect([key, JSON.parse(shown ?? '')]).toEqual([key, 'fallback' in field ? field.fallback : undefined]);
  }
});

test('describe(): each commented sample becomes valid when the remark is taken away', async () => {
  const lines = describe('site.cfg').split('\n');
  // Sources of a secret exclude each other, and a site of one IP version would contradict nothing but the operator.
  const isAlternative = /^#(?:password_|key_|bind_dn|user = |auth = |queue = |ca_file)/;
  const commented = lines.flatMap((line, i) =>
    /^#(?:\[\[)?[a-z_0-9]+(?:\]\]| = )/.test(line) && !isAlternative.test(line) ? [i] : [],
  );
  expect(commented.length).toBeGreaterThan(40);
  const all = lines.map((line, i) => (commented.includes(i) ? line.slice(1) : line)).join('\n');
  const dir = await folderWith({ 'site.cfg': all, 'sequence.cfg': describe('sequence.cfg') });
  const { problems } = await loadSite(dir, { secrets: false, at: AT });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test('describe() keeps lines short enough to read', () => {
  for (const file of CONFIG_FILES)
    expect(
      describe(file)
        .split('\n')
        .filter(line => line.length > 112),
    ).toEqual([]);
});
