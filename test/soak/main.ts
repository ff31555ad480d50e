// npm run soak: the full form of every claim, and a table of what came of it. Status 1 when one does not hold.

import { CLAIMS } from './list.ts';

const HELP = `Usage: npm run soak [-- [options] [NAME...]]

Tries the promises about crashes, disks, clocks and neighbours in their full form, and prints promise, N, failures and seed.

Options:
  --short      as many as "npm test" makes
  --n N        so many of each
  --seed SEED  repeat a run

Names: ${CLAIMS.map(({ name }) => name).join(' ')} (default: all)
Exit status: 0 all hold, 1 one does not, 3 wrong usage.
`;

process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const names: string[] = [];
  let count: number | 'short' | undefined;
  let seed = Math.floor(Math.random() * 2 ** 31);
  for (let place = 0; place < args.length; place += 1) {
    const word = args[place] ?? '';
    if (word === '-h' || word === '--help') {
      process.stdout.write(HELP);
      return 0;
    }
    if (word === '--short') count = 'short';
    else if (word === '--n' || word === '--seed') {
      place += 1;
      const value = Number(args[place]);
      if (!Number.isInteger(value) || value < 0) return wrong(`${word} wants a whole number`);
      if (word === '--n') count = value;
      else seed = value;
    } else if (CLAIMS.some(({ name }) => name === word)) names.push(word);
    else return wrong(`There is no "${word}"`);
  }
  const chosen = CLAIMS.filter(({ name }) => names.length === 0 || names.includes(name));
  let broken = 0;
  process.stdout.write('| promise | N | failures | seed | measured |\n|---|---|---|---|---|\n');
  for (const { name, promise, unit, short, full, run } of chosen) {
    const began = performance.now();
    const say = (line: string) => progress(`${name}: ${line}`);
    const n = count === 'short' ? short : (count ?? full);
    const { failures, figures, skipped, n: made } = await run({ n, seed, say });
    progress('');
    if (skipped !== undefined) {
      process.stdout.write(`| ${promise} | skipped: ${skipped} | | | |\n`);
      continue;
    }
    if (failures.length > 0) broken += 1;
    const measured = [...Object.entries(figures), ['took', `${((performance.now() - began) / 1000).toFixed(0)} s`]];
    const text = measured.map(([what, figure]) => `${what}: ${figure}`).join('; ');
    process.stdout.write(`| ${promise} | ${made} ${unit} | ${failures.length} | ${seed} | ${text} |\n`);
    for (const failure of failures.slice(0, 20)) process.stderr.write(`${name}: ${failure}\n`);
    if (failures.length > 20) process.stderr.write(`${name}: and ${failures.length - 20} more\n`);
  }
  return broken === 0 ? 0 : 1;
}

function wrong(text: string): number {
  process.stderr.write(`${text}\n${HELP}`);
  return 3;
}

let shown = 0;
function progress(line: string): void {
  if (process.stderr.isTTY !== true) return;
  process.stderr.write(`\r${' '.repeat(shown)}\r${line}`);
  shown = line.length;
}
