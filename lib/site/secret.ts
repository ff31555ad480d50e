// Passwords and the signing key: read at the moment of use, from a file, the environment, a systemd credential or a program's
// output. What is read is never kept, logged or put into an error.

import { resolve } from 'node:path';
import { utf8 } from './encoding.ts';
import { runSecretCommand } from './secret-command.ts';
import { readSecretFile } from './secret-file.ts';
import { SecretProblem } from './secret-problem.ts';

export type SecretSource =
  /** Relative to the folder of site.cfg. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'environment'; readonly name: string }
  | { readonly from: 'credential'; readonly name: string }
  | { readonly from: 'command'; readonly command: readonly string[] };

export interface SecretContext {
  /** The folder of site.cfg, absolute. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a command may take; 10 s when absent. */
  readonly commandMs?: number;
}

const COMMAND_MS = 10_000;

/** Bytes of the signing key at the least: as many as SHA-256 has (RFC 2104 section 3). */
const MIN_KEY_BYTES = 32;
const MAKE_KEY = 'openssl rand -base64 32';

/**
 * The password: the first line of what the source holds, without its line end.
 *
 * @param make a command that makes such a secret, for the remedy when its file is missing
 * @throws {SecretProblem} when the source cannot be read or holds nothing that can be sent as a password.
 */
export async function readSecret(source: SecretSource, context: SecretContext, make?: string): Promise<string> {
  const where = sourceText(source, context);
  const bytes = await readSource(source, context, make);
  const text = utf8(bytes);
  if (text === undefined) throw new SecretProblem(`Cannot use ${where}: it is not UTF-8`);
  const line = /^[^\n]*/.exec(text)?.[0].replace(/\r$/, '') ?? '';
  if (line === '')
    throw new SecretProblem(`Cannot use ${where}: its first line is empty`, 'the secret stands alone on the first line');
  if (line.startsWith('\u{feff}'))
    throw new SecretProblem(`Cannot use ${where}: it begins with a byte order mark`, 'save it without one');
  // RFC 4616 forbids NUL; the others would end a command too early.
  if (/[\0\r]/.test(line)) throw new SecretProblem(`Cannot use ${where}: it holds a NUL or a carriage return`);
  return line;
}

/**
 * The site's signing key: at least 32 bytes, written as base64 or hex on one line.
 *
 * @throws {SecretProblem} when it cannot be read, is neither, or is too short.
 */
export async function readKey(source: SecretSource, context: SecretContext): Promise<Buffer> {
  const key = decodeKey((await readSecret(source, context, MAKE_KEY)).trim());
  const where = sourceText(source, context);
  const remedy = `make one: ${MAKE_KEY}`;
  if (key === undefined) throw new SecretProblem(`Cannot use ${where} as signing key: expected base64 or hex text`, remedy);
  if (key.length < MIN_KEY_BYTES)
    throw new SecretProblem(
      `Cannot use ${where} as signing key: expected at least ${MIN_KEY_BYTES} bytes, found ${key.length}`,
      remedy,
    );
  return key;
}

/** Text of hex digits only is hex: as base64 it would be a key that nobody meant. */
function decodeKey(text: string): Buffer | undefined {
  if (/^(?:[0-9A-Fa-f]{2})+$/.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) || /^[A-Za-z0-9_-]+={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  return undefined;
}

/** Where the secret was looked for, for messages: `secret file /etc/healthmon/secrets/ims1`. */
function sourceText(source: SecretSource, { dir }: SecretContext): string {
  switch (source.from) {
    case 'file':
      return `secret file ${resolve(dir, source.path)}`;
    case 'environment':
      return `environment variable ${source.name}`;
    case 'credential':
      return `systemd credential ${source.name}`;
    case 'command':
      return `the output of command '${source.command[0] ?? ''}'`;
    default:
      return source satisfies never;
  }
}

async function readSource(
  source: SecretSource,
  { dir, env, commandMs }: SecretContext,
  make: string | undefined,
): Promise<Buffer> {
  switch (source.from) {
    case 'file':
      return readSecretFile(resolve(dir, source.path), { isPrivate: true, ...(make === undefined ? {} : { make }) });
    case 'environment': {
      const value = env[source.name];
      if (value === undefined)
        throw new SecretProblem(
          `Cannot use environment variable ${source.name}: it is not set`,
          'cron and systemd start with an environment of their own: a file is usually simpler',
        );
      return Buffer.from(value);
    }
    case 'credential': {
      const folder = env.CREDENTIALS_DIRECTORY;
      if (folder === undefined || folder === '') {
        throw new SecretProblem(
          `Cannot use systemd credential ${source.name}: CREDENTIALS_DIRECTORY is not set`,
          `start it as a systemd service with LoadCredential=${source.name}:/path`,
        );
      }
      return readSecretFile(resolve(folder, source.name), { isPrivate: false });
    }
    case 'command':
      return runSecretCommand(source.command, { cwd: dir, env, deadlineMs: commandMs ?? COMMAND_MS });
    default:
      return source satisfies never;
  }
}
