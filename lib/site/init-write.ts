// Puts a first set of config files into a folder. What is there already is never touched.

import { lstat, mkdir, open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalProblem } from '../model/endpoint.ts';
import type { InitFile } from './init.ts';
import { reason } from './secret-problem.ts';

export type Written =
  | { readonly outcome: 'written'; readonly files: readonly string[] }
  /** Nothing was written, because these are there. */
  | { readonly outcome: 'exists'; readonly files: readonly string[] };

/**
 * Writes all files or none. Folders are made where they are missing: 0700 for secrets, 0750 else. Secrets get mode 0600, other
 * files 0640, less what the umask takes away.
 *
 * @throws {LocalProblem} when a folder or file cannot be written; what was written before is taken away again.
 */
export async function writeInit(dir: string, files: readonly InitFile[]): Promise<Written> {
  const existing = await existingFiles(dir, files);
  if (existing.length > 0) return { outcome: 'exists', files: existing };
  const written: string[] = [];
  let current = dir;
  try {
    await mkdir(dir, { recursive: true, mode: 0o750 });
    for (const file of files) {
      current = join(dir, file.path);
      if (dirname(current) !== join(dir)) await mkdir(dirname(current), { recursive: true, mode: 0o700 });
      await writeNew(current, file, written);
    }
  } catch (error) {
    for (const path of written) await unlink(path).catch(() => {});
    // From open(): the file has appeared since we looked. From mkdir(): something else has the folder's name.
    const isThere =
      error instanceof Error && 'code' in error && error.code === 'EEXIST' && 'syscall' in error && error.syscall === 'open';
    if (isThere) return { outcome: 'exists', files: [current] };
    throw new LocalProblem(`Cannot write ${current}: ${reason(error)}`);
  }
  return { outcome: 'written', files: written };
}

async function existingFiles(dir: string, files: readonly InitFile[]): Promise<string[]> {
  const paths = files.map(({ path }) => join(dir, path));
  const isThere = await Promise.all(
    paths.map(path =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, i) => isThere[i]);
}

/** `wx` refuses a file that has appeared since we looked, and follows no symbolic link. */
async function writeNew(path: string, { text, isSecret }: InitFile, written: string[]): Promise<void> {
  await using handle = await open(path, 'wx', isSecret ? 0o600 : 0o640);
  written.push(path);
  await handle.writeFile(text);
  await handle.sync();
}
