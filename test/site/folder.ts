// A folder of config files that is gone when the test is.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder, mode 0700. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'healthmon-site-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Files by their path in the folder: text or bytes, or with a mode (0600 when it is under secrets/ or a key, else 0644). */
export async function folderWith(
  files: Readonly<Record<string, string | Uint8Array | { text: string; mode: number }>>,
): Promise<string> {
  const dir = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    const hasMode = typeof content === 'object' && 'mode' in content;
    await mkdir(dirname(join(dir, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(dir, path), hasMode ? content.text : content);
    await chmod(join(dir, path), hasMode ? content.mode : /^secrets\/|\.key$/.test(path) ? 0o600 : 0o644);
  }
  return dir;
}

/** A small site with one component of each needed kind. `more` goes below the key lines of the section it is named for. */
export function siteText(more: { site?: string; mta?: string; mmp?: string; store?: string; below?: string } = {}): string {
  return `[site]
name = "Test"
domain = "example.com"
${more.site ?? ''}
[mta.ssmtp01]
${more.mta ?? ''}
[mmp.smux01]
${more.mmp ?? 'pop3 = {}\nimap = {}'}
[store.ims1]
address = "ims1@example.com"
${more.store ?? 'password_file = "secrets/ims1"'}
${more.below ?? ''}
`;
}

export const SEQUENCE = '00 DMSG -u ims1 -s ssmtp01 -p smux01\n';

/** 32 bytes, as hex. */
export const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
