// Starting and stopping: quick, without rests, and a site that is forgotten does not keep its process alive.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { startSite } from '../../lib/standin/site.ts';
import { sendMail } from './clients.ts';

const root = join(import.meta.dirname, '..', '..');

/** Handles and timers of this process, as far as Node tells. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter(name => /TCP|UDP|Timeout|TLS|MessagePort|Worker/.test(name));
}

test('stop() leaves nothing behind, whatever was under way', async () => {
  const before = resources();
  const standin = await startSite({ filter: true, balancers: true, nameServer: true, directories: 2 });
  const mta = standin.site.mtas.get('ssmtp01');
  if (mta === undefined) throw new Error('no MTA');
  await sendMail(mta.smtp, { from: 'sender@standin.test', to: 'ims1@standin.test', raw: 'Subject: x\r\n\r\nx\r\n' });
  await standin.breakIt('stopped', 'store/ims2');
  await standin.breakIt('blackholed', 'store/ims1 imap');
  await standin.breakIt('frozen', 'mmp/smux01');
  await standin.breakIt('late', 'mta/ssmtp02', { ms: 60_000 });
  const late = standin.site.mtas.get('ssmtp02');
  if (late !== undefined)
    await sendMail(late.smtp, { from: 'sender@standin.test', to: 'ims2@standin.test', raw: 'Subject: x\r\n\r\nx\r\n' });
  const held = connect({ port: standin.site.mmps.get('smux01')?.pop3?.port ?? 0, host: '127.0.0.1' });
  await new Promise(resolve => held.once('connect', resolve));
  const closed = new Promise(resolve => held.once('close', resolve));
  held.on('error', () => {}).resume();
  await standin.stop();
  await closed;
  expect(standin.problems).toEqual([]);
  // what the clients of this test have left takes a moment
  await expect
    .poll(() => resources().filter(name => name !== 'Timeout').length)
    .toBeLessThanOrEqual(before.filter(name => name !== 'Timeout').length);
});

test('a hundred starts and stops leave no memory behind', { timeout: 30_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  const used = async () => {
    await new Promise(resolve => setTimeout(resolve, 150)); // smtp-server's timers run for 100 ms
    if (typeof gc === 'function') gc();
    return process.memoryUsage().heapUsed;
  };
  const run = async (times: number) => {
    for (let i = 0; i < times; i += 1) {
      const standin = await startSite();
      await standin.breakIt('turns-away', 'mta/ssmtp01');
      await standin.stop();
    }
  };
  await run(10);
  const before = await used();
  await run(100);
  expect((await used()) - before).toBeLessThan(2_000_000);
});

test('a site that is forgotten does not keep its process alive', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'standin-'));
  try {
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
    await writeFile(
      join(dir, 'forget.ts'),
      `import { startSite } from ${JSON.stringify(join(root, 'lib/standin/site.ts'))};
       const standin = await startSite({ filter: true, balancers: true, nameServer: true });
       await standin.breakIt('blackholed', 'mmp/smux01 imap');
       await standin.breakIt('frozen', 'mta/ssmtp01');
       process.stdout.write('started');`,
    );
    await build({
      entryPoints: [join(dir, 'forget.ts')],
      outfile: join(dir, 'forget.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'error',
    });
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(dir, 'forget.mjs')], { timeout: 10_000 });
    expect({ stdout, stderr }).toEqual({ stdout: 'started', stderr: '' });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('startSite() says what it cannot make', async () => {
  await expect(startSite({ stores: 0 })).rejects.toThrow('Cannot make 0 stores: 1 to 99 are possible');
});
