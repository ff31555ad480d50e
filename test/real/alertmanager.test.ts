// Alarms on Debian's own prometheus-alertmanager: it takes what we send, shows what is open, groups it, tells its receiver when it
// begins and when it ends, and forgets it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Telling } from '../../lib/alarm/words/wording.ts';
import { bring, loaded } from '../alarm/ready.ts';
import { type Receiver, startReceiver } from '../alarm/receiver.ts';
import { TELLINGS } from '../alarm/tellings.ts';

/** Unpacked by "npm run lab -- install", which installs no service of it. */
const GUESTS = '/var/lib/healthmon-lab/guests';
const PROGRAM = `${GUESTS}/usr/bin/prometheus-alertmanager`;
const isThere = existsSync(PROGRAM) && process.getuid?.() === 0;
/** Its templates have a fixed place, which only it sees its own files at. */
const INSIDE = ['--mount', 'sh', '-c', 'mount --bind "$0" /usr/share && exec "$@"', `${GUESTS}/usr/share`, PROGRAM];

interface Shown {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string };
}

let daemon: ChildProcess | undefined;
let url = '';
let folder = '';
let said = '';

beforeAll(async () => {
  if (!isThere) return;
  folder = mkdtempSync(join(tmpdir(), 'healthmon-alertmanager-'));
});
afterAll(() => {
  daemon?.kill('SIGKILL');
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

async function start(receiver: Receiver): Promise<void> {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `route:\n  receiver: us\n  group_by: [alarm]\n  group_wait: 100ms\n  group_interval: 1s\nreceivers:\n- name: us\n  webhook_configs:\n  - url: ${receiver.url}/told\n    send_resolved: true\n`,
  );
  const options = [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ];
  const child = spawn('unshare', [...INSIDE, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  daemon = child;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      said += chunk;
    });
  child.once('close', () => {
    said += '(it has ended)';
  });
  await expect.poll(async () => (said.includes('(it has ended)') ? said : isReady()), { timeout: 30_000 }).toBe(true);
}

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}

async function shown(): Promise<readonly Shown[]> {
  return (await (await fetch(`${url}/api/v2/alerts`)).json()) as Shown[];
}

test.skipIf(!isThere)('Alertmanager takes every kind of notice, shows each alarm once, and tells its end', async () => {
  const receiver = await startReceiver();
  await start(receiver);
  const { channel } = await loaded(`[alertmanager.x]\nurl = "${url}"\ninstance = "mon1"\n[notify.oncall]\nchannels = ["x"]\n`);
  for (const [name, telling] of Object.entries(TELLINGS))
    expect([name, (await bring(channel, telling)).result]).toEqual([name, 'delivered']);

  // The notices of one moment, once more in their order: raised, reminded, and then over.
  const raised = TELLINGS.raised as Telling;
  await bring(channel, raised);
  await bring(channel, TELLINGS.reminder as Telling);
  const alarm = raised.notices[0]?.key;
  const mine = async () => (await shown()).filter(({ labels }) => labels.alarm === alarm && labels.component === 'mmp/smux02');
  const [open, ...more] = await mine();
  expect(more).toEqual([]);
  expect(open?.labels).toEqual({
    alertname: 'healthmon',
    site: 'Example Mail',
    component: 'mmp/smux02',
    phase: 'connect',
    severity: 'failed',
    alarm: 'a1b2c3d4-1-1',
    instance: 'mon1',
  });
  expect(open?.status.state).toBe('active');
  expect(open?.annotations.summary).toBe('STILL FAILED mmp/smux02 pop3 connect: connection refused');
  expect(Date.parse(open?.endsAt ?? '') - Date.now()).toBeGreaterThan(24 * 3_600_000);
  // It took our words whole, whatever is in them.
  const hostile = (await shown()).find(({ annotations }) => annotations.description?.includes('<script>'));
  expect(hostile?.annotations.description).toContain('{{y}}');

  const told = () =>
    receiver.got.flatMap(({ body }) => (JSON.parse(body) as { alerts: { status: string; labels: Shown['labels'] }[] }).alerts);
  const isTold = (status: string) =>
    told().some(alert => alert.status === status && alert.labels.alarm === alarm && alert.labels.component === 'mmp/smux02');
  await expect.poll(() => isTold('firing'), { timeout: 10_000 }).toBe(true);
  expect(isTold('resolved')).toBe(false);
  await bring(channel, TELLINGS.cleared as Telling);
  expect(await mine()).toEqual([]);
  await expect.poll(() => isTold('resolved'), { timeout: 10_000 }).toBe(true);
});

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? done(address.port) : fail(new Error('no port'))));
    });
  });
}
