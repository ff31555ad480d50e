// Runs every check and test of the project, says how each went, and ends with `N passed, N failed`. `npm test` calls it after the
// build; so does CI, where CI=true has it install the real mail servers and try Node 24 as well.
//
//   node test/run.mjs            everything
//   node test/run.mjs --fast     without the real servers and the other Node
//
// A part that cannot run here is skipped with one line that says why and how to have it; it is not counted as passed.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = name => join(root, 'node_modules', '.bin', name);
const inCi = process.env.CI === 'true';
const fastOnly = process.argv.includes('--fast');
const scratch = mkdtempSync(join(tmpdir(), 'healthmon-test-'));
let passed = 0;
let failed = 0;

try {
  await check('types', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', root]);
  await check('lint', bin('biome'), ['check', '--error-on-warnings', root]);
  await check('unused code', bin('knip'), ['--no-progress'], { cwd: root });
  await suite('unit, story and hostile tests', process.execPath, ['fast']);
  if (!fastOnly) {
    await realServers();
    await otherNode();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** A tool that says yes or no: one check. */
async function check(name, command, args, options = {}) {
  const began = Date.now();
  const { status, output } = await run(command, args, options);
  if (status === 0) passed += 1;
  else {
    failed += 1;
    console.log(output.trimEnd());
  }
  tell(status === 0 ? 'passed' : 'FAILED', name, began);
}

/** A vitest project: each of its tests counts. */
async function suite(name, node, projects, env = {}) {
  const began = Date.now();
  const report = join(scratch, `${projects.join('-')}-${Date.now()}.json`);
  const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(root, 'test/vitest.config.ts')];
  for (const project of projects) args.push('--project', project);
  const { status, output } = await run(node, [...args, '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const counts = readCounts(report);
  // A suite that breaks off, or errs outside its tests, has failed whatever it counted before.
  const broken = counts === undefined || (status !== 0 && counts.failed === 0);
  passed += counts?.passed ?? 0;
  failed += (counts?.failed ?? 0) + (broken ? 1 : 0);
  if (status !== 0) console.log(output.trimEnd());
  const skipped = counts?.skipped ? `, ${counts.skipped} skipped` : '';
  tell(
    status === 0 ? 'passed' : 'FAILED',
    `${name}: ${counts?.passed ?? 0} passed, ${counts?.failed ?? 0} failed${skipped}`,
    began,
  );
}

function readCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return undefined;
  }
}

async function realServers() {
  const lab = join(root, 'dist', 'test', 'lab.js');
  if (inCi) {
    const began = Date.now();
    const { status, output } = await run(process.execPath, [lab, 'install']);
    if (status !== 0) {
      failed += 1;
      console.log(output.trimEnd());
      tell('FAILED', 'installing the real mail servers', began);
      return;
    }
    tell('done', 'installing the real mail servers', began);
  }
  const missing = spawnSync(process.execPath, [lab, 'ready'], { encoding: 'utf8' });
  if (missing.status !== 0) {
    tell(
      'skipped',
      `real servers: ${(missing.stderr || missing.stdout).trim().split('\n')[0]}; "sudo npm run lab -- install" brings them`,
    );
    return;
  }
  await suite('real Postfix, Dovecot, OpenLDAP', process.execPath, ['lab']);
  await suite('under load', process.execPath, ['load']);
}

/** The fast tests once more on Node 24, whose binary the npm package `node` carries. */
async function otherNode() {
  if (process.versions.node.startsWith('24.')) return;
  if (!inCi) {
    tell('skipped', 'Node 24: CI=true runs the fast tests on it as well');
    return;
  }
  const place = join(root, 'node_modules', '.node24');
  const node = join(place, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{"private":true}\n');
    const { status, output } = await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', 'node@24'], {
      cwd: place,
    });
    if (status !== 0) {
      failed += 1;
      console.log(output.trimEnd());
      tell('FAILED', 'installing Node 24');
      return;
    }
  }
  await suite('the same tests on Node 24', node, ['fast'], { PATH: `${dirname(node)}:${process.env.PATH}` });
}

function run(command, args, options = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const take = chunk => {
      output += chunk;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', error => resolve({ status: 1, output: `${output}\nCannot run ${command}: ${error.message}` }));
    child.on('close', status => resolve({ status: status ?? 1, output }));
  });
}

function tell(word, text, began) {
  const took = began === undefined ? '' : ` (${((Date.now() - began) / 1000).toFixed(1)} s)`;
  console.log(`${word.padEnd(8)} ${text}${took}`);
}
