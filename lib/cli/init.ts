// `healthmon init DIR`: asks what it has not been told, writes the files, says what comes next.

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { accountNames, type InitAnswers, init } from '../site/init.ts';
import { writeInit } from '../site/init-write.ts';
import { loadSite } from '../site/load.ts';
import { formatProblems } from '../site/problem.ts';
import { QUESTIONS, readAnswers } from '../site/questions.ts';
import { Stop } from './context.ts';
import type { Terminal } from './terminal.ts';

type Given = Partial<Record<keyof InitAnswers, string>>;

export async function runInit(
  options: Readonly<Record<string, string | boolean | undefined>>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const dir = resolve(args[0] ?? '.');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value === 'string')) as Given;
  const asked = terminal.isInteractive ? await ask(given, terminal) : given;
  const read = readAnswers(asked);
  if ('problems' in read) {
    const lines = read.problems.map(
      ({ key, problem }) => `  --${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}: ${problem}`,
    );
    throw new Stop(`Cannot write a config yet:\n${lines.join('\n')}`);
  }
  const passwords = terminal.isInteractive ? await askPasswords(accountNames(read.answers), terminal) : new Map<string, string>();
  const files = init(read.answers, { key: randomBytes(32), passwords });
  const written = await writeInit(dir, files);
  if (written.outcome === 'exists') throw new Stop(`Nothing was written, because there is already: ${written.files.join(', ')}`);

  for (const { path, isSecret } of files) terminal.out(`wrote ${dir}/${path}${isSecret ? ' (0600)' : ''}`);
  const empty = files.filter(({ isSecret, text }) => isSecret && text === '').map(({ path }) => `${dir}/${path}`);
  terminal.out('');
  let step = 1;
  if (empty.length > 0) terminal.out(`${step++}. Write the passwords, one line each: ${empty.join(' ')}`);
  else {
    const { problems } = await loadSite(dir, { secrets: true });
    if (problems.length > 0) terminal.out(formatProblems(problems));
  }
  terminal.out(`${step++}. Check: healthmon config check ${dir}`);
  terminal.out(`${step++}. Walk every path once: check_rndtrip --all --config ${dir}`);
  terminal.out(`${step}. Put it into crontab: healthmon crontab --config ${dir}`);
  return 0;
}

/** Asks what has not been given, in the order of the questions; an answer that cannot be read is asked for again. */
async function ask(given: Given, terminal: Terminal): Promise<Given> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answered: Given = {};
  let earlier: Partial<InitAnswers> = {};
  try {
    for (const { key, question, default: fallback, hint, parse } of QUESTIONS) {
      for (;;) {
        const usual = fallback?.(earlier);
        const text =
          given[key] ??
          ((await lines.question(`${question} (${hint})${usual === undefined ? '' : ` [${usual}]`}: `)).trim() || usual || '');
        const answer = parse(text, earlier);
        if ('answers' in answer) {
          earlier = { ...earlier, ...answer.answers };
          answered[key] = text;
          break;
        }
        if (given[key] !== undefined) return given;
        terminal.say(`  ${answer.problem}`);
      }
    }
  } finally {
    lines.close();
  }
  return answered;
}

/** Passwords are read without showing them; an empty one leaves the file to be filled in. */
async function askPasswords(accounts: readonly string[], terminal: Terminal): Promise<ReadonlyMap<string, string>> {
  const passwords = new Map<string, string>();
  for (const account of accounts) {
    process.stderr.write(`Password of the test account ${account} (not shown; empty: write it into the file later): `);
    const lines = createInterface({
      input: process.stdin,
      output: new Writable({ write: (_, __, done) => done() }),
      terminal: true,
    });
    const password = await lines.question('');
    lines.close();
    terminal.say('');
    if (password !== '') passwords.set(account, password);
  }
  return passwords;
}
