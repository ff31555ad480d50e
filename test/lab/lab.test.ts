// The lab itself, on real daemons: it comes up, mail goes every way, two labs live side by side, what a killed process left is
// cleared away, and nothing stays behind. Skipped, with the reason, where a lab cannot be brought up.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll, submit } from './dialogs.ts';
import { doorsToAnswer, shutDoors } from './doors.ts';
import { Faults } from './faults/place.ts';
import { clearAbandoned, Lab, startLab } from './lab.ts';
import { arrival } from './looks.ts';
import { whyNoLab } from './packages.ts';
import { tableExists } from './packets.ts';

const why = whyNoLab();
let lab: Lab;

describe.skipIf(why !== undefined)(`the lab${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  beforeAll(async () => {
    lab = await startLab();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  test('every door answers', async () => {
    expect(await shutDoors(lab.site, doorsToAnswer(lab.site, new Faults()), 2000)).toEqual([]);
  });

  test('nothing of it listens outside loopback', () => {
    const ours = new Set(lab.site.machines.flatMap(machine => machine.doors.map(door => door.port)));
    const open = ['tcp', 'tcp6', 'udp', 'udp6']
      .flatMap(listeners)
      .filter(({ address, port }) => ours.has(port) && !address.startsWith('7F'));
    // /proc/net writes 127.a.b.c as hex in host order: it ends with 7F on little-endian machines.
    expect(open.filter(({ address }) => !address.endsWith('7F'))).toEqual([]);
  });

  test('mail goes through each MTA to each store and is read through each MMP by both protocols', async () => {
    for (const mta of ['ssmtp01', 'ssmtp02'])
      for (const account of ['ims1', 'ims2'])
        for (const mmp of ['smux01', 'smux02'])
          for (const protocol of ['pop3', 'imap'] as const) {
            const subject = `${mta} ${account} ${mmp} ${protocol}`;
            expect(await submit(lab, { to: `mta/${mta}`, recipient: `${account}@lab.test`, subject })).toMatch(
              /^250 2\.0\.0 Ok: queued as/,
            );
            await arrival(lab, account, subject);
            const messages = await readAll(lab, { at: `mmp/${mmp}`, account, protocol });
            expect(messages.map(text => /^Subject: (.*?)\r?$/m.exec(text)?.[1])).toEqual([subject]);
          }
  });

  test('each MTA takes mail on 25 without a log-in and on 465, and only the filtered one signs', async () => {
    for (const mta of ['ssmtp01', 'ssmtp02'])
      for (const port of [25, 465] as const) {
        const subject = `${mta} ${port}`;
        expect(await submit(lab, { to: `mta/${mta}`, port, subject })).toMatch(/^250/);
        expect(/^DKIM-Signature:/m.test(await arrival(lab, 'ims1', subject))).toBe(mta === 'ssmtp02');
      }
  });

  test('balancers use both of their members', async () => {
    for (let round = 0; round < 4; round++) {
      await submit(lab, { to: 'balancer/smtp', subject: `balanced ${round}` });
      await readAll(lab, { at: 'balancer/pop', account: 'ims1', protocol: 'imap' });
    }
    for (const mta of ['mta/ssmtp01', 'mta/ssmtp02'] as const)
      expect(lab.log(mta)).toMatch(/client=smtp\.lab\.test\[127\.\d+\.50\.1\], sasl_method/);
    for (const mmp of ['mmp/smux01', 'mmp/smux02'] as const)
      expect(lab.log(mmp)).toMatch(/imap-login: Info: proxy\(ims1,.*rip=127\.\d+\.50\.2/);
  });

  test('config writes an etc/ whose secrets only the owner reads, and every path once', () => {
    const etc = mkdtempSync(join(tmpdir(), 'hmlab-etc-'));
    try {
      lab.etc(etc);
      const lines = readFileSync(join(etc, 'sequence.cfg'), 'utf8').match(/^\d\d DMSG .*$/gm) ?? [];
      expect(new Set(lines.map(line => line.split(' ')[0])).size).toBe(16);
      expect(new Set(lines.map(line => line.slice(2))).size).toBe(16);
      for (const file of ['site.key', ...readdirSync(join(etc, 'secrets')).map(name => join('secrets', name))])
        expect([file, statSync(join(etc, file)).mode & 0o777]).toEqual([file, 0o600]);
    } finally {
      rmSync(etc, { recursive: true });
    }
  });

  test('a second lab lives beside it, and clears away what a killed one left in its directory', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hmlab-'));
    const first = await startLab({ dir, only: ['dns', 'store'] });
    const { net } = first.site;
    expect(net).not.toBe(lab.site.net);
    const [daemon] = first.components.flatMap(({ daemons }) => daemons);
    process.kill(daemon?.pid ?? 0, 'SIGKILL');
    await first.fault('frozen', 'store/ims2');
    await using second = await startLab({ dir, net, only: ['dns', 'store'] });
    const running = second.components.filter(({ daemons }) => daemons.every(({ state }) => state === 'running'));
    expect(running.map(({ component }) => component)).toEqual(['dns/ns1', 'store/ims1', 'store/ims2']);
    expect(await submit(lab, { to: 'mta/ssmtp01' })).toMatch(/^250/);
  });

  test('a lab whose tests were killed is taken down by the next', async () => {
    const abandoned = await startLab({ only: ['dns'] });
    const identity = join(abandoned.dir, 'lab.json');
    writeFileSync(identity, readFileSync(identity, 'utf8').replace(/("owner": \{[^}]*"start": ")\d+/, '$10'));
    await clearAbandoned();
    expect(existsSync(abandoned.dir)).toBe(false);
    expect(lab.isUp).toBe(true);
  });

  test('a directory that holds something else is neither used nor removed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'not-a-lab-'));
    try {
      writeFileSync(join(dir, 'precious'), '');
      await expect(startLab({ dir })).rejects.toThrow('holds something else than a lab');
      await new Lab(dir).stop({ purge: true });
      expect(readdirSync(dir)).toEqual(['precious']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('a planted message is in the mailbox', async () => {
    lab.plant('sender', 'From: a@lab.test\r\nSubject: planted\r\n\r\ntext\r\n');
    const messages = await readAll(lab, { at: 'mmp/smux02', account: 'sender', protocol: 'imap' });
    expect(messages.join()).toContain('Subject: planted');
  });

  test('down leaves no process, no packet filter table and no mount', async () => {
    const { dir } = lab;
    const { net } = lab.site;
    await lab.fault('drip', 'mmp/smux01');
    await lab.fault('frozen', 'store/ims1');
    await lab.stop();
    expect(existsSync(dir)).toBe(false);
    expect(commandLines().filter(line => line.includes(dir))).toEqual([]);
    expect(await tableExists(net)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
  });
});

/** Open ports as the kernel lists them: listening TCP, bound UDP. */
function listeners(protocol: string): { address: string; port: number }[] {
  return readFileSync(`/proc/net/${protocol}`, 'utf8')
    .split('\n')
    .slice(1)
    .map(line => line.split(/\s+/))
    .filter(fields => fields[3] === (protocol.startsWith('tcp') ? '0A' : '07'))
    .map(fields => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { address, port: Number.parseInt(port, 16) };
    });
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    });
}
