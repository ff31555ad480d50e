// Where passwords and the key may come from, and every way in which that is refused: with words that help, and never the secret.

import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalProblem } from '../../lib/model/endpoint.ts';
import { loadSite } from '../../lib/site/load.ts';
import { readKey, readSecret, type SecretSource } from '../../lib/site/secret.ts';
import { SecretProblem } from '../../lib/site/secret-problem.ts';
import { folderWith, KEY, SEQUENCE, siteText, temporaryFolder } from './folder.ts';

const SECRET = 'hunter2 with blanks';
const isRoot = process.getuid?.() === 0;

interface Trial {
  readonly dir: string;
  readonly source: SecretSource;
  readonly env?: Record<string, string>;
  readonly commandMs?: number;
}

async function trySecret({
  dir,
  source,
  env = { PATH: '/usr/local/bin:/usr/bin:/bin' },
  commandMs = 10_000,
}: Trial): Promise<string> {
  return readSecret(source, { dir, env, commandMs });
}

/** The words of the refusal without the folder, which differs from run to run; and the remedy. */
async function refusal(trial: Trial, read = trySecret): Promise<[string, string | undefined]> {
  const error: unknown = await read(trial).then(
    secret => {
      throw new Error(`expected a refusal, got ${JSON.stringify(secret)}`);
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof SecretProblem)) throw error;
  expect(error).toBeInstanceOf(LocalProblem);
  expect(`${error.message} ${error.remedy} ${error.stack}`).not.toContain('hunter2');
  return [error.message.replaceAll(trial.dir, 'DIR'), error.remedy?.replaceAll(trial.dir, 'DIR')];
}

const file = (path = 'secret'): SecretSource => ({ from: 'file', path });
const command = (...words: string[]): SecretSource => ({ from: 'command', command: words });

test.for([
  [`${SECRET}\n`, SECRET],
  [`${SECRET}\r\n`, SECRET],
  [SECRET, SECRET],
  [`${SECRET}\nsecond line\n`, SECRET],
  ['  blanks stay  \n', '  blanks stay  '],
  ['pässwörd\n', 'pässwörd'],
  [`${'x'.repeat(65_535)}\n`, 'x'.repeat(65_535)],
] as const)('readSecret() takes the first line of a file without its line end: %j', async ([text, secret]) => {
  const dir = await folderWith({ secret: { text, mode: 0o600 } });
  expect(await trySecret({ dir, source: file() })).toBe(secret);
});

test.for([0o600, 0o400, 0o700])('readSecret() takes a file of mode %o', async mode => {
  const dir = await folderWith({ secret: { text: SECRET, mode } });
  if (!isRoot && (mode & 0o400) === 0) return;
  expect(await trySecret({ dir, source: file() })).toBe(SECRET);
});

test.for([
  [0o640, 'read', '0640'],
  [0o604, 'read', '0604'],
  [0o644, 'read', '0644'],
  [0o620, 'written', '0620'],
  [0o602, 'written', '0602'],
  [0o777, 'read', '0777'],
] as const)('readSecret() refuses a file of mode %o, which others can have %s', async ([mode, able, octal]) => {
  const dir = await folderWith({ secret: { text: SECRET, mode } });
  expect(await refusal({ dir, source: file() })).toEqual([
    `Cannot use secret file DIR/secret: it can be ${able} by group or others (mode ${octal})`,
    'chmod 600 DIR/secret',
  ]);
});

test.runIf(isRoot)('readSecret() refuses a file of another owner', async () => {
  const dir = await folderWith({ secret: { text: SECRET, mode: 0o600 } });
  await chown(join(dir, 'secret'), 54_321, 54_321);
  expect(await refusal({ dir, source: file() })).toEqual([
    'Cannot use secret file DIR/secret: it belongs to user id 54321, neither to us (0) nor to root',
    'chown 0 DIR/secret',
  ]);
});

