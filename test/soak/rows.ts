// Writers of a table and a journal that are killed at any moment, one after the other on the same files. What a writer has said that it
// has written is there; a kill damages at most the line that was being written, and no reader takes it for a row.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJournal } from '../../lib/record/journal.ts';
import { parseSystest } from '../../lib/record/systest.ts';
import { bundled } from '../bundle.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';

const DAY = '2026-11-22';
const LONGEST_MS = 60;

export const rows: Claim = {
  name: 'rows',
  promise: '1: no row is lost or torn beyond the one that was being written',
  unit: 'kills',
  short: 8,
  full: 300,
  run: killWriters,
};

async function killWriters({ n, seed, say }: Order): Promise<Outcome> {
  const program = await bundled('test/record/writer.ts');
  const chance = new Chance(seed);
  const state = mkdtempSync(join(tmpdir(), 'healthmon-rows-'));
  const failures: string[] = [];
  const told: string[] = [];
  try {
    for (let kill = 0; kill < n; kill += 1) {
      const name = `k${kill}`;
      const writer = spawn(process.execPath, [program, state, name, '1000000', DAY], { stdio: ['ignore', 'pipe', 'ignore'] });
      let said = '';
      await new Promise<void>(resolve => {
        writer.stdout.on('data', (bytes: Buffer) => {
          said += bytes;
          resolve();
        });
        writer.once('close', () => resolve());
      });
      setTimeout(() => writer.kill('SIGKILL'), chance.next() * LONGEST_MS);
      await new Promise(resolve => writer.once('close', resolve));
      // The last line may have been cut off in the pipe.
      for (const number of said.slice(0, said.lastIndexOf('\n')).split('\n')) told.push(`${name} ${number}`);
      say(`${kill + 1} of ${n} kills`);
    }
    const { days, damaged } = parseSystest(readFileSync(join(state, `systest.log.${DAY}`), 'utf8'));
    const journal = readJournal(state, DAY);
    const table = new Set<string>();
    for (const { account, mta, totalMs } of days.flatMap(day => day.rows)) {
      if (String(totalMs) !== mta) failures.push(`a row of two halves: ${account} ${mta} ${totalMs}`);
      table.add(`${account} ${mta}`);
    }
    const records = new Set(
      journal.records.map(record => (record.type === 'monitor' ? record.text.split(' ').slice(0, 2).join(' ') : '')),
    );
    const lost = told.filter(each => !table.has(each) || !records.has(each));
    if (lost.length > 0)
      failures.push(`${lost.length} rows that were told to be written are not there: ${lost.slice(0, 5).join(', ')}`);
    if (damaged.length + journal.damaged > n) failures.push(`${damaged.length + journal.damaged} damaged lines after ${n} kills`);
    return {
      n,
      failures,
      figures: {
        'rows told to be written': told.length,
        'of these lost': lost.length,
        'damaged lines, all skipped': damaged.length + journal.damaged,
      },
    };
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
