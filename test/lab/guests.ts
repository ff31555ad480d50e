// Exim and sendmail beside the lab's Postfix: real programs that fill real queues below a folder of their own, and deliver nothing, since
// the machine that they send everything to refuses connections. Unpacked by `lab install`, run in name spaces of their own.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  // Its user is built into Debian's program, and stands in /etc/passwd only where the package is installed.
  for (const [name, line] of [
    ['passwd', 'Debian-exim:x:64999:64999::/nonexistent:/usr/sbin/nologin'],
    ['group', 'Debian-exim:x:64999:'],
  ] as const) {
    copyFileSync(`/etc/${name}`, join(dir, name));
    if (!/^Debian-exim:/m.test(readFileSync(join(dir, name), 'utf8'))) writeFileSync(join(dir, name), `${line}\n`, { flag: 'a' });
  }
  const inside = (...command: readonly string[]) => [
    'unshare',
    '-m',
    'sh',
    '-c',
    `mount --bind ${dir}/passwd /etc/passwd && mount --bind ${dir}/group /etc/group && exec "$@"`,
    'sh',
    ...command,
  ];
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