test.for([
  [0o770, false],
  [0o707, false],
  [0o777, false],
  [0o755, true],
  [0o1777, true],
  [0o1770, true],
] as const)('readSecret() judges a file in a folder of mode %o: fit %s', async ([mode, isFit]) => {
  const dir = await folderWith({ 'sub/secret': { text: SECRET, mode: 0o600 } });
  await chmod(join(dir, 'sub'), mode);
  const trial = { dir, source: file('sub/secret') };
  if (isFit) expect(await trySecret(trial)).toBe(SECRET);
  else {
    const octal = mode.toString(8).padStart(4, '0');
    expect(await refusal(trial)).toEqual([
      `Cannot use secret file DIR/sub/secret: its folder DIR/sub can be written to by group or others (mode ${octal})`,
      'chmod go-w DIR/sub',
    ]);
  }
});

test('readSecret() follows a symbolic link, and judges the target and both folders', async () => {
  const dir = await folderWith({ 'real/secret': { text: SECRET, mode: 0o600 } });
  await mkdir(join(dir, 'links'));
  await symlink('../real/secret', join(dir, 'links', 'secret'));
  const trial = { dir, source: file('links/secret') };
  expect(await trySecret(trial)).toBe(SECRET);

  await chmod(join(dir, 'real'), 0o777);
  expect((await refusal(trial))[0]).toContain('its folder DIR/real can be written to');
  await chmod(join(dir, 'real'), 0o700);
  await chmod(join(dir, 'links'), 0o777);
  expect((await refusal(trial))[0]).toContain('its folder DIR/links can be written to');
  await chmod(join(dir, 'links'), 0o700);
  await chmod(join(dir, 'real', 'secret'), 0o644);
  expect((await refusal(trial))[0]).toContain('it can be read by group or others');
});

test.for([
  ['', 'its first line is empty'],
  ['\nsecond\n', 'its first line is empty'],
  ['\r\n', 'its first line is empty'],
  ['hunter2\0x\n', 'it holds a NUL or a carriage return'],
  ['hunter2\rx\n', 'it holds a NUL or a carriage return'],
  ['\u{feff}hunter2\n', 'it begins with a byte order mark'],
  ['hunter2'.repeat(10_000), 'it has 70000 bytes, more than the 65536 that a secret may have'],
] as const)('readSecret() refuses what cannot be a password: %j', async ([text, why]) => {
  const dir = await folderWith({ secret: { text, mode: 0o600 } });
  expect((await refusal({ dir, source: file() }))[0]).toBe(`Cannot use secret file DIR/secret: ${why}`);
});

test('readSecret() refuses a file in another encoding, rather than try a wrong password', async () => {
  const dir = await folderWith({});
  await writeFile(join(dir, 'secret'), Buffer.from('p\xe4ss', 'latin1'), { mode: 0o600 });
  expect((await refusal({ dir, source: file() }))[0]).toBe('Cannot use secret file DIR/secret: it is not UTF-8');
});

test('readSecret() refuses a missing file, a folder and a pipe without waiting', async () => {
  const dir = await folderWith({ 'sub/x': '' });
  execFileSync('mkfifo', ['-m', '600', join(dir, 'pipe')]);
  expect(await refusal({ dir, source: file('no where') })).toEqual([
    'Cannot read secret file DIR/no where: no such file',
    "make it without the secret on a command line: (umask 077; cat > 'DIR/no where'), then type the secret, Enter, Ctrl-D",
  ]);
  expect((await refusal({ dir, source: file('sub') }))[0]).toBe('Cannot use secret file DIR/sub: it is not a regular file');
  expect((await refusal({ dir, source: file('pipe') }))[0]).toBe('Cannot use secret file DIR/pipe: it is not a regular file');
});

test('readSecret() takes an environment variable, and says when there is none', async () => {
  const dir = await temporaryFolder();
  const source: SecretSource = { from: 'environment', name: 'MAIL_PW' };
  expect(await trySecret({ dir, source, env: { MAIL_PW: SECRET } })).toBe(SECRET);
  expect((await refusal({ dir, source, env: {} }))[0]).toBe('Cannot use environment variable MAIL_PW: it is not set');
  expect((await refusal({ dir, source, env: { MAIL_PW: '' } }))[0]).toBe(
    'Cannot use environment variable MAIL_PW: its first line is empty',
  );
});

