// Real lines of public projects, where they are at hand: how many are understood, and that the rest is what it should be.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { read } from './read.ts';

const CORPORA = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpora');
if (!existsSync(CORPORA)) console.log(`maillog corpora: skipped: ${CORPORA} is not there`);

/** Files whose lines are of mail servers, by the folder; the pattern leaves out what other programs wrote. */
const SOURCES: readonly (readonly [folder: string, files: RegExp, least: number])[] = [
  ['modoboa', /\.log$/, 1],
  ['crowdsec-hub', /^(?:postfix|postscreen|dovecot|exim)/, 1],
  ['postfix-grok-patterns', /\.tsv$/, 0.95],
  // Its author put in seven lines that no server writes.
  ['postfix_exporter-sergeymakinen', /\.log$/, 0.86],
  ['postfix_exporter-Hsn723', /\.log$/, 1],
  ['youyo-postfix-log-parser', /\.log$/, 1],
  ['self-generated', /^dovecot.*\.log$/, 1],
];

test.runIf(existsSync(CORPORA)).each(SOURCES)('%s: lines are understood', (folder, files, least) => {
  let [all, understood] = [0, 0];
  for (const file of readdirSync(join(CORPORA, folder)).filter(name => files.test(name))) {
    const { reader } = read(textOf(join(CORPORA, folder, file)));
    for (const family of reader.families().values()) {
      all += family.lines;
      understood += family.understood;
    }
  }
  console.log(`${folder}: ${understood} of ${all} lines understood (${((understood / all) * 100).toFixed(1)} %)`);
  expect(all).toBeGreaterThan(20);
  expect(understood / all).toBeGreaterThanOrEqual(least);
});

test.runIf(existsSync(CORPORA))('both stamps of one log give the same counters', () => {
  const folder = join(CORPORA, 'youyo-postfix-log-parser');
  const [bsd, iso] = ['test.log', 'test-iso8601.log'].map(name => read(textOf(join(folder, name))).summary.totals);
  expect(bsd).toEqual(iso);
  expect(bsd).toMatchObject({ received: 3, delivered: 4, bytesReceived: 316_149 });
});

/** With a date where a template has none, and a head where a collection has only texts. */
function textOf(file: string): string {
  const text = readFileSync(file, 'latin1').replaceAll('%(day)s', 'Nov 21');
  if (!file.endsWith('.tsv')) return text;
  return text
    .split('\n')
    .map(line => {
      const [pattern = '', body = ''] = line.split('\t');
      const daemon = /POSTFIX_([A-Z_]+)\}\$/.exec(pattern)?.[1]?.toLowerCase();
      return daemon === undefined || !DAEMONS.has(daemon)
        ? ''
        : `Nov 21 10:00:00 mx1 postfix/${NAMES[daemon] ?? daemon}[1]: ${body}`;
    })
    .join('\n');
}

const NAMES: Readonly<Record<string, string>> = { trivial_rewrite: 'trivial-rewrite', script: 'postfix-script' };
/** The others are patterns of parts of lines. */
const DAEMONS = new Set(
  'anvil bounce cleanup discard dnsblog error lmtp local master pickup pipe postdrop postmap postscreen postsuper qmgr relay scache script sendmail smtpd smtp tlsmgr tlsproxy trivial_rewrite verify virtual'.split(
    ' ',
  ),
);
