// `npm run bench [-- NAME...]`: how fast we are, as ratios to programs that people know, and how true our times are.
//
// Everything is measured in one run on one machine; nothing counts before its result was checked. Exit status: 0 all goals met,
// 1 a goal missed, 2 a bench broke (a wrong result), 3 usage.

import { loadavg } from 'node:os';
import { alarm } from './alarm.ts';
import { arrival } from './arrival.ts';
import { type Bench, type Row, tableOf } from './bench.ts';
import { hop } from './hop.ts';
import { maillog } from './maillog.ts';
import { queues } from './queues.ts';
import { report } from './report.ts';
import { round } from './round.ts';
import { roundtrip } from './roundtrip.ts';
import { start } from './start.ts';

/** A bench is a file of this folder and its word here. */
const BENCHES: readonly Bench[] = [start, roundtrip, arrival, hop, round, alarm, queues, maillog, report];

const say = (text: string) => process.stderr.write(`${text}\n`);
const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !BENCHES.some(bench => bench.name === name));
if (unknown.length > 0) {
  say(`expected names of benches, not "${unknown.join(' ')}":`);
  for (const { name, about } of BENCHES) say(`  ${name.padEnd(10)} ${about}`);
  process.exit(3);
}

let worst = 0;
const rows: Row[] = [];
for (const bench of BENCHES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  try {
    const result = await bench.run(say);
    if ('cannot' in result) say(`${bench.name}: left out: ${result.cannot}`);
    else rows.push(...result);
  } catch (error) {
    say(`${bench.name}: broke off: ${error instanceof Error ? error.stack : String(error)}`);
    worst = 2;
  }
}
const missed = rows.filter(({ met }) => met === false).length;
const met = rows.filter(({ met }) => met === true).length;
console.log(tableOf(rows));
console.log(`\n${met} met, ${missed} missed; Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(2)}`);
process.exit(Math.max(worst, missed > 0 ? 1 : 0));
