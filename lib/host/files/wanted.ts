// Files that must be there and how they must be: age, size, owner, group, mode.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { HostFinding } from '../../model/reading.ts';
import type { Gathering, Look } from '../check.ts';
import type { FileWanted } from '../config.ts';
import { deadText } from '../reach.ts';
import { codeOf, textOf } from '../source.ts';
import { type Mount, mayHang, mountOf, parseMounts } from '../sys/mounts.ts';
import { sizeText, spanText } from '../words.ts';

interface FileFacts {
  readonly bytes: number;
  readonly changedAt: number;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits only. */
  readonly mode: number;
}

type Asked = { readonly facts: FileFacts } | { readonly code: string };

const DEADLINE_MS = 5000;

/** A file's facts. On a file system that may hang it is asked beside us; never throws. */
async function askFile({ root, run, deadOn }: Look, path: string, mounts: readonly Mount[]): Promise<Asked> {
  const dead = deadOn(path);
  if (dead !== undefined) return { code: deadText(dead) };
  const mount = mountOf(path, mounts);
  if (mount !== undefined && mayHang(mount.type)) {
    const asked = await run(['stat', '-L', '-c', '%s %Y %u %g %a', '--', path], { deadlineMs: DEADLINE_MS });
    if (asked.ended === 'late') return { code: `${mount.at} (${mount.type}) does not answer in ${DEADLINE_MS / 1000} s` };
    const [bytes, seconds, uid, gid, mode] = asked.ended === 'done' ? asked.stdout.trim().split(' ') : [];
    if (mode === undefined)
      return { code: asked.ended === 'done' && /No such file/.test(asked.stderr) ? 'ENOENT' : 'it cannot be looked at' };
    return {
      facts: {
        bytes: Number(bytes),
        changedAt: Number(seconds) * 1000,
        uid: Number(uid),
        gid: Number(gid),
        mode: Number.parseInt(mode, 8),
      },
    };
  }
  try {
    const { size, mtimeMs, uid, gid, mode } = statSync(join(root, path));
    return { facts: { bytes: size, changedAt: mtimeMs, uid, gid, mode: mode & 0o7777 } };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

export function mountsOf(root: string): readonly Mount[] {
  return parseMounts(textOf(join(root, 'proc/self/mountinfo')) ?? '');
}

export async function lookAtWanted(look: Look, gathered: Gathering, mounts: readonly Mount[]): Promise<void> {
  for (const wanted of look.config.files.files) {
    const asked = await askFile(look, wanted.path, mounts);
    if ('code' in asked) {
      const finding = absent(wanted, asked.code);
      if (finding !== undefined) gathered.findings.push(finding);
      continue;
    }
    const { facts } = asked;
    gathered.add({
      [`files.size_bytes:${wanted.name}`]: facts.bytes,
      [`files.age_s:${wanted.name}`]: Math.max(0, look.at - facts.changedAt) / 1000,
    });
    gathered.findings.push(...judgeFile(wanted, facts, look.at, look.root));
  }
}

function absent({ name, path, mayBeMissing }: FileWanted, code: string): HostFinding | undefined {
  const subject = `file:${name}`;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return mayBeMissing ? undefined : { level: 'critical', subject, text: `${path} is missing` };
  const text = code === 'EACCES' ? `${path} cannot be looked at: this user may not` : `${path} cannot be looked at: ${code}`;
  return { level: 'unknown', subject, text };
}

function judgeFile(wanted: FileWanted, facts: FileFacts, at: number, root: string): readonly HostFinding[] {
  const { name, path, maxAgeMs, minBytes, maxBytes, owner, group, mode } = wanted;
  const findings: HostFinding[] = [];
  const finding = (text: string, remedy?: string) =>
    findings.push({
      level: 'warning',
      subject: `file:${name}`,
      text: `${path} ${text}`,
      ...(remedy === undefined ? {} : { remedy }),
    });
  const age = at - facts.changedAt;
  if (maxAgeMs !== undefined && age > maxAgeMs) finding(`was last changed ${spanText(age)} ago, more than ${spanText(maxAgeMs)}`);
  if (minBytes !== undefined && facts.bytes < minBytes) finding(`has ${sizeText(facts.bytes)}, less than ${sizeText(minBytes)}`);
  if (maxBytes !== undefined && facts.bytes > maxBytes) finding(`has ${sizeText(facts.bytes)}, more than ${sizeText(maxBytes)}`);
  if (owner !== undefined && !isCalled(owner, facts.uid, join(root, 'etc/passwd')))
    finding(`belongs to user ${nameOf(facts.uid, join(root, 'etc/passwd'))}, not ${owner}`, `chown ${owner} '${path}'`);
  if (group !== undefined && !isCalled(group, facts.gid, join(root, 'etc/group')))
    finding(`belongs to group ${nameOf(facts.gid, join(root, 'etc/group'))}, not ${group}`, `chgrp ${group} '${path}'`);
  if (mode !== undefined && facts.mode !== mode)
    finding(`has mode ${octal(facts.mode)}, not ${octal(mode)}`, `chmod ${octal(mode)} '${path}'`);
  return findings;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Name or number, by the local files: an account that only a directory knows is compared by its number. */
function isCalled(name: string, id: number, file: string): boolean {
  return /^\d+$/.test(name) ? Number(name) === id : nameOf(id, file) === name;
}

function nameOf(id: number, file: string): string {
  const line = (textOf(file) ?? '').split('\n').find(each => each.split(':')[2] === String(id));
  return line?.split(':')[0] ?? String(id);
}
