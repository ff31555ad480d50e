// Runs every command once on the embedded site, each in a process of its own that keeps what was compiled: node rehearse.mjs DIST. The
// build calls it last.
//
// What a rehearsal does not reach is compiled when it is used, as ever: one that fails, or has no loopback to listen on, costs a few
// milliseconds of each start and nothing else. It sends nothing anywhere but to itself and leaves nothing behind.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { replaceFile } from '../record/replace.ts';
import { type StandinSite, startSite } from '../standin/site.ts';

/** Longer than any of them takes on a machine that is busy. */
const MOST_MS = 30_000;

/** One message through Postfix. */
const LOG = `2026-11-22T09:00:00.000000+00:00 mx1 postfix/smtpd[101]: 4cX1Y23wM4z5Tq: client=client.example[192.0.2.1]
2026-11-22T09:00:00.100000+00:00 mx1 postfix/cleanup[102]: 4cX1Y23wM4z5Tq: message-id=<1@here.example>
2026-11-22T09:00:00.200000+00:00 mx1 postfix/qmgr[103]: 4cX1Y23wM4z5Tq: from=<a@here.example>, size=1000, nrcpt=1 (queue active)
2026-11-22T09:00:00.300000+00:00 mx1 postfix/smtp[104]: 4cX1Y23wM4z5Tq: to=<b@there.example>, relay=there.example[192.0.2.2]:25, delay=0.3, delays=0.1/0/0.1/0.1, dsn=2.0.0, status=sent (250 ok)
2026-11-22T09:00:00.400000+00:00 mx1 postfix/qmgr[103]: 4cX1Y23wM4z5Tq: removed
`;

const dist = process.argv[2] ?? '.';
const place = mkdtempSync(join(tmpdir(), 'healthmon-rehearsal-'));
try {
  const site = await startSite();
  try {
    write(site);
    await Promise.all(Object.entries(commands()).map(([name, args]) => rehearse(name, args)));
  } finally {
    await site.stop();
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

/** What cron starts most, and what people wait for. */
function commands(): Readonly<Record<string, readonly string[]>> {
  const state = (name: string) => ['--state', join(place, name)];
  const site = ['--config', place];
  const host = ['--json', '--no-record', '--config', join(place, 'host')];
  return {
    healthmon: ['config', 'check', place],
    runmonitor: [...site, ...state('one'), '-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', 'imap'],
    check_rndtrip: [...site, ...state('all'), '--all', '--json'],
    check_queues: [...host, ...state('queues')],
    smtpstats: ['--counters', ...state('log'), join(place, 'mail.log')],
    ...Object.fromEntries(['sys', 'mconn', 'procs'].map(name => [`check_${name}`, [...host, ...state(name)]])),
    check_files: ['--help'],
    check_ldap: [...site, ...state('ldap'), '--json', '--no-record'],
  };
}

function write(site: StandinSite): void {
  const queue = join(place, 'queue', 'deferred', 'A');
  mkdirSync(queue, { recursive: true });
  replaceFile(join(queue, 'A10000000'), '');
  const files = [
    ...site.files(),
    { name: 'sequence.cfg', text: sequence(site), mode: 0o640 },
    {
      name: 'host/host.cfg',
      text: `[queues]\nflavour = "postfix"\ndirectory = ${JSON.stringify(join(place, 'queue'))}\n`,
      mode: 0o640,
    },
    { name: 'mail.log', text: LOG, mode: 0o640 },
  ];
  for (const { name, text, mode } of files) {
    const file = join(place, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    replaceFile(file, text, mode);
  }
}

/** The remark and the first two entries: a path by each protocol. */
function sequence(site: StandinSite): string {
  const { text = '' } = site.files().find(({ name }) => name === 'sequence.cfg') ?? {};
  return text.split('\n').slice(0, 3).join('\n');
}

function rehearse(name: string, args: readonly string[]): Promise<void> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(dist, 'keep.cjs'), name, ...args], {
      cwd: place,
      env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR },
      stdio: 'ignore',
      timeout: MOST_MS,
      killSignal: 'SIGKILL',
    });
    child.on('error', error => {
      complain(name, error.message);
      resolve();
    });
    child.on('close', (status, signal) => {
      // How well this machine is has nothing to do with it.
      if (status !== 0 && !name.startsWith('check_')) complain(name, `it ended with ${signal ?? status}`);
      resolve();
    });
  });
}

function complain(name: string, why: string): void {
  process.stderr.write(`${name} will start a little slower, because its rehearsal did not go well: ${why}\n`);
}
