// How fast check_queues counts 200,000 Postfix queue files, against what a person would type, and with ages and domains against qshape.
//
// Long queue ids carry the time of arrival: all ages are true without opening a file. Short ones do not; there a sample is opened, and
// in one row all of them, as qshape does.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { against, type Bench, bounded, type Row } from './bench.ts';
import { interleaved, type Run, whyNoCosts } from './process.ts';

const FILES = 200_000;
const FOLDERS = '0123456789ABCDEF';
const ROUNDS = 5;
const QSHAPE = '/usr/sbin/qshape';

export const queues: Bench = {
  name: 'queues',
  about: 'check_queues on 200,000 queue files against find | wc -l and qshape',
  run: async say => {
    const cannot = whyNoCosts();
    if (cannot !== undefined) return { cannot };
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-queues-'));
    try {
      const rows: Row[] = [];
      for (const ids of ['long', 'short'] as const) {
        say(`queues: making ${FILES} files with ${ids} ids ...`);
        const queue = join(folder, ids);
        fill(queue, ids);
        say(`queues: ${ROUNDS} rounds ...`);
        rows.push(...(await measure(folder, queue, ids)));
        rmSync(queue, { recursive: true });
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(folder: string, queue: string, ids: 'long' | 'short'): Promise<readonly Row[]> {
  const look = (sample: number) => {
    const etc = join(folder, `etc-${ids}-${sample}`);
    mkdirSync(etc, { recursive: true });
    writeFileSync(join(etc, 'host.cfg'), `[queues]\nflavour = "postfix"\ndirectory = "${queue}"\nsample = ${sample}\n`);
    const bin = join(process.cwd(), 'bin', 'check_queues');
    return { argv: [process.execPath, bin, '--json', '--no-record', '--config', etc, '--state', join(folder, 'var')] };
  };
  const costs = await interleaved(
    {
      find: { argv: ['/bin/sh', '-c', `find '${queue}/deferred' -type f | wc -l`] },
      count: look(0),
      look: look(2000),
    },
    ROUNDS,
    (name, ended) => check(name, ended),
  );
  // qshape takes seconds: two rounds, in turns with what it is compared with.
  const other = existsSync(QSHAPE)
    ? await interleaved(
        { look: look(1999), all: look(FILES - 1), qshape: { argv: [QSHAPE, join(queue, 'deferred')] } },
        2,
        (name, ended) => check(name, ended),
      )
    : undefined;
  const find = (ours: number, most?: number) => ({
    ours,
    theirs: costs.find.wallMs,
    unit: 'ms',
    what: 'find | wc -l',
    ...(most === undefined ? {} : { most }),
  });
  const rows = [
    against(`check_queues counting (sample = 0), ${ids} ids`, find(costs.count.wallMs, 1.5)),
    against(`check_queues, ${ids} ids`, find(costs.look.wallMs)),
    bounded(`check_queues, ${ids} ids, memory`, { value: costs.look.peakMb, unit: 'MB', most: 80 }),
  ];
  if (other === undefined) return rows;
  const qshape = (ours: number) => ({ ours, theirs: other.qshape.wallMs, unit: 'ms', what: 'qshape', most: 0.3 });
  const name = ids === 'long' ? 'all ages from ids' : 'a sample of 2000 opened';
  return [
    ...rows,
    against(`check_queues, ${ids} ids, ${name}`, qshape(other.look.wallMs)),
    ...(ids === 'short' ? [against(`check_queues, ${ids} ids, all opened`, qshape(other.all.wallMs))] : []),
  ];
}

function check(name: string, { status, stdout, stderr }: Run): void {
  if (name === 'find') {
    if (Number(stdout) !== FILES) throw new Error(`find counts ${stdout}`);
    return;
  }
  if (name === 'qshape') {
    const total = Number(/^ *TOTAL +(\d+)/m.exec(stdout)?.[1]);
    if (total !== FILES) throw new Error(`qshape counts ${total}: ${stderr}`);
    return;
  }
  if (status > 2) throw new Error(`check_queues ended with ${status}: ${stderr}`);
  const [{ figures, tops }] = JSON.parse(stdout).checks;
  const ages: readonly { count: number }[] = tops['ages in minutes'] ?? [];
  const known = ages.reduce((sum, { count }) => sum + count, 0);
  if (figures['queues.deferred'] !== FILES) throw new Error(`check_queues counts ${figures['queues.deferred']}`);
  if (known === 0 && name !== 'count') throw new Error('check_queues knows no ages');
}

/** Deferred messages of the last three days, in 16 folders. */
function fill(queue: string, ids: 'long' | 'short'): void {
  for (const letter of FOLDERS) mkdirSync(join(queue, 'deferred', letter), { recursive: true });
  const now = Math.floor(Date.now() / 1000);
  for (let n = 0; n < FILES; n += 1) {
    const at = now - 60 - ((n * 7919) % 259_200);
    const letter = FOLDERS[n % 16] ?? '0';
    const name =
      ids === 'long' ? `${base52(at, 6)}${base52(n, 4)}z${base52(n + 4711, 5).replace(/z/g, 'y')}` : `${letter}${hex(n)}`;
    writeFileSync(join(queue, 'deferred', letter, name), queueFile(at, n), { mode: 0o700 });
  }
}

function hex(n: number): string {
  return (n + 0x10_000_000).toString(16).toUpperCase();
}

const DIGITS = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';

function base52(value: number, width: number): string {
  let text = '';
  for (let left = value; left > 0; left = Math.floor(left / 52)) text = DIGITS[left % 52] + text;
  return text.padStart(width, '0');
}

/** Records of a queue file, short ones only. @see src/global/rec_type.h */
function queueFile(at: number, n: number): string {
  const record = (type: string, text: string) => `${type}${String.fromCharCode(text.length)}${text}`;
  const content = `${record('N', 'Subject: x')}${record('N', '')}`;
  const envelope = [
    record(
      'C',
      `${String(content.length).padStart(15)}             210               1               0             592               0`,
    ),
    record('T', `${at} 123456`),
    record('A', 'rewrite_context=local'),
    record('A', `client_address=192.0.2.${n % 250}`),
    record('S', `sender${n % 900}@here.example`),
    record('R', `user${n}@there${n % 300}.example`),
  ];
  return `${envelope.join('')}${record('M', '')}${content}${record('X', '')}${record('E', '')}`;
}
