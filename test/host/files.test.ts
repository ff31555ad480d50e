// check_files: files as they must be, cores, logs, configuration, maps, certificates.

import { appendFileSync, chmodSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileWanted, HostConfig, LogWanted } from '../../lib/host/config.ts';
import { files } from '../../lib/host/files/files.ts';
import { dovecotCertificates, postfixCertificates } from '../../lib/host/files/settings.ts';
import type { Run } from '../../lib/host/program.ts';
import { CA } from '../site/certificate.ts';
import { AT, addTo, lookAt, makeTree, nothingInstalled } from './tree.ts';

const NONE: HostConfig['files'] = { files: [], logs: [], certificates: [], cores: [], parse: true };
const again = (sample: { readonly keep: unknown }) => JSON.parse(JSON.stringify(sample.keep));
const texts = (sample: { readonly findings: readonly { readonly level: string; readonly text: string }[] }) =>
  sample.findings.map(({ level, text }) => `${level}: ${text}`);
function at(root: string, path: string, when: number): void {
  utimesSync(join(root, path), when / 1000, when / 1000);
}

test('files are held to age, size, owner, group and mode, with the command that mends it', async () => {
  const root = makeTree({
    'a/good': 'x',
    'a/old': '',
    'a/big': 'x'.repeat(3000),
    'etc/passwd': 'root:x:0:0::/:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
  });
  for (const name of ['a/good', 'a/old', 'a/big']) at(root, name, AT - 3_600_000);
  chmodSync(join(root, 'a/good'), 0o640);
  const { uid, gid } = statSync(join(root, 'a/good'));
  const wanted: FileWanted[] = [
    {
      name: 'good',
      path: '/a/good',
      mayBeMissing: false,
      maxAgeMs: 7_200_000,
      minBytes: 1,
      maxBytes: 10,
      owner: String(uid),
      group: String(gid),
      mode: 0o640,
    },
    { name: 'old', path: '/a/old', mayBeMissing: false, maxAgeMs: 1_800_000, minBytes: 1 },
    { name: 'big', path: '/a/big', mayBeMissing: false, maxBytes: 1024, owner: 'nobody', group: 'mail', mode: 0o600 },
    { name: 'gone', path: '/a/gone', mayBeMissing: false },
    { name: 'may', path: '/a/may', mayBeMissing: true },
    { name: 'below', path: '/a/good/below', mayBeMissing: false },
  ];
  const sample = await files.look(lookAt(root, { config: { files: { ...NONE, files: wanted } } }));
  const owner = uid === 0 ? 'root' : String(uid);
  const group = gid === 0 ? 'root' : String(gid);
  const mode = (statSync(join(root, 'a/big')).mode & 0o7777).toString(8).padStart(4, '0');
  expect(texts(sample)).toEqual([
    'warning: /a/old was last changed 60 min ago, more than 30 min',
    'warning: /a/old has 0 bytes, less than 1 bytes',
    'warning: /a/big has 2.9 KB, more than 1.0 KB',
    `warning: /a/big belongs to user ${owner}, not nobody`,
    `warning: /a/big belongs to group ${group}, not mail`,
    `warning: /a/big has mode ${mode}, not 0600`,
    'critical: /a/gone is missing',
    'critical: /a/good/below is missing',
  ]);
  expect(sample.findings.find(({ text }) => text.includes('mode'))?.remedy).toBe("chmod 0600 '/a/big'");
  expect(sample.figures).toMatchObject({ 'files.size_bytes:big': 3000, 'files.age_s:good': 3600 });
});

test('a file on a mount that does not answer is unknown, and nothing hangs', async () => {
  const root = makeTree({ 'proc/self/mountinfo': '40 22 0:40 / /mail rw - nfs4 s:/m rw\n' });
  const wanted = [{ name: 'x', path: '/mail/x', mayBeMissing: false }];
  const sample = await files.look(
    lookAt(root, { config: { files: { ...NONE, files: wanted } }, run: async () => ({ ended: 'late' }) }),
  );
  expect(texts(sample)).toContain('unknown: /mail/x cannot be looked at: /mail (nfs4) does not answer in 5 s');
});

