// Which source of a secret a section names, and a first reading of all of them when the config is checked.

import { LocalProblem } from '../model/endpoint.ts';
import type { Place, Reporter } from './problem.ts';
import { readKey, readSecret, type SecretContext, type SecretSource } from './secret.ts';
import { SecretProblem } from './secret-problem.ts';
import type { SiteContents } from './site-table.ts';
import type { Entry, Fields } from './table/field.ts';

interface PasswordKeys {
  readonly password_file?: string | undefined;
  readonly password_env?: string | undefined;
  readonly password_credential?: string | undefined;
  readonly password_command?: readonly string[] | undefined;
}

interface KeyKeys {
  readonly key_file?: string | undefined;
  readonly key_env?: string | undefined;
  readonly key_credential?: string | undefined;
}

/** The source of a password; undefined when a section names none. */
export function passwordSource(keys: PasswordKeys): SecretSource | undefined {
  if (keys.password_file !== undefined) return { from: 'file', path: keys.password_file };
  if (keys.password_env !== undefined) return { from: 'environment', name: keys.password_env };
  if (keys.password_credential !== undefined) return { from: 'credential', name: keys.password_credential };
  if (keys.password_command !== undefined) return { from: 'command', command: keys.password_command };
  return undefined;
}

/** The source of the signing key: `site.key` beside site.cfg when none is named. */
export function keySource(keys: KeyKeys): SecretSource {
  if (keys.key_env !== undefined) return { from: 'environment', name: keys.key_env };
  if (keys.key_credential !== undefined) return { from: 'credential', name: keys.key_credential };
  return { from: 'file', path: keys.key_file ?? 'site.key' };
}

interface Use {
  readonly source: SecretSource;
  readonly place: Place;
  readonly read: typeof readKey | typeof readSecret;
}

/** Reads every secret once and notes those that cannot be had, each where it is named first. */
export async function checkSecrets(contents: SiteContents, context: SecretContext, report: Reporter): Promise<void> {
  const uses = secretUses(contents);
  const first = uses.filter(
    (use, i) => uses.findIndex(other => JSON.stringify(other.source) === JSON.stringify(use.source)) === i,
  );
  await Promise.all(
    first.map(async ({ source, place, read }) => {
      try {
        await read(source, context);
      } catch (error) {
        if (!(error instanceof LocalProblem)) throw error;
        report.error(place, error.message, error instanceof SecretProblem ? error.remedy : undefined);
      }
    }),
  );
}

function secretUses(contents: SiteContents): Use[] {
  const uses: Use[] = [];
  const isWritten = (entry: Entry<Fields>, prefix: string): Place | undefined =>
    [...entry.written].find(([key]) => key.startsWith(prefix))?.[1];
  for (const entry of contents.site) {
    // A source that is written and wrong has been told; the default must not be looked for in its place.
    const place = isWritten(entry, 'key_');
    const isSound =
      place === undefined ||
      [entry.draft.key_file, entry.draft.key_env, entry.draft.key_credential].some(key => key !== undefined);
    if (isSound) uses.push({ source: keySource(entry.draft), place: place ?? entry.place, read: readKey });
  }
  for (const entry of [...contents.mta, ...contents.store, ...contents.account, ...contents.balancer, ...contents.directory]) {
    const source = passwordSource(entry.draft);
    if (source !== undefined) uses.push({ source, place: isWritten(entry, 'password_') ?? entry.place, read: readSecret });
  }
  return uses;
}
