// `healthmon init DIR`: asks what it has not been told, writes the files, says what comes next.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CONFIG_FILES } from '../site/describe.ts';
import { accountNames, type InitAnswers, init } from '../site/init.ts';
import { writeInit } from '../site/init-write.ts';
import { loadSite } from '../site/load.ts';
import { formatProblems } from '../site/problem.ts';
import { QUESTIONS, readAnswers } from '../site/questions.ts';
import { Stop } from './context.ts';
import { openPrompt, type Prompt } from './prompt.ts';
import type { Terminal } from './terminal.ts';

type Given = Partial<Record<keyof InitAnswers, string>>;

export async function runInit(
  options: Readonly<Record<string, string | boolean | undefined>>,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const dir = resolve(args[0] ?? '.');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value === 'string')) as Given;
  // Nobody is to answer ten questions for nothing.
  refuseIfThere(CONFIG_FILES.map(name => join(dir, name)).filter(path => existsSync(path)));
  using prompt = terminal.isInteractive ? openPrompt('Nothing was written') : undefined;
  const asked = prompt === undefined ? given : await ask(given, prompt, terminal);
  const read = readAnswers(asked);
  if ('problems' in read) {
    const lines = read.problems.map(
      ({ key, problem }) => `  --${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}: ${problem}`,
    );
    throw new Stop(`Cannot write a config yet:\n${lines.join('\n')}`);
  }
  const passwords = prompt === undefined ? new Map<string, string>() : await askPasswords(accountNames(read.answers), prompt);
  const files = init(read.answers, { key: randomBytes(32), passwords });
  const written = await writeInit(dir, files);
  if (written.outcome === 'exists') refuseIfThere(written.files);

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
  terminal.out(`${step++}. Choose who is told, in ${dir}/alarms.cfg: lib/alarm/README.md, five minutes to a tested pager`);
  terminal.out(`${step}. Put it into crontab: healthmon crontab --config ${dir}`);
  return 0;
}

function refuseIfThere(files: readonly string[]): void {
  if (files.length > 0) throw new Stop(`Nothing was written, because there is already: ${files.join(', ')}`);
}

/** Asks what has not been given, in the order of the questions; an answer that cannot be read is asked for again. */
async function ask(given: Given, prompt: Prompt, terminal: Terminal): Promise<Given> {
  const answered: Given = {};
  let earlier: Partial<InitAnswers> = {};
  for (const { key, question, default: fallback, hint, parse } of QUESTIONS) {
    const usual = fallback?.(earlier);
    if (given[key] === undefined) terminal.say(`${question} (${hint})`);
    for (;;) {
      const text = given[key] ?? ((await prompt.ask(usual === undefined ? '> ' : `[${usual || 'none'}] > `)) || usual || '');
      const answer = parse(text, earlier);
      if ('answers' in answer) {
        earlier = { ...earlier, ...answer.answers };
        answered[key] = text;
        break;
      }
      // What was wrong on the command line is told with all else that is.
      if (given[key] !== undefined) return given;
      terminal.say(`  ${answer.problem}`);
    }
  }
  return answered;
}

/** Passwords are read without showing them; an empty one leaves the file to be filled in. */
async function askPasswords(accounts: readonly string[], prompt: Prompt): Promise<ReadonlyMap<string, string>> {
  const passwords = new Map<string, string>();
  for (const account of accounts) {
    const password = await prompt.askSecret(
      `Password of the test account ${account} (not shown; empty: write it into the file later): `,
    );
    if (password !== '') passwords.set(account, password);
  }
  return passwords;
}