test('readSecret() takes a systemd credential, whose mode is of no concern', async () => {
  const dir = await folderWith({ 'credentials/ims1': { text: `${SECRET}\n`, mode: 0o440 } });
  const source: SecretSource = { from: 'credential', name: 'ims1' };
  expect(await trySecret({ dir, source, env: { CREDENTIALS_DIRECTORY: join(dir, 'credentials') } })).toBe(SECRET);
  expect(await refusal({ dir, source, env: {} })).toEqual([
    'Cannot use systemd credential ims1: CREDENTIALS_DIRECTORY is not set',
    'start it as a systemd service with LoadCredential=ims1:/path',
  ]);
  expect((await refusal({ dir, source, env: { CREDENTIALS_DIRECTORY: dir } }))[0]).toBe(
    'Cannot read secret file DIR/ims1: no such file',
  );
});

test("readSecret() takes the first line of a command's output, run in the folder of the config", async () => {
  const dir = await folderWith({ pw: `${SECRET}\nmore\n` });
  expect(await trySecret({ dir, source: command('cat', 'pw') })).toBe(SECRET);
});

test('readSecret() gives a command no shell, and PATH, HOME and LANG only', async () => {
  const dir = await temporaryFolder();
  expect(await trySecret({ dir, source: command('echo', '$HOME; `id` > x') })).toBe('$HOME; `id` > x');
  const env = { PATH: '/usr/bin:/bin', HOME: '/home/x', LANG: 'C', HUNTER: 'no', NODE_OPTIONS: '--inspect' };
  const names = await trySecret({ dir, source: command(process.execPath, '-p', 'Object.keys(process.env).sort().join()'), env });
  expect(names).toBe('HOME,LANG,PATH');
});

test('readSecret() refuses a command that fails, and shows nothing of what it said', async () => {
  const dir = await temporaryFolder();
  const remedy =
    'run it by hand as the same user to see what it says: PATH, HOME and LANG are all that it finds in its environment';
  const told = (why: string) => [`Cannot have the password from command 'sh': ${why}`, remedy];
  expect(await refusal({ dir, source: command('sh', '-c', 'echo hunter2; echo hunter2 >&2; exit 7') })).toEqual(
    told('it ended with status 7'),
  );
  expect(await refusal({ dir, source: command('sh', '-c', 'kill -9 $$') })).toEqual(told('it was ended by SIGKILL'));
  expect(await refusal({ dir, source: command('sh', '-c', 'yes hunter2') })).toEqual(told('it printed more than 65536 bytes'));
  expect((await refusal({ dir, source: command('no-such-program-hunter', 'hunter2') }))[0]).toBe(
    "Cannot have the password from command 'no-such-program-hunter': no such file",
  );
  expect((await refusal({ dir, source: command('true') }))[0]).toBe(
    "Cannot use the output of command 'true': its first line is empty",
  );
});

test('readSecret() ends a command at its deadline, with everything that it started', async () => {
  const dir = await temporaryFolder();
  const script = 'echo hunter2; (sleep 60; true) & echo $! > child; sleep 60';
  const began = performance.now();
  const [why] = await refusal({ dir, source: command('sh', '-c', script), commandMs: 400 });
  expect(why).toBe("Cannot have the password from command 'sh': it was not done in 0.4 s");
  expect(performance.now() - began).toBeLessThan(3000);
  const child = Number(execFileSync('cat', [join(dir, 'child')], { encoding: 'utf8' }));
  await expect.poll(() => isAlive(child), { timeout: 2000 }).toBe(false);
});

test('readSecret() does not wait for an agent that a command leaves behind', async () => {
  const dir = await temporaryFolder();
  const began = performance.now();
  expect(await trySecret({ dir, source: command('sh', '-c', `echo '${SECRET}'; sleep 5 & exit 0`), commandMs: 4000 })).toBe(
    SECRET,
  );
  expect(performance.now() - began).toBeLessThan(3000);
});