test('a core file is told once, when it is new', async () => {
  const root = makeTree({ 'var/crash/core.1': 'x', 'proc/sys/kernel/core_pattern': '/cores/core.%e.%p\n', 'cores/readme': '' });
  const first = await files.look(lookAt(root));
  expect(texts(first)).toEqual([]);
  addTo(root, { 'cores/core.smtpd.77': 'x'.repeat(2048) });
  const second = await files.look(lookAt(root, { before: again(first) }));
  expect(texts(second)).toEqual(['warning: new core file /cores/core.smtpd.77 (2.0 KB): a program has crashed']);
  expect(second.figures['files.cores']).toBe(1);
  const third = await files.look(lookAt(root, { before: again(second) }));
  expect([texts(third), third.figures['files.cores']]).toEqual([[], 0]);
});

const log = (more: Partial<LogWanted>): LogWanted => ({
  name: 'm',
  path: '/var/log/m.log',
  patterns: ['fatal: '],
  ignore: ['harmless'],
  warn: 1,
  ...more,
});

test('lines since the last look are matched, also over a rotation; what was there before is not', async () => {
  const root = makeTree({ 'var/log/m.log': 'fatal: long ago\n' });
  const look = async (before?: unknown, more: Partial<LogWanted> = {}) =>
    files.look(lookAt(root, { before, config: { files: { ...NONE, logs: [log(more)] } } }));
  const first = await look();
  expect([texts(first), first.figures['files.matches:m']]).toEqual([[], 0]);
  const path = join(root, 'var/log/m.log');
  appendFileSync(path, 'fatal: one \x1b[2J\nok\nfatal: harmless\nfatal: two\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'fatal: three\nfatal: four\nfatal: cut');
  const second = await look(again(first), { crit: 4 });
  expect(second.figures['files.matches:m']).toBe(4);
  expect(texts(second)).toEqual(['critical: 4 lines of /var/log/m.log since the last look match: fatal: one \\x1b[2J']);
  expect(second.findings[0]?.remedy).toBe('also: fatal: two / fatal: three');
  appendFileSync(path, ' in two\n');
  const third = await look(again(second));
  expect(texts(third)).toEqual(['warning: 1 line of /var/log/m.log since the last look matches: fatal: cut in two']);
  expect(texts(await look(again(third), { warn: 2 }))).toEqual([]);
});

test('a log that has stopped growing is told, and so is one that is gone', async () => {
  const root = makeTree({ 'var/log/m.log': 'x\n' });
  at(root, 'var/log/m.log', AT - 3_600_000);
  const logs = [log({ quietMs: 1_800_000 }), log({ name: 'gone', path: '/var/log/gone.log' })];
  const sample = await files.look(lookAt(root, { config: { files: { ...NONE, logs } } }));
  expect(texts(sample)).toEqual([
    'critical: log /var/log/m.log has not grown for 60 min, longer than 30 min',
    'critical: log /var/log/gone.log is missing',
  ]);
  expect(sample.figures['files.quiet_s:m']).toBe(3600);
});

test('without a word in host.cfg the mail log is watched for what daemons die of', async () => {
  const root = makeTree({ 'var/log/mail.log': '' });
  const first = await files.look(lookAt(root));
  appendFileSync(join(root, 'var/log/mail.log'), 'mx postfix/smtpd[1]: fatal: no SASL\nmx postfix/smtp[2]: non-fatal: x\n');
  expect(texts(await files.look(lookAt(root, { before: again(first) })))[0]).toContain('1 line of /var/log/mail.log');
});

const MAIN = `config = x
smtpd_tls_cert_file = /etc/ssl/mx.pem
transport_maps = hash:/etc/postfix/transport, lmdb:\${config_directory}/relay
alias_maps = hash:/etc/aliases
# virtual_alias_maps = hash:/etc/postfix/unused
`;

test('maps that are older than their sources, or missing, are told with the command that makes them', async () => {
  const root = makeTree({
    'etc/postfix/main.cf': MAIN.replace('smtpd_tls', '#smtpd_tls'),
    ...Object.fromEntries(
      [
        'etc/postfix/transport',
        'etc/postfix/transport.db',
        'etc/postfix/relay',
        'etc/aliases',
        'etc/aliases.db',
        'etc/postfix/unused',
      ].map(name => [name, 'x']),
    ),
  });
  at(root, 'etc/postfix/transport.db', AT - 60_000);
  at(root, 'etc/postfix/transport', AT - 30_000);
  at(root, 'etc/aliases', AT - 60_000);
  at(root, 'etc/aliases.db', AT - 60_000);
  const { findings } = await files.look(lookAt(root));
  expect(findings.map(({ text, remedy }) => `${text} -> ${remedy}`)).toEqual([
    'map /etc/postfix/transport.db is older than /etc/postfix/transport: what was changed there is not in use -> postmap hash:/etc/postfix/transport',
    'map /etc/postfix/relay.lmdb is missing: /etc/postfix/relay is not in use -> postmap lmdb:/etc/postfix/relay',
  ]);
  at(root, 'etc/aliases', AT);
  expect((await files.look(lookAt(root))).findings.at(-1)?.remedy).toBe('postalias hash:/etc/aliases');
});

test('the configuration is asked about when it has changed, and its complaint stays until it is mended', async () => {
  const root = makeTree({
    'etc/postfix/main.cf': 'a = b\n',
    'etc/dovecot/dovecot.conf': 'x\n',
    'etc/dovecot/conf.d/10-ssl.conf': 'y\n',
  });
  const asked: string[] = [];
  let doveconf = { status: 0, stdout: 'ssl_cert = </etc/ssl/none.pem\n', stderr: '' };
  const run: Run = async command => {
    if (command[0] !== 'postfix' && command[0] !== 'doveconf') return nothingInstalled(command);
    asked.push(command.join(' '));
    return command[0] === 'postfix' ? { ended: 'done', status: 0, stdout: '', stderr: '' } : { ended: 'done', ...doveconf };
  };
  const first = await files.look(lookAt(root, { run }));
  expect(asked).toEqual(['postfix check', 'doveconf -n']);
  expect(texts(first)).toEqual(['warning: certificate /etc/ssl/none.pem cannot be read: it is missing']);
  const second = await files.look(lookAt(root, { run, before: again(first), at: AT + 300_000 }));
  expect(asked).toHaveLength(2);
  expect(texts(second)).toHaveLength(1);

  doveconf = {
    status: 89,
    stdout: '',
    stderr: 'doveconf: Fatal: Error in configuration file /etc/dovecot/conf.d/10-ssl.conf line 5: Unknown setting: sssl\n',
  };
  at(root, 'etc/dovecot/conf.d/10-ssl.conf', AT + 400_000);
  const third = await files.look(lookAt(root, { run, before: again(second), at: AT + 600_000 }));
  expect(asked.slice(2)).toEqual(['doveconf -n']);
  expect(texts(third)).toEqual([
    'critical: doveconf -n complains: doveconf: Fatal: Error in configuration file /etc/dovecot/conf.d/10-ssl.conf line 5: Unknown setting: sssl',
  ]);
  const fourth = await files.look(lookAt(root, { run, before: again(third), at: AT + 900_000 }));
  expect([asked.length, texts(fourth)]).toEqual([3, texts(third)]);
  const fifth = await files.look(lookAt(root, { run, before: again(fourth), at: AT + 600_000 + 3_700_000 }));
  expect(asked).toHaveLength(4);

  // Put back from a backup: older than its neighbour, and another configuration all the same.
  at(root, 'etc/dovecot/dovecot.conf', AT + 500_000);
  const sixth = await files.look(lookAt(root, { run, before: again(fifth), at: AT + 5_000_000 }));
  doveconf = { status: 0, stdout: '', stderr: '' };
  at(root, 'etc/dovecot/conf.d/10-ssl.conf', AT - 86_400_000);
  const mended = await files.look(lookAt(root, { run, before: again(sixth), at: AT + 5_300_000 }));
  expect([asked.length, texts(mended)]).toEqual([6, []]);
});

test('what Postfix tells only a terminal is asked for on one; what can be used all the same is a warning', async () => {
  const root = makeTree({ 'etc/postfix/main.cf': 'a = b\n' });
  const asked: string[] = [];
  let words = '';
  let status = 1;
  const run: Run = async command => {
    asked.push(command.join(' '));
    if (command[0] === 'script')
      return {
        ended: 'done',
        status,
        stdout: 'postfix: warning: x\r\npostfix: fatal: unknown inet_protocols value\r\n',
        stderr: '',
      };
    return { ended: 'done', status, stdout: '', stderr: words };
  };
  const silent = await files.look(lookAt(root, { run }));
  expect(asked).toEqual(['postfix check', "script -q -e -c 'postfix' 'check' /dev/null"]);
  expect(texts(silent)).toEqual(['critical: postfix check complains: postfix: fatal: unknown inet_protocols value']);
  words = '/usr/sbin/postconf: warning: /etc/postfix/main.cf: unused parameter: foo=bar\n';
  status = 0;
  const warned = await files.look(lookAt(root, { run }));
  expect(texts(warned)).toEqual([`warning: postfix check complains: ${words.trim()}`]);
  // Kept and told again, with the same weight.
  expect(texts(await files.look(lookAt(root, { run, before: again(silent), at: AT + 1000 })))).toEqual(texts(silent));
  const mute: Run = async command => ({ ended: 'done', status: command[0] === 'postfix' ? 69 : 1, stdout: '', stderr: '' });
  expect(texts(await files.look(lookAt(root, { run: mute })))).toEqual([
    'critical: postfix check complains: it ended with status 69 and said nothing',
  ]);
});

test('a command that needs root is told as missing, not as a fault', async () => {
  const root = makeTree({ 'etc/postfix/main.cf': 'a = b\n' });
  const run: Run = async command =>
    command[0] === 'postfix'
      ? { ended: 'done', status: 1, stdout: '', stderr: 'postfix: fatal: the postfix command is reserved for the superuser\n' }
      : nothingInstalled(command);
  const { findings, missing } = await files.look(lookAt(root, { run }));
  expect(findings).toEqual([]);
  expect(missing).toMatchObject([
    { why: 'postfix check needs root', remedy: 'run check_files as root, or set parse = false in [files] of host.cfg' },
  ]);
  const quiet = await files.look(lookAt(root, { run, config: { files: { ...NONE, parse: false } } }));
  expect(quiet.missing).toEqual([]);
});

test('certificates are found by the configuration and told in days', async () => {
  expect(postfixCertificates(MAIN)).toEqual(['/etc/ssl/mx.pem']);
  expect(
    dovecotCertificates(
      'ssl = required\nssl_cert = </a.pem\nlocal_name x {\n  ssl_cert = </b.pem\n}\nssl_server_cert_file = /c.pem\n',
    ),
  ).toEqual(['/a.pem', '/b.pem', '/c.pem']);
  const now = Date.UTC(2026, 10, 23);
  const root = makeTree({
    'etc/postfix/main.cf': MAIN.replace(/^(?:transport|alias).*\n/gm, ''),
    'etc/ssl/mx.pem': `# chain\n${CA}`,
    'c/bad.pem': 'no certificate',
  });
  const certificates = [
    { name: 'bad', path: '/c/bad.pem' },
    { name: 'none', path: '/c/none.pem' },
  ];
  const sample = await files.look(lookAt(root, { at: now, config: { files: { ...NONE, certificates } } }));
  expect(texts(sample)).toEqual([
    'critical: /c/bad.pem holds no certificate that can be read',
    'critical: certificate /c/none.pem cannot be read: it is missing',
  ]);
  expect(sample.figures['files.certificate_days:/etc/ssl/mx.pem']).toBeGreaterThan(0);
  const early = await files.look(lookAt(root, { at: now - 400 * 86_400_000 }));
  expect(texts(early)[0]).toMatch(/^critical: certificate \/etc\/ssl\/mx\.pem \(.*\) is not valid before /);
  rmSync(root, { recursive: true });
});
