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
  copyFileSync,
  existsSync,
  mkdirSync,
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

/** How everything is bundled. */
const BUNDLE = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // twilio is 20 MB of its own and is loaded only by those who use it
  external: ['twilio'],
  logLevel: 'warning',
};

/** Commands load parts of themselves when they come to them, under names with a hash. */
const PART = /-[A-Z0-9]{8}\.cjs$/;
/** How long the parts of a build stay after the next one, for what has begun before it: the daemon above all. */
const STAY_MS = 3_600_000;

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

  const esbuild = await import('esbuild');
  const fresh = `${target}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    for (const entryPoints of entryGroups()) await bundleCommands(esbuild, entryPoints, fresh);
    await bundlePrograms(esbuild, fresh);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    fail(`Cannot build: ${error.message}`);
  }
  rehearse(fresh);
  writeFileSync(join(fresh, '.files'), filesOf(fresh).join('\n'));
  putInPlace(fresh, target);
  writeFileSync(stamp, wanted);
}

/**
 * Commands, as the parts that lib/load.cjs loads. Those are no ES modules, because of an ES module Node 20 cannot keep the compiled
 * code; esbuild splits nothing else, so its parts are turned into functions here.
 */
async function bundleCommands(esbuild, entryPoints, folder) {
  const { outputFiles } = await esbuild.build({
    ...BUNDLE,
    entryPoints,
    outdir: folder,
    write: false,
    outExtension: { '.js': '.cjs' },
  });
  for (const { path, text } of outputFiles) {
    const lazy = text.replace(/\bimport\((?="(?:\.\/[\w-]+\.cjs|twilio)"\))/g, '__later(');
    const options = { format: 'cjs', platform: 'node', target: 'node20', define: { 'import.meta.url': '__url' } };
    const { code } = await esbuild.transform(lazy, options);
    const head = "(function (require, __later, module, exports, __filename, __dirname) { 'use strict'; ";
    const url = "const __url = require('node:url').pathToFileURL(__filename).href;";
    writeFileSync(path, `${head}${url}\n${code}})\n`);
  }
}

/** Programs of the build and of the tests, as ES modules. */
async function bundlePrograms(esbuild, outdir) {
  const lab = join('test', 'lab', 'main.ts');
  await esbuild.build({
    ...BUNDLE,
    absWorkingDir: root,
    entryPoints: { rehearse: 'lib/cli/rehearse.ts', ...(withTests && existsSync(join(root, lab)) ? { 'test/lab': lab } : {}) },
    outdir,
    splitting: false,
    // packages written for require() find it, and their own folder, here
    banner: {
      js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fp}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url);const __filename=__fp(import.meta.url);const __dirname=__dn(__filename);",
    },
  });
}

/** Each command is tried once, so that what V8 compiles of it can be kept. Where that does not work, commands start a little slower. */
function rehearse(folder) {
  const programs = [join(folder, 'rehearse.js'), join(folder, 'keep.cjs')];
  for (const name of ['load.cjs', 'keep.cjs']) copyFileSync(join(root, 'lib', name), join(folder, name));
  spawnSync(process.execPath, [programs[0], folder], { stdio: ['ignore', 2, 2], env: withoutNpmSettings(), timeout: 60_000 });
  for (const program of programs) rmSync(program);
}

/**
 * File by file, each renamed over the one before it, parts first and then those who load them: whenever a command starts it finds a whole
 * set, the one before or the new one. Another build at the same time does no harm.
 */
function putInPlace(fresh, target) {
  mkdirSync(target, { recursive: true });
  const made = filesOf(fresh);
  markOldParts(target, made);
  for (const name of made.toSorted((a, b) => Number(PART.test(b)) - Number(PART.test(a)))) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    renameSync(join(fresh, name), join(target, name));
  }
  rmSync(fresh, { recursive: true });
  removeOld(target, made);
}

/** The hour of parts that are not made any more begins now. */
function markOldParts(target, made) {
  const list = join(target, '.files');
  if (!existsSync(list)) return;
  const now = Date.now() / 1000;
  for (const name of readFileSync(list, 'utf8').split('\n')) {
    const file = join(target, name);
    if (PART.test(name) && !made.includes(name) && existsSync(file)) utimesSync(file, now, now);
  }
}

function removeOld(target, made) {
  for (const name of filesOf(target)) {
    if (made.includes(name)) continue;
    const { mtimeMs } = statSync(join(target, name), { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (!PART.test(name) || Date.now() - mtimeMs > STAY_MS) rmSync(join(target, name), { force: true });
  }
}

function filesOf(folder) {
  return readdirSync(folder, { recursive: true }).filter(name =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.isFile(),
  );
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
  return Object.values(groups);
}

function commandFiles() {
  return readdirSync(join(root, 'lib', 'cli', 'commands')).filter(file => file.endsWith('.ts'));
}

/** Changes when a source file, the lock file, Node or what is asked for changes. */
function sourcesFingerprint() {
  const hash = createHash('sha256').update(`${withTests ? 'with tests' : 'commands'} ${process.version}`);
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
