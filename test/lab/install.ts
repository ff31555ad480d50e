// `lab install`: puts the daemons on this machine (Debian, Ubuntu; root), and nothing else. It promises:
// no service starts, now or at the next boot; no question is asked; no package is removed, so a mail server that is there
// stays; an existing policy-rc.d is put back on every way out. When nothing is missing it only looks.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GUESTS,
  GUESTS_FOLDER,
  guestFile,
  type Installed,
  installedPackages,
  missingGuests,
  missingPackages,
  PACKAGES,
  PRIVATE_POSTFIX,
} from './packages.ts';
import { LabError, run } from './run.ts';

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_KEPT = '/usr/sbin/policy-rc.d.kept-by-healthmon-lab';
const POLICY_OURS = '#!/bin/sh\n# healthmon lab install: no service starts while it runs\nexit 101\n';
const APT = ['-o', 'Dpkg::Use-Pty=0', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=120', '-q'];
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  LC_ALL: 'C',
};
/** Answers for a first installation only; packages that are there keep theirs. */
const ANSWERS: Readonly<Record<string, string>> = {
  postfix: 'postfix postfix/main_mailer_type select No configuration',
  slapd: 'slapd slapd/no_configuration boolean true',
};

/** @returns the versions, one line each. */
export async function install(say: (text: string) => void): Promise<string[]> {
  requireDebian();
  putPolicyBack(); // a run that was killed may have left ours
  await installPackages(say);
  await unpackGuests(say);
  return versions(await installedPackages());
}

async function installPackages(say: (text: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  say(`Missing: ${missing.join(' ')}`);
  const before = await installedPackages();
  const mta = otherMta(before);
  const wanted = mta === undefined ? missing : missing.filter(name => !name.startsWith('postfix'));
  await withoutServices(async () => {
    await refreshLists(missing, say);
    if (wanted.length > 0) await installByApt(wanted, before, say);
    if (mta !== undefined && wanted.length < missing.length) await unpackPostfix(mta, say);
  });
  const after = await installedPackages();
  await keepOffAtBoot([...after.keys()].filter(name => !before.has(name)));
  const still = missingPackages();
  if (still.length > 0) throw new LabError(`Installed, but still not there: ${still.join(' ')}`);
}

function requireDebian(): void {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) || !existsSync('/usr/bin/apt-get')) {
    throw new LabError(
      `Cannot install here: this command knows Debian and Ubuntu only. By other means, these programs are needed: ${Object.values(PACKAGES).join(' ')}`,
    );
  }
  if (process.getuid?.() !== 0)
    throw new LabError('Cannot install packages as an ordinary user: try sudo npm run lab -- install');
}

/** The installed mail server, unless it is Postfix. */
function otherMta(installed: ReadonlyMap<string, Installed>): string | undefined {
  if (installed.has('postfix')) return undefined;
  for (const { name, provides } of installed.values()) if (/(^|[ ,])mail-transport-agent\b/.test(provides)) return name;
  return undefined;
}

async function refreshLists(packages: readonly string[], say: (text: string) => void): Promise<void> {
  const { stdout } = await run(['apt-cache', 'policy', ...packages], { env: ENV });
  const known = stdout.match(/^ {2}Candidate: (?!\(none\))/gm)?.length ?? 0;
  if (known >= packages.length) return;
  say('Reading package lists (apt-get update) ...');
  await run(['apt-get', ...APT, 'update'], { env: ENV, limitMs: 300_000 });
}

async function installByApt(
  packages: readonly string[],
  before: ReadonlyMap<string, Installed>,
  say: (text: string) => void,
): Promise<void> {
  const command = ['apt-get', ...APT, 'install', '-y', '--no-install-recommends', '--no-upgrade', '--no-remove'];
  const trial = await run([...command, '-s', ...packages], { env: ENV, anyStatus: true });
  if (/^Remv /m.test(trial.stdout) || /--no-remove|trivial only/i.test(trial.stderr)) {
    const lost = [...trial.stdout.matchAll(/^Remv (\S+)/gm)].map(match => match[1]).join(' ');
    throw new LabError(`Cannot install ${packages.join(' ')} without removing ${lost || 'other packages'}: nothing was changed`);
  }
  const answers = Object.entries(ANSWERS).filter(([name]) => packages.includes(name) && !before.has(name));
  if (answers.length > 0 && existsSync('/usr/bin/debconf-set-selections')) {
    await run(['debconf-set-selections'], { env: ENV, input: `${answers.map(([, line]) => line).join('\n')}\n` });
  }
  say(`Installing ${packages.join(' ')} (no service will start) ...`);
  const first = await run([...command, ...packages], { env: ENV, limitMs: 900_000, anyStatus: true, sheltered: true });
  if (first.status === 0) return;
  say('That failed; once more with fresh package lists ...');
  await run(['apt-get', ...APT, 'update'], { env: ENV, limitMs: 300_000 });
  await run([...command, ...packages], { env: ENV, limitMs: 900_000, sheltered: true });
}

