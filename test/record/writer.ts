// Appends rows to one table as fast as it can: `writer STATE NAME COUNT DAY...`. A process of its own, so that it can be many, and killed.

import { appendJournal } from '../../lib/record/journal.ts';
import { SYSTEST, systestRow } from '../../lib/record/systest.ts';
import { appendRow } from '../../lib/record/table.ts';

const [state = '', name = '', count = '0', ...days] = process.argv.slice(2);
for (let n = 0; n < Number(count); n += 1) {
  const day = days[n % days.length] as string;
  appendRow(
    state,
    SYSTEST,
    day,
    systestRow({ time: '00:00:00', account: name, mta: String(n), mmp: 'x', totalMs: n, error: '' }),
  );
  appendJournal(
    state,
    { type: 'monitor', event: 'started', text: `${name} ${n} ${'x'.repeat(n % 300)}` },
    Date.parse(`${day}T12:00:00`),
  );
  process.stdout.write(`${n}\n`);
}
