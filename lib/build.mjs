// Installs what is missing and builds the commands: all that a fresh clone needs, and nothing on a second call.
//
//   node lib/build.mjs            the commands, into dist/
//   node lib/build.mjs --tests    and the test lab's own command
//
// Plain JavaScript, Node's own modules only, because it runs before anything is installed. Everything it prints goes to
// stderr. It works from a path with blanks, as an ordinary user, and when HOME cannot be written (npm then gets a cache of
// its own inside node_modules).

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const withTests = process.argv.includes('--tests') || existsSync(join(root, 'dist', 'test', 'lab.js')); // what was built once stays built

requireNode(20, 19);
installPackages();
await buildCommands();

function requireNode(major, minor) {
  const [a = 0, b = 0] = process.versions.node.split('.').map(Number);
  if (a > major || (a === major && b >= minor)) return;
  fail(
    `Cannot run on Node ${process.versions.node}: ${major}.${minor} or newer is needed (https://nodejs.org, or your distribution)`,
  );
}

/** Runs `npm ci` when node_modules does not match package-lock.json; install scripts of packages are never run. */
function installPackages() {
  const lock = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.healthmon-installed');
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // `npm install` and `npm ci` call this file as their "prepare" step, with the packages already in place.
  if (process.env.npm_lifecycle_event === 'prepare' && existsSync(join(root, 'node_modules', 'esbuild'))) {
    writeFileSync(stamp, wanted);
    return;
  }
  say('Installing packages (once, about 15 seconds) ...');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'];
  const cache = writableNpmCache();
  if (cache !== undefined) args.push('--cache', cache);
  // npm writes its result to stdout; ours belongs to the command that follows, so it goes to stderr.
  const npm = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], env: withoutNpmSettings() });
  if (npm.error) fail(`Cannot run npm: ${npm.error.message}`);
  if (npm.status !== 0) fail(`Cannot install the packages: npm ci ended with status ${npm.status}; its own message stands above`);
  if (cache !== undefined) rmSync(cache, { recursive: true, force: true });
  writeFileSync(stamp, wanted);
}

/** A cache folder inside the project when npm's usual one cannot be written; undefined when it can. */
function writableNpmCache() {
  const usual = process.env.npm_config_cache ?? join(homedir(), '.npm');
  let place = usual;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return join(root, 'node_modules.cache');
  }
}

/** `npm run` hands its own settings down in the environment; `omit=dev` among them would leave out what the build needs. */
function withoutNpmSettings() {
  const env = { ...process.env };
  for (const name of ['npm_config_omit', 'npm_config_production', 'npm_config_only', 'NODE_ENV']) delete env[name];
  return env;
}

async function buildCommands() {
  const target = join(root, 'dist');
  const stamp = join(target, '.built');
  const wanted = sourcesFingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  const { build } = await import('esbuild');
  // Built beside and renamed, so that a command that cron starts meanwhile finds a whole set.
  const fresh = `${target}.${process.pid}`;
  try {
    for (const entryPoints of entryGroups())
      await build({
        entryPoints,
        outdir: fresh,
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        // twilio is 20 MB of its own and is loaded only by those who use it
        external: ['twilio'],
        legalComments: 'linked',
        logLevel: 'warning',
        // packages written for require() find it, and their own folder, here
        banner: {
          js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fp}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url);const __filename=__fp(import.meta.url);const __dirname=__dn(__filename);",
        },
      });
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    fail(`Cannot build: ${error.message}`);
  }
  const files = readdirSync(fresh);
  keepOldParts(target, fresh, new Set(files));
  writeFileSync(join(fresh, '.files'), files.join('\n'));
  writeFileSync(join(fresh, '.built'), wanted);
  putInPlace(fresh, target);
}

/** Two renames in a row: there is no dist/ for some microseconds only. Another build at the same time does no harm. */
function putInPlace(fresh, target) {
  const old = `${fresh}.old`;
  for (;;) {
    try {
      renameSync(fresh, target);
      return;
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    try {
      renameSync(target, old);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    rmSync(old, { recursive: true, force: true });
  }
}

/**
 * Commands load parts of themselves when they come to them, under names with a hash. One that runs while it is built anew, the
 * daemon above all, finds the parts of its own build for an hour more.
 */
function keepOldParts(target, fresh, made) {
  const list = join(target, '.files');
  if (!existsSync(list)) return;
  const current = new Set(readFileSync(list, 'utf8').split('\n'));
  const now = Date.now();
  for (const name of readdirSync(target)) {
    if (made.has(name) || !/-[A-Z0-9]{8}\.js$/.test(name)) continue;
    const file = join(target, name);
    try {
      if (current.has(name)) utimesSync(file, now / 1000, now / 1000);
      else if (now - statSync(file).mtimeMs > 3_600_000) continue;
      linkSync(file, join(fresh, name));
    } catch {
      // Gone meanwhile, or a disk without links: then it is as if there had been none.
    }
  }
}

/**
 * Commands that are built together share their parts, and the more they share the smaller the parts become: of 44 files instead of
 * 14, each half a millisecond, runmonitor would consist. So those that cron starts are built by themselves.
 */
function entryGroups() {
  const groups = { runmonitor: {}, check_rndtrip: {}, healthmon: {}, rest: {} };
  for (const file of commandFiles()) {
    const name = file.replace(/\.ts$/, '');
    (groups[name] ?? groups.rest)[name] = join(root, 'lib', 'cli', 'commands', file);
  }
  const lab = join(root, 'test', 'lab', 'main.ts');
  const tests = withTests && existsSync(lab) ? [{ 'test/lab': lab }] : [];
  return [...Object.values(groups), ...tests].filter(group => Object.keys(group).length > 0);
}

function commandFiles() {
  return readdirSync(join(root, 'lib', 'cli', 'commands')).filter(file => file.endsWith('.ts'));
}

/** Changes when a source file, the lock file or what is asked for changes. */
function sourcesFingerprint() {
  const hash = createHash('sha256').update(withTests ? 'with tests' : 'commands');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  for (const folder of ['lib', 'plugins', 'reports', join('test', 'lab')]) {
    const place = join(root, folder);
    if (!existsSync(place)) continue;
    for (const file of readdirSync(place, { recursive: true }).sort()) {
      const facts = statSync(join(place, file), { throwIfNoEntry: false });
      if (facts?.isFile()) hash.update(`${folder}/${file} ${facts.size} ${facts.mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(3);
}
