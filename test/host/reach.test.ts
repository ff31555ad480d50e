// A mount that does not answer: found once, and nothing that leads to it is touched.

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { files } from '../../lib/host/files/files.ts';
import type { Run } from '../../lib/host/program.ts';
import { queues } from '../../lib/host/queues/queues.ts';
import { isThere, reachOf } from '../../lib/host/reach.ts';
import { sys } from '../../lib/host/sys/sys.ts';
import { lookAt, makeTree } from './tree.ts';

const MOUNTS = `20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 0:40 / /srv/dead rw - nfs4 nas:/dead rw
22 20 0:41 / /srv/alive rw - nfs4 nas:/alive rw
23 20 0:42 / /home rw - autofs systemd-1 rw
`;

/** Two mounts are asked; one of them never answers. */
const asked: string[] = [];
const run: Run = async command => {
  asked.push(command.join(' '));
  if (command.includes('/srv/dead')) return { ended: 'late' };
  if (command[0] === 'stat') return { ended: 'done', status: 0, stdout: 'nfs\n', stderr: '' };
  return { ended: 'absent', why: 'not installed' };
};

function host(more: Readonly<Record<string, string>> = {}): string {
  const root = makeTree({ 'proc/self/mountinfo': MOUNTS, 'srv/dead': null, 'srv/alive': null, ...more });
  mkdirSync(join(root, 'var'), { recursive: true });
  symlinkSync('../srv/dead/var', join(root, 'var/spool'));
  symlinkSync('/srv/alive/../dead/x', join(root, 'var/away'));
  symlinkSync('loop', join(root, 'var/loop'));
  return root;
}

test('each mount of a kind that can hang is asked once, but not one that autofs has not made', async () => {
  asked.length = 0;
  const { dead } = await reachOf(host(), run);
  expect(asked).toEqual(['stat -f -c %T -- /srv/dead', 'stat -f -c %T -- /srv/alive']);
  expect(dead.map(({ at }) => at)).toEqual(['/srv/dead']);
});

test('a path is followed over symbolic links, and no further than where it would hang', async () => {
  const root = host();
  const { deadOn } = await reachOf(root, run);
  const at = (path: string) => deadOn(path)?.at;
  expect(['/srv/dead', '/srv/dead/a/b', '/var/spool/postfix', '/var/away', '/srv/alive/../dead'].map(at)).toEqual(
    Array.from({ length: 5 }, () => '/srv/dead'),
  );
  expect(['/', '/srv/deadly', '/srv/alive/a', '/var/loop', '/var/lib', '/home/x'].map(at)).toEqual(
    Array.from({ length: 6 }, () => undefined),
  );
  expect([isThere({ root, deadOn }, '/var/spool/postfix'), isThere({ root, deadOn }, '/srv/alive/a')]).toEqual([true, false]);
});

test('a host whose mounts all answer, or that has none that could hang, follows nothing', async () => {
  const { deadOn, dead } = await reachOf(makeTree({ 'proc/self/mountinfo': MOUNTS.split('\n')[0] ?? '' }), run);
  expect([deadOn('/srv/dead'), dead]).toEqual([undefined, []]);
});

test('a queue, logs, certificates and files on it are told as what they are, and the rest is looked at', async () => {
  const root = host({
    'etc/postfix/main.cf': 'smtpd_tls_cert_file = /srv/dead/cert.pem\nalias_maps = hash:/var/spool/aliases\n',
    'proc/stat': 'cpu  1 0 1 1 0 0 0 0\nbtime 1\nprocesses 1\nprocs_blocked 0\n',
  });
  const reach = await reachOf(root, run);
  const config = {
    files: {
      files: [{ name: 'db', path: '/srv/dead/db', mayBeMissing: false }],
      logs: [{ name: 'mail', path: '/var/spool/mail.log', patterns: [], ignore: [], warn: 1 }],
      certificates: [],
      cores: ['/srv/dead/cores'],
      parse: false,
    },
  };
  const look = lookAt(root, { ...reach, run, config });
  const queue = await queues.look(look);
  expect(queue.findings).toEqual([
    {
      level: 'critical',
      subject: 'queue:/var/spool/postfix',
      text: 'the queue /var/spool/postfix lies on a mount that hangs: /srv/dead (nfs4) does not answer in 5 s',
    },
  ]);
  const seen = await files.look(look);
  expect([...seen.findings.map(({ level, text }) => `${level}: ${text}`), ...seen.missing.map(({ what }) => what)]).toEqual([
    'unknown: /srv/dead/db cannot be looked at: /srv/dead (nfs4) does not answer in 5 s',
    'unknown: log /var/spool/mail.log cannot be looked at: /srv/dead (nfs4) does not answer in 5 s',
    'certificate /srv/dead/cert.pem',
  ]);
  const system = await sys.look({ ...look, config: { ...look.config, sys: { directories: ['/'], clock: false } } });
  expect(system.findings.map(({ level, text }) => `${level}: ${text}`)).toContain(
    'warning: /srv/dead (nfs4) does not answer in 5 s: whoever looks at it hangs',
  );
});
