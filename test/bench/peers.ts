// Programs of others to measure against: Debian packages, unpacked into a folder of ours. Nothing is installed, nothing of the
// system is changed; what was fetched once is not fetched again.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'healthmon-bench');

export type Unpacked = { readonly root: string; readonly version: string } | { readonly cannot: string };

/** @param packages the first one is what `version` tells @returns where the packages' files are, as if that folder were `/` */
export function unpacked(name: string, packages: readonly string[]): Unpacked {
  const root = join(CACHE, name);
  const list = join(root, '.packages');
  if (!existsSync(list)) {
    mkdirSync(CACHE, { recursive: true });
    const fresh = mkdtempSync(join(CACHE, 'fetching-'));
    try {
      const fetched = spawnSync('apt-get', ['download', '-qq', ...packages], { cwd: fresh, encoding: 'utf8' });
      if (fetched.status !== 0) return { cannot: `apt-get download ${packages.join(' ')}: ${reason(fetched)}` };
      const files = readdirSync(fresh).filter(file => file.endsWith('.deb'));
      for (const file of files) {
        const unpack = spawnSync('dpkg', ['-x', file, fresh], { cwd: fresh, encoding: 'utf8' });
        if (unpack.status !== 0) return { cannot: `dpkg -x ${file}: ${reason(unpack)}` };
        rmSync(join(fresh, file));
      }
      writeFileSync(
        join(fresh, '.packages'),
        files.map(file => file.replace(/_[a-z0-9]+\.deb$/, '').replace('_', ' ')).join('\n'),
      );
      rmSync(root, { recursive: true, force: true });
      renameSync(fresh, root);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const versions = decodeURIComponent(readFileSync(list, 'utf8')).split('\n');
  return { root, version: versions.find(line => line.startsWith(`${packages[0]} `)) ?? '' };
}

function reason({ error, stderr }: { error?: Error | undefined; stderr: string | null }): string {
  return error?.message ?? (stderr ?? '').trim().split('\n').at(-1) ?? '';
}
