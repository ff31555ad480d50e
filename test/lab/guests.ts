// Exim, sendmail and OpenSMTPD beside the lab's Postfix: real programs that fill real queues below a folder of their own, and deliver nothing, since
// the machine that they send everything to refuses connections. Unpacked by `lab install`, run in name spaces of their own.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { guestFile } from './packages.ts';
import { type Ran, run, until } from './run.ts';

/** A message that a guest is given over SMTP. */
export interface Given {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The client's address: any for Exim, one of 127.0.0.0/8 for sendmail. */
  readonly client: string;
}

/** Nothing listens there. */
const NOBODY = { host: '127.0.0.1', port: 1 };

export interface Exim {
  readonly spool: string;
  /** Runs the program with further arguments. */
  tool(...args: readonly string[]): Promise<Ran>;
  give(message: Given): Promise<void>;
}

/** @param dir absolute, made here */
export async function exim(dir: string, options: { readonly isSplit: boolean }): Promise<Exim> {
  mkdirSync(join(dir, 'log'), { recursive: true });
  mkdirSync(join(dir, 'spool'));
  const program = guestFile('exim4-daemon-light');
  const config = join(dir, 'exim.conf');
  writeFileSync(
    config,
    `primary_hostname = exim.lab.test
spool_directory = ${dir}/spool
log_file_path = ${dir}/log/%slog
exim_path = ${program}
queue_only = true
split_spool_directory = ${options.isSplit}
keep_environment =
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin routers
away:
  driver = manualroute
  route_list = * ${NOBODY.host}::${NOBODY.port}
  transport = smtp
  self = send
begin transports
smtp:
  driver = smtp
begin retry
* * F,1h,10m
`,
  );
  makeAccounts(dir, { 'Debian-exim': 64_999 });
  const inside = (...command: readonly string[]) => withAccounts(dir, [], command);
  await run(inside('chown', '-R', 'Debian-exim:Debian-exim', join(dir, 'spool'), join(dir, 'log')));
  const call = (args: readonly string[], input?: string) =>
    run(inside(program, '-C', config, ...args), { anyStatus: true, ...(input === undefined ? {} : { input }) });
  return {
    spool: join(dir, 'spool'),
    tool: (...args) => call(args),
    async give({ client, ...message }) {
      const { stdout } = await call(['-oMa', client, '-bs'], smtp(message));
      if (!/^250 OK id=/m.test(stdout)) throw new Error(`Exim did not take the message: ${stdout}`);
    },
  };
}

/** Users that are built into Debian's programs, and stand in /etc/passwd only where the packages are installed. */
function makeAccounts(dir: string, users: Readonly<Record<string, number>>): void {
  for (const file of ['passwd', 'group'] as const) {
    copyFileSync(`/etc/${file}`, join(dir, file));
    const there = readFileSync(join(dir, file), 'utf8');
    for (const [name, id] of Object.entries(users)) {
      if (new RegExp(`^${name}:`, 'm').test(there)) continue;
      const line = file === 'passwd' ? `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin` : `${name}:x:${id}:`;
      writeFileSync(join(dir, file), `${line}\n`, { flag: 'a' });
    }
  }
}

/** In a mount name space where these are known, and further folders lie over the system's. */
function withAccounts(dir: string, over: readonly (readonly [string, string])[], command: readonly string[]): string[] {
  const binds = [[`${dir}/passwd`, '/etc/passwd'], [`${dir}/group`, '/etc/group'], ...over];
  const mounts = binds.map(([from, to]) => `mount --bind '${from}' '${to}'`).join(' && ');
  return ['unshare', '-m', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...command];
}

export interface Opensmtpd {
  /** What its /var/spool/smtpd is. */
  readonly spool: string;
  give(message: Given): Promise<void>;
  stop(): Promise<void>;
}

/** @param dir absolute, made here */
export async function opensmtpd(dir: string, { port }: { readonly port: number }): Promise<Opensmtpd> {
  mkdirSync(join(dir, 'spool/smtpd'), { recursive: true, mode: 0o711 });
  mkdirSync(join(dir, 'lib/opensmtpd/empty'), { recursive: true });
  mkdirSync(join(dir, 'run'));
  makeAccounts(dir, { opensmtpd: 64_998, opensmtpq: 64_997 });
  writeFileSync(
    join(dir, 'smtpd.conf'),
    `listen on 127.0.0.1 port ${port}
action "out" relay host smtp://${NOBODY.host}:${NOBODY.port}
match from any for any action "out"
`,
  );
  const over = [
    [`${dir}/spool`, '/var/spool'],
    [`${dir}/lib`, '/var/lib'],
    [`${dir}/run`, '/run'],
  ] as const;
  // Copied, since /var/lib, where guests lie, is another one inside.
  copyFileSync(guestFile('opensmtpd'), join(dir, 'smtpd'));
  chmodSync(join(dir, 'smtpd'), 0o755);
  const [first = '', ...rest] = withAccounts(dir, over, [join(dir, 'smtpd'), '-d', '-f', join(dir, 'smtpd.conf')]);
  const daemon = spawn(first, rest, { stdio: 'ignore' });
  await until(`OpenSMTPD listens on port ${port}`, 10_000, async () => ((await listens(port)) ? true : undefined));
  return {
    spool: join(dir, 'spool/smtpd'),
    give: message => giveOver({ host: '127.0.0.1', port }, message),
    stop: () => ended(daemon),
  };
}

