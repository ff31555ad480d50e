// What one probe of one hop costs us: connect, banner, EHLO, QUIT, with every phase stamped, beside Prometheus' blackbox_exporter
// having the same dialog with the same server. Processor time of the client alone: wall time on a small machine is the server's.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { greet } from '../../lib/dialog/smtp.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import { against, type Bench } from './bench.ts';
import { median } from './figures.ts';
import { unpacked } from './peers.ts';

const ROUNDS = 7;
const PROBES = 1000;
const AT_ONCE = 8;
/** Linux counts processor time of other processes in hundredths of a second. */
const TICK_MS = 10;

const SERVER = `
const server = require('node:net').createServer({ noDelay: true }, socket => {
  socket.on('error', () => {});
  socket.write('220 hop.test ESMTP\\r\\n');
  socket.on('data', bytes => {
    if (/^EHLO /i.test(bytes)) socket.write('250-hop.test\\r\\n250-SIZE 10240000\\r\\n250-8BITMIME\\r\\n250 SMTPUTF8\\r\\n');
    else socket.end('221 2.0.0 Bye\\r\\n');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

const MODULES = `
modules:
  smtp:
    prober: tcp
    timeout: 5s
    tcp:
      query_response:
        - expect: "^220 "
        - send: "EHLO bench"
        - expect: "^250 "
        - send: "QUIT"
        - expect: "^221 "
`;

export const hop: Bench = {
  name: 'hop',
  about: 'processor time of one probe (banner, EHLO, QUIT) against blackbox_exporter',
  run: async say => {
    const peer = unpacked('blackbox_exporter', ['prometheus-blackbox-exporter']);
    if ('cannot' in peer) return peer;
    const folder = mkdtempSync(join(tmpdir(), 'healthmon-bench-hop-'));
    const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    let exporter: ChildProcess | undefined;
    try {
      const [chunk] = await once(server.stdout, 'data');
      const port = Number(String(chunk));
      writeFileSync(join(folder, 'modules.yml'), MODULES);
      const at = await freePort();
      exporter = spawn(
        join(peer.root, 'usr/bin/prometheus-blackbox-exporter'),
        [`--config.file=${join(folder, 'modules.yml')}`, `--web.listen-address=127.0.0.1:${at}`],
        { stdio: 'ignore' },
      );
      const probeTheirs = askingFor(`http://127.0.0.1:${at}/probe?module=smtp&target=127.0.0.1:${port}`);
      await untilAnswered(probeTheirs);
      const endpoint: Endpoint = {
        component: 'mta/hop',
        protocol: 'smtp',
        host: '127.0.0.1',
        port,
        security: 'plain',
        trust: { verify: true },
      };
      const probeOurs = async () => {
        const dialog = await greet(endpoint, 'bench', TERMS);
        if (dialog.outcome !== 'answered' || dialog.phases.map(({ name }) => name).join(' ') !== 'connect banner ehlo quit')
          throw new Error(`our probe: ${dialog.outcome} ${dialog.phases.map(({ name }) => name).join(' ')}`);
      };
      // Both as they are after some minutes of service.
      for (let round = 0; round < 3; round += 1) {
        await many(probeOurs);
        await many(probeTheirs);
      }
      say(`hop: ${ROUNDS} rounds of ${PROBES} probes each ...`);
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = process.cpuUsage();
        await many(probeOurs);
        const { user, system } = process.cpuUsage(before);
        ours.push((user + system) / 1000 / PROBES);
        const ticks = ticksOf(exporter.pid);
        await many(probeTheirs);
        theirs.push(((ticksOf(exporter.pid) - ticks) * TICK_MS) / PROBES);
      }
      const what = `blackbox_exporter ${peer.version.split(' ')[1] ?? ''}, ${AT_ONCE} at once`;
      return [against('one hop probe, CPU', { ours: median(ours), theirs: median(theirs), unit: 'ms', what, most: 0.2 })];
    } finally {
      server.kill();
      exporter?.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const TERMS = { clock: () => performance.now(), deadlineMs: 5000, signal: new AbortController().signal };

async function many(probe: () => Promise<void>): Promise<void> {
  let left = PROBES;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await probe();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** A scrape by a client that keeps its connections, as Prometheus does. @throws when the exporter says that its probe failed */
function askingFor(url: string): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  return () =>
    new Promise((resolve, reject) => {
      const request = get(url, { agent }, response => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', chunk => {
          text += chunk;
        });
        response.on('end', () => (/^probe_success 1$/m.test(text) ? resolve() : reject(new Error(`blackbox_exporter: ${text}`))));
      });
      request.on('error', reject);
    });
}

async function untilAnswered(probe: () => Promise<void>): Promise<void> {
  for (let left = 50; ; left -= 1) {
    try {
      return await probe();
    } catch (error) {
      if (left === 0 || !(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

/** utime and stime of all threads. @see proc(5), /proc/pid/stat */
function ticksOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}
