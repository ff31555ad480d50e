// How long our commands take to start, in units of Node itself doing nothing. What a person waits for is wall time; it is what is
// compared, as the median of many runs that take turns.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startSite } from '../../lib/standin/site.ts';
import { against, type Bench } from './bench.ts';
import { median } from './figures.ts';
import { interleaved, whyNoCosts } from './process.ts';

const ROUNDS = 25;

export const start: Bench = {
  name: 'start',
  about: 'start of the commands against node -e 0',
  run: async say => {
    const cannot = whyNoCosts();
    if (cannot !== undefined) return { cannot };
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-start-'));
    const door = await listening();
    try {
      const etc = await writeEtc(join(folder, 'etc'), door.port);
      const bin = (name: string) => join(process.cwd(), 'bin', name);
      const trip = [bin('runmonitor'), '--config', etc, '--state', join(folder, 'state'), '-u', 'ims1', '-s', 'ssmtp01'];
      say(`start: ${ROUNDS} rounds of five commands ...`);
      const connectedMs: number[] = [];
      const node = process.execPath;
      const costs = await interleaved(
        {
          bare: { argv: [node, '-e', '0'] },
          help: { argv: [node, bin('healthmon'), '--help'] },
          check: { argv: [node, bin('healthmon'), 'config', 'check', etc] },
          runmonitorHelp: { argv: [node, bin('runmonitor'), '--help'] },
        },
        ROUNDS,
        (name, { status, stdout, stderr }) => {
          const right =
            status === 0 && (name === 'bare' || (name === 'check' ? stdout.includes(': 0 errors') : stdout.includes('Usage: ')));
          if (!right) throw new Error(`${name} ended with ${status}: ${stdout}${stderr}`);
        },
      );
      const bareMs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        bareMs.push(await endsAfter(['-e', '0']));
        connectedMs.push(await door.connectsAfter(() => endsAfter([...trip, '-p', 'smux01', '-m', 'imap'])));
      }
      const what = 'node -e 0';
      const wall = (ours: number, most?: number, theirs = costs.bare.wallMs) => ({
        ours,
        theirs,
        unit: 'ms',
        what,
        ...(most === undefined ? {} : { most }),
      });
      return [
        against('healthmon --help, wall', wall(costs.help.wallMs, 1.6)),
        against('healthmon config check, wall', wall(costs.check.wallMs, 1.6)),
        against('runmonitor --help, wall', wall(costs.runmonitorHelp.wallMs, 1.6)),
        against('runmonitor until its first connection, wall', wall(median(connectedMs), 2.6, median(bareMs))),
        against('healthmon --help, memory', { ours: costs.help.peakMb, theirs: costs.bare.peakMb, unit: 'MB', what }),
        against('healthmon config check, memory', { ours: costs.check.peakMb, theirs: costs.bare.peakMb, unit: 'MB', what }),
      ];
    } finally {
      await door.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Runs Node. @returns how long it took, ms */
function endsAfter(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    child.on('error', reject);
    child.on('close', () => resolve(performance.now() - began));
  });
}

/** A door that hangs up on everybody and says when the first one came. */
async function listening(): Promise<{
  readonly port: number;
  connectsAfter(work: () => Promise<unknown>): Promise<number>;
  stop(): Promise<void>;
}> {
  let onFirst: (() => void) | undefined;
  const server: Server = createServer(socket => {
    onFirst?.();
    onFirst = undefined;
    socket.on('error', () => {});
    socket.destroy();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    connectsAfter: async work => {
      const began = performance.now();
      let came: number | undefined;
      onFirst = () => {
        came = performance.now();
      };
      await work();
      if (came === undefined) throw new Error('runmonitor ended without a connection');
      return came - began;
    },
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

/** The config of an embedded site whose IMAP doors lead to our port. */
async function writeEtc(etc: string, port: number): Promise<string> {
  const standin = await startSite();
  for (const { name, text, mode } of standin.files()) {
    const file = join(etc, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    writeFileSync(file, text.replace(/imap = \{ port = \d+/g, `imap = { port = ${port}`), { mode });
  }
  await standin.stop();
  return etc;
}
