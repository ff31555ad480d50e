// Passwords and keys, looked for where they must not be: in the arguments and environments of every process that a command starts, in
// what it prints in any form, and in every file that it writes; as they are, in base64 at any alignment, in hex and percent-encoded.
// Among the peers is one that says every line it hears again, decoded.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShop } from '../cli/run.ts';
import { Chance, type Claim, type Order, type Outcome } from './claim.ts';
import { startFoul } from './foul.ts';
import { type LaunchOptions, Product } from './product.ts';
import { startReceiver } from './receiver.ts';

export const secrets: Claim = {
  name: 'secrets',
  promise: '15: no password or key is in arguments, environments of children, output or files',
  unit: 'rounds of commands',
  short: 1,
  full: 5,
  run: lookForSecrets,
};

const TRIP = ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m'];
const AFTERWARDS: readonly (readonly [string, ...string[]])[] = [
  ['healthmon', 'explain'],
  ['healthmon', 'config', 'check'],
  ['healthmon', 'plan'],
  ['check_rndtrip', '-r', '--day', 'today', '--print', '--format', 'daily'],
  ['check_rndtrip', '-r', '--day', 'today', '--print', '--format', 'json'],
];

async function lookForSecrets({ n, seed, say }: Order): Promise<Outcome> {
  using product = new Product();
  const isShort = n < 2;
  const chance = new Chance(seed);
  const word = () => `Canary${Array.from({ length: 3 }, () => Math.floor(chance.next() * 36 ** 5).toString(36)).join('')}`;
  const shop = await openShop({
    mtas: 1,
    mmps: 1,
    stores: 1,
    limits: { submitMs: 5000, deliverMs: 5000, fetchMs: 5000, slowMs: 30_000 },
  });
  const foul = await startFoul();
  const receiver = await startReceiver();
  const place = mkdtempSync(join(tmpdir(), 'healthmon-secrets-'));
  const watch = new Watch();
  try {
    const [inEnvironment, inUrl, echoed] = [word(), word(), word()];
    const child = join(place, 'child');
    writeFileSync(child, `#!/bin/sh\n{ env; tr '\\0' ' ' < /proc/$$/cmdline; cat; } >> ${place}/child.out\n`);
    chmodSync(child, 0o755);
    shop.write('secrets/hook', `${receiver.url}${inUrl}\n`, 0o600);
    shop.write(
      'alarms.cfg',
      `[alarms]\ntogether = 0\n[webhook.hook]\nurl_file = "secrets/hook"\n[exec.child]\ncommand = ["${child}", "{text}"]\n[notify.oncall]\nchannels = ["child", "hook"]\n`,
    );
    // One password comes by the environment, as from a unit file: children must not have it.
    const site = readFileSync(join(shop.config, 'site.cfg'), 'utf8');
    const password = readFileSync(join(shop.config, 'secrets', 'ims1'), 'utf8').trim();
    shop.write('site.cfg', site.replaceAll('password_file = "secrets/ims1"', 'password_env = "CANARY"'));
    const secretFiles = readdirSync(join(shop.config, 'secrets')).filter(name => name !== 'hook');
    watch.secrets = [
      ...secretFiles.map(name => readFileSync(join(shop.config, 'secrets', name), 'utf8').trim()),
      readFileSync(join(shop.config, 'site.key'), 'utf8').trim(),
      inEnvironment,
      inUrl,
      echoed,
    ].flatMap(formsOf);
    const env = { CANARY: password, OTHER_CANARY: inEnvironment };
    const foulConfig = join(place, 'etc');
    foul.words = heard => `you said ${heard}`;
    foul.writeConfig(foulConfig, echoed);
    writeFileSync(join(foulConfig, 'alarms.cfg'), receiver.alarmsCfg);
    const foulState = join(place, 'var');
    mkdirSync(foulState, { mode: 0o750 });

    const run = async (command: string, args: readonly string[], options: LaunchOptions) => {
      const launched = product.launch(command, args, options);
      const stop = watch.over(launched.child.pid ?? 0, `${command} ${args.join(' ')}`);
      const { out, err } = await launched.ended;
      stop();
      watch.look(out + err, `what ${command} ${args.join(' ')} prints`);
    };
    for (let round = 0; round < n; round += 1) {
      const ours = { ...shop, env };
      for (const mailbox of ['imap', 'pop3'])
        for (const form of isShort ? ['--verbose'] : ['--verbose', '--json', '--nagios'])
          await run('runmonitor', [...TRIP, mailbox, form], ours);
      for (const [fault, where] of [
        ['login-refused-everywhere', 'account/ims1'],
        ['stopped', 'mta/ssmtp01'],
      ] as const) {
        const broken = await shop.standin.breakIt(fault, where);
        await run('check_rndtrip', ['--all', '--json'], ours);
        await run('runmonitor', [...TRIP, 'imap', '-v'], ours);
        await broken.mend();
      }
      for (const [command, ...args] of isShort ? AFTERWARDS.slice(0, 1) : AFTERWARDS)
        await run(command, command === 'healthmon' && args[0] === 'config' ? [...args, shop.config] : args, ours);
      for (const stage of isShort ? (['login'] as const) : (['login', 'work'] as const)) {
        foul.stage = stage;
        const theirs = { config: foulConfig, state: foulState };
        for (const mailbox of ['imap', 'pop3'])
          await run('runmonitor', ['-u', 'ims1', '-s', 'mta1', '-p', 'mmp1', '-m', mailbox, '-v'], theirs);
        await run('check_rndtrip', ['--all', '--json'], theirs);
        await run('healthmon', ['explain'], theirs);
      }
      say(`${round + 1} of ${n}`);
    }
    for (const folder of [shop.state, foulState]) watch.lookInto(folder);
    const told = existsSync(`${place}/child.out`) ? readFileSync(`${place}/child.out`, 'utf8') : '';
    watch.look(told, 'environment, arguments and input of a program that is told');
    watch.look(receiver.told.join('\n'), 'what a webhook is sent');
    const failures = [...watch.hits];
    if (!told.includes('HEALTHMON_HEADLINE') || receiver.told.length === 0)
      failures.push('nobody was told, so nothing was looked at');
    if (watch.processes < 10) failures.push(`only ${watch.processes} processes were seen`);
    return {
      n,
      failures,
      figures: {
        secrets: secretFiles.length + 4,
        'processes looked at': watch.processes,
        'bytes looked at': watch.bytes,
        hits: watch.hits.size,
      },
    };
  } finally {
    await foul.stop();
    receiver.stop();
    await shop.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

class Watch {
  secrets: readonly string[] = [];
  readonly hits = new Set<string>();
  processes = 0;
  bytes = 0;

  look(text: string, where: string): void {
    this.bytes += text.length;
    for (const secret of this.secrets) {
      const at = text.indexOf(secret);
      if (at >= 0) this.hits.add(`${where}: ...${text.slice(Math.max(0, at - 60), at + 20).replace(/\s+/g, ' ')}...`);
    }
  }

  lookInto(folder: string): void {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = join(folder, name);
      if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) this.look(readFileSync(file, 'latin1'), file);
    }
  }

  /** Looks at a process and all below it, again and again. @returns a function that ends that */
  over(pid: number, what: string): () => void {
    const seen = new Set<number>();
    const timer = setInterval(() => {
      for (const each of [pid, ...below(pid)]) {
        if (!seen.has(each)) this.processes += 1;
        seen.add(each);
        this.look(contents(`/proc/${each}/cmdline`), `arguments in ${what}`);
        // The command itself was given one by its environment; its children are not to have it.
        if (each !== pid)
          this.look(contents(`/proc/${each}/environ`), `environment of ${contents(`/proc/${each}/comm`).trim()} below ${what}`);
      }
    }, 25);
    return () => clearInterval(timer);
  }
}

function below(pid: number): readonly number[] {
  const children = contents(`/proc/${pid}/task/${pid}/children`).trim();
  if (children === '') return [];
  return children.split(' ').flatMap(child => [Number(child), ...below(Number(child))]);
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** A secret as it may be written: itself, percent-encoded, in hex, in base64 after any number of other bytes. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map(before => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(before === 0 ? 0 : 4, -4);
  });
  return [...new Set([secret, encodeURIComponent(secret), bytes.toString('hex'), ...shifted])].filter(form => form.length >= 8);
}
