// `healthmon demo`: the product at work on the embedded site. Every path once, one trip taken apart, then one MMP broken and all
// paths again. What should pass must pass and what should fail must fail: the exit status says whether it did.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TripRecord } from '../model/record.ts';
import { type Path, pathText } from '../model/trip.ts';
import { startSite } from '../standin/site.ts';
import { makeRound } from './round/round.ts';
import type { Terminal } from './terminal.ts';
import { roundTable } from './view/table.ts';
import { headline, tripText } from './view/trip.ts';

const BROKEN = 'smux02';

export async function runDemo(terminal: Terminal): Promise<number> {
  const { bold, dim } = terminal.colours;
  const state = mkdtempSync(join(tmpdir(), 'healthmon-demo-'));
  const standin = await startSite();
  try {
    terminal.out(
      bold('A mail site of its own: two MTAs, two MMPs, two stores, one directory, on loopback ports of this process'),
    );
    terminal.out(
      dim('Every path is walked once: submit through an MTA, fetch through an MMP by POP3 or IMAP, time every step.\n'),
    );
    const walk = (paths: readonly Path[]) => walkAll(terminal, paths, standin.site, state);
    const paths = standin.paths.filter(({ account }) => account !== 'sender');
    const good = await walk(paths);
    terminal.out(roundTable(good));
    terminal.out('');
    const example = good.find(({ trip }) => trip.path.mailbox === 'imap') ?? good[0];
    if (example !== undefined) {
      terminal.out(bold('One of these trips taken apart'));
      terminal.out(`${tripText(example, terminal.colours)}\n`);
    }

    terminal.out(bold(`Now mmp/${BROKEN} is stopped, and every path is walked again`));
    terminal.out('');
    const broken = [
      await standin.breakIt('stopped', `mmp/${BROKEN} pop3`),
      await standin.breakIt('stopped', `mmp/${BROKEN} imap`),
    ];
    const bad = await walk(paths);
    for (const each of broken) await each.mend();
    terminal.out(roundTable(bad));
    terminal.out('');
    const first = bad.find(({ verdict }) => verdict.state === 'failed');
    if (first !== undefined) terminal.out(`${headline(first, terminal.colours)}\n`);
    return conclude(terminal, good, bad);
  } finally {
    await standin.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

async function walkAll(
  terminal: Terminal,
  paths: readonly Path[],
  site: Parameters<typeof makeRound>[1]['site'],
  state: string,
): Promise<readonly TripRecord[]> {
  let done = 0;
  const records = await makeRound(paths, {
    by: 'demo',
    site,
    state,
    signal: new AbortController().signal,
    atOnce: 4,
    onLeg: (path, leg) => terminal.progress(`${done} of ${paths.length} paths walked; ${pathText(path)}: ${leg} ...`),
    onTrip: () => {
      done += 1;
    },
    onNotWritten: message => terminal.say(message),
  });
  terminal.progress('');
  return records;
}

function conclude(terminal: Terminal, good: readonly TripRecord[], bad: readonly TripRecord[]): number {
  const wrong = [
    ...good.filter(({ verdict }) => verdict.state !== 'ok'),
    ...bad.filter(({ trip, verdict }) => (verdict.state === 'failed') !== (trip.path.mmp === BROKEN)),
  ];
  if (wrong.length > 0) {
    terminal.out(terminal.colours.red(`${wrong.length} ${wrong.length === 1 ? 'path' : 'paths'} did not end as it should:`));
    for (const record of wrong) terminal.out(headline(record, terminal.colours));
    return 2;
  }
  const failed = bad.filter(({ verdict }) => verdict.state === 'failed').length;
  terminal.out(`All ${good.length} paths were good, and of the second round exactly the ${failed} over ${BROKEN} failed.`);
  terminal.out(`
Next, for your own site:
  bin/healthmon init my-etc                          asks for your hosts and test accounts
  bin/healthmon config check my-etc                  says what is missing
  bin/check_rndtrip --all --config my-etc            walks every path once
  bin/healthmon crontab --config my-etc              prints the crontab line`);
  return 0;
}
