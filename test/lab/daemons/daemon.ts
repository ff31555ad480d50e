// What every daemon of the lab is to the rest: files made from the list of faults, a command, and how a change reaches it.

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Component } from '../../../lib/model/component.ts';
import type { Faults } from '../faults/place.ts';
import type { Site } from '../site.ts';
import type { Blemish } from '../tls.ts';

/** A file of a daemon's configuration. */
export interface ConfigFile {
  /** Below the lab's directory. */
  readonly path: string;
  readonly text: string;
  /** The group that may read it, besides root; absent: everyone may. */
  readonly group?: string;
}

export interface Daemon {
  /** `ssmtp01/postfix`: the machine and the program. */
  readonly id: string;
  readonly component: Component;
  readonly program: string;
  /** Below the lab's directory. */
  readonly log: string;
  /** Where its standard output goes when that is not its log. */
  readonly output?: string;
  /** False while it listens but is not ready to be used. */
  isReady?(site: Site): Promise<boolean>;
  /** Its whole configuration, with these faults on. */
  files(site: Site, faults: Faults): readonly ConfigFile[];
  /** Makes its directories and data, before its first start. */
  prepare(site: Site): Promise<void>;
  command(site: Site): readonly string[];
  /** True when it may be ended without asking: it keeps nothing, and takes its time when asked. */
  readonly stateless?: boolean;
  /** Files of an earlier run that would keep it from starting, below the lab's directory. */
  readonly leftovers?: readonly string[];
  /** How a changed file takes effect. */
  readonly takes: 'hup' | 'restart';
  /** True when its data, too, depend on the faults and must be made anew before a restart. */
  remake?(site: Site, faults: Faults): Promise<void>;
}

/** Writes what differs. @returns whether anything did. */
export function writeFiles(site: Site, files: readonly ConfigFile[]): boolean {
  let changed = false;
  for (const { path, text, group } of files) {
    const full = site.path(path);
    if (existsSync(full) && readFileSync(full, 'utf8') === text) continue;
    makeFolder(dirname(full));
    writeFileSync(`${full}.new`, text, { mode: group === undefined ? 0o644 : 0o640 });
    chmodSync(`${full}.new`, group === undefined ? 0o644 : 0o640);
    if (group !== undefined) chownSync(`${full}.new`, 0, groupId(group));
    // Postfix waits for a main.cf younger than two seconds to "cool down".
    const earlier = Date.now() / 1000 - 60;
    utimesSync(`${full}.new`, earlier, earlier);
    renameSync(`${full}.new`, full);
    changed = true;
  }
  return changed;
}

export function makeFolder(path: string, mode = 0o755, owner?: string | number, group?: string | number): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  if (owner !== undefined || group !== undefined) {
    const uid = typeof owner === 'string' ? userId(owner) : (owner ?? 0);
    const gid = typeof group === 'string' ? groupId(group) : (group ?? 0);
    chownSync(path, uid, gid);
    chmodSync(path, mode); // chown takes setgid away
  }
}

/** Which kind of certificate a machine shows now. */
export function blemishOf(faults: Faults, component: Component): Blemish {
  if (faults.on('cert-expired', component)) return 'expired';
  if (faults.on('cert-wrong-name', component)) return 'wrong-name';
  if (faults.on('cert-unknown-ca', component)) return 'unknown-ca';
  return 'good';
}

export function tlsFolder(site: Site): string {
  return join(site.dir, 'tls');
}

export function userId(name: string): number {
  return idIn('/etc/passwd', name);
}

export function groupId(name: string): number {
  return idIn('/etc/group', name);
}

function idIn(file: string, name: string): number {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find(each => each.startsWith(`${name}:`));
  const id = Number(line?.split(':')[2] ?? Number.NaN);
  if (Number.isNaN(id)) throw new Error(`No ${name} in ${file}: is its package installed?`);
  return id;
}