/** Exim and sendmail for their queues: their files, once; their libraries from the distribution; not their packages. */
async function unpackGuests(say: (text: string) => void): Promise<void> {
  if (missingGuests().length === 0) return;
  const names = Object.keys(GUESTS);
  say(`Unpacking ${names.join(' ')} into ${GUESTS_FOLDER} ...`);
  await refreshLists(names, say);
  await withoutServices(async () => unpack(names, GUESTS_FOLDER, say));
  const still = missingGuests();
  // Where a distribution puts them elsewhere, the lab runs all the same.
  if (still.length > 0) say(`Unpacked, but not where they were looked for: ${still.join(' ')}`);
}

/** The files of packages in a folder of their own, with the libraries that they need installed by apt. */
async function unpack(names: readonly string[], target: string, say: (text: string) => void): Promise<void> {
  const { stdout } = await run(['apt-cache', 'show', '--no-all-versions', ...names], { env: ENV });
  const libraries = [...stdout.matchAll(/^(?:Pre-)?Depends: (.*)$/gm)]
    .flatMap(match => (match[1] ?? '').split(','))
    .map(item => item.trim().split(/[ (|]/)[0] ?? '')
    .filter(name => /^lib/.test(name) || name === 'netbase');
  const there = await installedPackages();
  const lacking = [...new Set(libraries)].filter(name => !there.has(name));
  if (lacking.length > 0) await installByApt(lacking, new Map(), say);
  const folder = mkdtempSync(join(tmpdir(), 'healthmon-lab-deb-'));
  try {
    chmodSync(folder, 0o777); // apt downloads as its own user
    await run(['apt-get', ...APT, 'download', ...names], { env: ENV, cwd: folder, limitMs: 300_000 });
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const file of readdirSync(folder).filter(name => name.endsWith('.deb')))
      await run(['dpkg', '-x', join(folder, file), target]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Postfix beside another MTA: its files, its libraries from the distribution, its two accounts; not its package. */
async function unpackPostfix(mta: string, say: (text: string) => void): Promise<void> {
  say(`${mta} is installed and stays: Postfix' files go to ${PRIVATE_POSTFIX} instead of being installed as a package`);
  await unpack(['postfix', 'postfix-ldap'], PRIVATE_POSTFIX, say);
  mkdirSync('/usr/lib/postfix', { recursive: true }); // the place over which the daemons bind their own libraries
  const has = async (database: string, name: string) => (await run(['getent', database, name], { anyStatus: true })).status === 0;
  if (!(await has('group', 'postfix'))) await run(['groupadd', '--system', 'postfix']);
  if (!(await has('group', 'postdrop'))) await run(['groupadd', '--system', 'postdrop']);
  if (!(await has('passwd', 'postfix'))) {
    await run([
      'useradd',
      '--system',
      '--gid',
      'postfix',
      '--no-create-home',
      '--home-dir',
      '/var/spool/postfix',
      '--shell',
      '/usr/sbin/nologin',
      'postfix',
    ]);
  }
}

/** Runs `work` while policy-rc.d forbids every start; the old policy comes back on every way out. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  // A signal is obeyed once dpkg is done: packages half set up, or set up without the policy, would be worse.
  let told: number | undefined;
  const remember = (signal: NodeJS.Signals) => {
    told = signal === 'SIGINT' ? 130 : 143;
  };
  process.on('SIGINT', remember).on('SIGTERM', remember).on('SIGHUP', remember);
  if (existsSync(POLICY)) renameSync(POLICY, POLICY_KEPT);
  try {
    writeFileSync(POLICY, POLICY_OURS, { mode: 0o755 });
    await work();
  } finally {
    putPolicyBack();
    process.off('SIGINT', remember).off('SIGTERM', remember).off('SIGHUP', remember);
    if (told !== undefined) process.exit(told);
  }
}

function putPolicyBack(): void {
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') === POLICY_OURS) rmSync(POLICY);
  if (existsSync(POLICY_KEPT)) renameSync(POLICY_KEPT, POLICY);
}

/** Services of packages that we brought do not start at the next boot either; those that were there are not touched. */
async function keepOffAtBoot(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  const { stdout } = await run(['dpkg', '-L', ...packages], { anyStatus: true });
  const services = new Set<string>();
  for (const file of stdout.split('\n')) {
    const name =
      /^\/etc\/init\.d\/([\w.-]+)$/.exec(file)?.[1] ?? /^(?:\/usr)?\/lib\/systemd\/system\/([\w.-]+)\.service$/.exec(file)?.[1];
    if (name !== undefined) services.add(name);
  }
  for (const name of services) {
    if (existsSync(`/etc/init.d/${name}`)) await run(['update-rc.d', name, 'disable'], { anyStatus: true });
    if (existsSync('/usr/bin/systemctl')) await run(['systemctl', 'disable', name], { anyStatus: true });
  }
}

function versions(installed: ReadonlyMap<string, Installed>): string[] {
  return [...Object.keys(PACKAGES), ...Object.keys(GUESTS)].map(name => {
    if (Object.hasOwn(GUESTS, name))
      return `${name.padEnd(18)} ${existsSync(guestFile(name)) ? `unpacked in ${GUESTS_FOLDER}` : 'not there'}`;
    const version =
      installed.get(name)?.version ?? (name.startsWith('postfix') ? `unpacked in ${PRIVATE_POSTFIX}` : 'not by dpkg');
    return `${name.padEnd(18)} ${version}`;
  });
}