/** A zombie has been killed too: nobody may be there to fetch it. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(
      execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return false;
  }
}

const bytes = Buffer.from(KEY, 'hex');

test.for([
  ['hex', KEY],
  ['upper-case hex', KEY.toUpperCase()],
  ['base64', bytes.toString('base64')],
  ['base64url', bytes.toString('base64url')],
  ['base64 with a line end', `${bytes.toString('base64')}\r\n`],
] as const)('readKey() takes a key as %s', async ([, text]) => {
  const dir = await folderWith({ 'site.key': text });
  expect(await readKey(file('site.key'), { dir, env: {} })).toEqual(bytes);
});

test.for([
  [KEY.slice(2), 'expected at least 32 bytes, found 31'],
  [bytes.subarray(1).toString('base64'), 'expected at least 32 bytes, found 31'],
  ['hunter2 is no key', 'expected base64 or hex text'],
] as const)('readKey() refuses %j', async ([text, why]) => {
  const dir = await folderWith({ 'site.key': text });
  const read = async () => (await readKey(file('site.key'), { dir, env: {} })).toString('hex');
  expect(await refusal({ dir, source: file('site.key') }, read)).toEqual([
    `Cannot use secret file DIR/site.key as signing key: ${why}`,
    'make one: openssl rand -base64 32',
  ]);
});

test('readKey() says how to make a key that is missing', async () => {
  const dir = await temporaryFolder();
  const read = async () => (await readKey(file('site.key'), { dir, env: {} })).toString('hex');
  expect((await refusal({ dir, source: file('site.key') }, read))[1]).toBe(
    'make it without the secret on a command line: (umask 077; openssl rand -base64 32 > DIR/site.key)',
  );
});

test('loadSite() with secrets reads every secret and tells each that cannot be had where it is named', async () => {
  const dir = await folderWith({
    'site.cfg': siteText({
      site: 'key_credential = "key"',
      mta: 'user = "u"\npassword_command = ["false"]',
      below: `[account.a]
store = "ims1"
address = "a@example.com"
password_env = "A_PW"
[directory.d]
url = "ldaps://d"
base = ""
bind_dn = "cn=x"
password_file = "secrets/ims1"
[directory.e]
url = "ldaps://e"
base = ""
bind_dn = "cn=x"
password_env = "E_PW"`,
    }),
    'sequence.cfg': `${SEQUENCE}05 DMSG -u a -s ssmtp01 -p smux01\n`,
    'secrets/ims1': { text: 'x', mode: 0o644 },
    key: { text: 'c2hvcnQ=', mode: 0o600 },
  });
  const env = { PATH: '/usr/bin:/bin', CREDENTIALS_DIRECTORY: dir, E_PW: 'x' };
  const { site, problems } = await loadSite(dir, { secrets: true, env });
  expect(site).toBeUndefined();
  expect(problems.map(({ line, severity, text }) => [line, severity, text.replaceAll(dir, 'DIR')])).toEqual([
    [4, 'error', 'Cannot use systemd credential key as signing key: expected at least 32 bytes, found 5'],
    [7, 'error', "Cannot have the password from command 'false': it ended with status 1"],
    [13, 'error', 'Cannot use secret file DIR/secrets/ims1: it can be read by group or others (mode 0644)'],
    [17, 'error', 'Cannot use environment variable A_PW: it is not set'],
  ]);
  expect((await loadSite(dir, { secrets: false, env })).problems).toEqual([]);
});

test('a log-in reads its secret when it is used, and again the next time', async () => {
  const dir = await folderWith({ 'site.cfg': siteText(), 'sequence.cfg': SEQUENCE, 'secrets/ims1': 'one\n', 'site.key': KEY });
  const { site, problems } = await loadSite(dir, { secrets: true });
  expect(problems).toEqual([]);
  const login = site?.accounts.get('ims1')?.login;
  expect(await login?.secret()).toBe('one');
  await writeFile(join(dir, 'secrets', 'ims1'), 'two\n');
  expect(await login?.secret()).toBe('two');
  expect(await site?.key()).toEqual(bytes);
  expect(JSON.stringify([...(site?.accounts ?? [])])).not.toContain('two');
});