export interface Sendmail {
  tool(...args: readonly string[]): Promise<Ran>;
  give(message: Given): Promise<void>;
  stop(): Promise<void>;
}

/** @param queue an absolute folder that exists; may end in `*` */
export async function sendmail(
  dir: string,
  { queue, port, zone = 'UTC' }: { readonly queue: string; readonly port: number; readonly zone?: string },
): Promise<Sendmail> {
  mkdirSync(dir, { recursive: true });
  const config = join(dir, 'sendmail.cf');
  const macros = guestFile('sendmail-cf').replace(/m4\/cf\.m4$/, '');
  writeFileSync(join(dir, 'switch'), 'hosts files\n');
  writeFileSync(
    join(dir, 'sendmail.mc'),
    `divert(0)dnl
OSTYPE(\`linux')dnl
define(\`QUEUE_DIR', \`${queue}')dnl
define(\`confPID_FILE', \`${dir}/pid')dnl
define(\`STATUS_FILE', \`${dir}/stat')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confDOMAIN_NAME', \`sendmail.lab.test')dnl
define(\`confDELIVERY_MODE', \`deferred')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confDONT_BLAME_SENDMAIL', \`GroupWritableDirPathSafe')dnl
define(\`confSERVICE_SWITCH_FILE', \`${dir}/switch')dnl
define(\`SMART_HOST', \`esmtp:[${NOBODY.host}]')dnl
define(\`ESMTP_MAILER_ARGS', \`TCP $h ${NOBODY.port}')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`accept_unqualified_senders')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`promiscuous_relay')dnl
DAEMON_OPTIONS(\`Port=${port}, Addr=127.0.0.1, Name=MTA')dnl
MAILER(\`smtp')dnl
`,
  );
  const made = await run([guestFile('m4'), `-D_CF_DIR_=${macros}`, guestFile('sendmail-cf'), join(dir, 'sendmail.mc')]);
  writeFileSync(config, made.stdout);
  // Without a dot in the host's name it waits for one for a minute.
  const inside = (...args: readonly string[]): [string, ...string[]] => [
    'unshare',
    '-u',
    'sh',
    '-c',
    'hostname sendmail.lab.test && exec "$@"',
    'sh',
    guestFile('sendmail-bin'),
    '-C',
    config,
    ...args,
  ];
  const env = { ...process.env, TZ: zone };
  const [first, ...rest] = inside('-bD');
  const daemon = spawn(first, rest, { stdio: 'ignore', env });
  await until(`sendmail listens on port ${port}`, 10_000, async () => ((await listens(port)) ? true : undefined));
  return {
    tool: (...args) => run(inside(...args), { env, anyStatus: true }),
    give: message => giveOver({ host: '127.0.0.1', port }, message),
    stop: () => ended(daemon),
  };
}

function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null) return Promise.resolve();
  return new Promise(resolve => {
    daemon.on('close', () => resolve());
    daemon.kill('SIGTERM');
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** The whole dialog; each line waits for the reply to the one before. @throws what the server says when it does not take it */
export async function giveOver(
  door: { readonly host: string; readonly port: number },
  { client, ...message }: Given,
): Promise<void> {
  const socket = connect({ ...door, localAddress: client });
  const lines = smtpLines(message);
  let heard = '';
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(10_000, () => socket.destroy(new Error(`nothing was said for 10 s after: ${heard}`)));
    socket.once('error', reject).once('close', () => resolve());
    socket.on('data', chunk => {
      heard += chunk.toString('latin1');
      const last = heard.trimEnd().split('\n').at(-1) ?? '';
      if (!heard.endsWith('\n') || /^\d{3}-/.test(last)) return;
      if (/^[45]/.test(last)) socket.destroy(new Error(`refused: ${last}`));
      else socket.write(lines.shift() ?? '');
    });
  });
}

function smtpLines({ sender, recipients }: Omit<Given, 'client'>): string[] {
  return [
    'EHLO liar.example\r\n',
    `MAIL FROM:<${sender}>\r\n`,
    ...recipients.map(each => `RCPT TO:<${each}>\r\n`),
    'DATA\r\n',
    `From: <${sender}>\r\nSubject: test\r\n\r\nhello\r\n.\r\n`,
    'QUIT\r\n',
  ];
}

function smtp(message: Omit<Given, 'client'>): string {
  return smtpLines(message).join('');
}
