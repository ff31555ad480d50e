// Debian's pflogsumm as a second opinion: found on this machine or unpacked once into node_modules/.cache, run, and its report read.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALLED = '/usr/sbin/pflogsumm';
const CACHED = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'healthmon', 'pflogsumm');

/** Where it is; undefined when it is not installed and cannot be fetched (no Debian, no network). */
export async function findPflogsumm(): Promise<string | undefined> {
  if (existsSync(INSTALLED)) return INSTALLED;
  if (existsSync(CACHED)) return CACHED;
  const folder = mkdtempSync(join(tmpdir(), 'healthmon-pflogsumm-'));
  try {
    await run('apt-get', ['-q', 'download', 'pflogsumm'], { cwd: folder, timeout: 60_000 });
    const packed = readdirSync(folder).find(name => name.endsWith('.deb'));
    await run('dpkg', ['-x', join(folder, packed ?? 'pflogsumm.deb'), join(folder, 'files')]);
    mkdirSync(dirname(CACHED), { recursive: true });
    renameSync(join(folder, 'files', INSTALLED), CACHED);
    return CACHED;
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface PflogsummReport {
  /** By the words of "Grand Totals". */
  readonly totals: Readonly<Record<string, number>>;
  /** By hour of the day: received, delivered, deferred, bounced, rejected; of logs of one day only, else it prints averages. */
  readonly hours: readonly (readonly number[])[];
}

/** @throws when it ends with an error */
export async function pflogsumm(program: string, log: string): Promise<PflogsummReport> {
  const { stdout } = await run('perl', [program, '-h', '0', '-u', '0', log], { maxBuffer: 64 << 20 });
  const totals: Record<string, number> = {};
  for (const [, value, unit, words] of stdout.matchAll(
    /^ {1,6}(\d+)([ km]) {2}([a-z /]+?)(?: {2}\(\d+[ km] deferrals\)| \(\d+%\))?$/gm,
  ))
    totals[words ?? ''] ??= scaled(value, unit);
  const deferrals = /\((\d+)([ km]) deferrals\)/.exec(stdout);
  totals.deferrals = scaled(deferrals?.[1], deferrals?.[2]);
  const hours = [...stdout.matchAll(/^ {4}\d{4}-\d{4} ((?: +\d+[ km])+)$/gm)].map(([, cells]) =>
    [...(cells ?? '').matchAll(/(\d+)([ km])/g)].map(([, value, unit]) => scaled(value, unit)),
  );
  return { totals, hours };
}

/** It writes `512k` for what is above 512 * 1024, `512m` above 512 MiB. */
function scaled(value: string | undefined, unit: string | undefined): number {
  return Number(value ?? 0) * (unit === 'm' ? 1024 ** 2 : unit === 'k' ? 1024 : 1);
}
