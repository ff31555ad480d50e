// Whole conversations, as a person with telnet and openssl would have them: submit a message, log in and list. They return the
// server's own words, or throw with them. For the lab's tests and for trying things by hand; not the product's dialogs.

import type { Lab } from './lab.ts';
import { LabError } from './run.ts';
import { Wire } from './wire.ts';

export interface Submission {
  /** Host address, or a component's name below mta/ or balancer/. */
  readonly to: `mta/${string}` | `balancer/${string}`;
  /** 587: STARTTLS and AUTH; 465: TLS and AUTH; 25: in clear, no AUTH. */
  readonly port?: 25 | 465 | 587;
  readonly recipient?: string;
  readonly sender?: string;
  readonly subject?: string;
  readonly limitMs?: number;
}

/** Hands a message in. @returns the reply to the final dot. @throws {LabError} `auth: 535 ...`, `connect: ECONNREFUSED`. */
export async function submit(lab: Lab, options: Submission): Promise<string> {
  const { site } = lab;
  const machine = site.machine(options.to);
  const port = options.port ?? 587;
  const servername = site.hostOf(options.to.startsWith('balancer/') ? 'smtp' : machine.name);
  await using wire = await Wire.open(
    { host: machine.address, port, ca: lab.ca, servername, limitMs: options.limitMs ?? 8000 },
    port === 465,
  );
  const step = async (name: string, line: string | undefined, wanted: RegExp) => {
    const reply = line === undefined ? await named(name, wire.reply()) : await named(name, wire.ask(line));
    if (!wanted.test(reply)) throw new LabError(`${name}: ${reply.trim()}`);
    return reply.trim();
  };
  await step('banner', undefined, /^220/);
  const first = await step('ehlo', 'EHLO client.lab.test', /^250/);
  if (port === 587) {
    if (!/STARTTLS/.test(first)) throw new LabError(`ehlo: no STARTTLS in ${first}`);
    await step('starttls', 'STARTTLS', /^220/);
    await wire.startTls();
    await step('ehlo', 'EHLO client.lab.test', /^250/);
  }
  if (port !== 25) {
    const { user, password } = lab.site.account('sender');
    await step('auth', `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`, /^235/);
  }
  await step('mail', `MAIL FROM:<${options.sender ?? site.account('sender').address}>`, /^250/);
  await step('rcpt', `RCPT TO:<${options.recipient ?? site.account('ims1').address}>`, /^250/);
  await step('data', 'DATA', /^354/);
  const subject = options.subject ?? `lab ${Date.now()}`;
  const headers = [
    `From: ${site.account('sender').address}`,
    `Subject: ${subject}`,
    `Message-ID: <${subject.replace(/\W/g, '.')}@client.lab.test>`,
  ];
  const answer = await step(
    'final',
    `${headers.join('\r\n')}\r\nDate: ${new Date().toUTCString()}\r\n\r\nfirst line\r\nsecond line\r\n.`,
    /^250/,
  );
  wire.send('QUIT');
  return answer;
}

export interface Box {
  readonly at: `mmp/${string}` | `store/${string}` | `balancer/${string}`;
  readonly account: string;
  readonly protocol: 'pop3' | 'imap';
  readonly folder?: string;
  readonly limitMs?: number;
}

/** Logs in with STARTTLS, reads every message whole and deletes it. @returns the messages. @throws {LabError} as `submit`. */
export async function readAll(lab: Lab, box: Box): Promise<string[]> {
  return box.protocol === 'pop3' ? readPop(lab, box) : readImap(lab, box);
}

async function open(lab: Lab, { at, protocol, limitMs }: Box): Promise<Wire> {
  const machine = lab.site.machine(at);
  const port = protocol === 'pop3' ? 110 : 143;
  return Wire.open({ host: machine.address, port, ca: lab.ca, servername: machine.host, limitMs: limitMs ?? 8000 });
}

async function readPop(lab: Lab, box: Box): Promise<string[]> {
  await using wire = await open(lab, box);
  const step = async (name: string, line: string | undefined, ending = /^[^\n]*\n/) => {
    if (line !== undefined) wire.send(line);
    const reply = await named(name, wire.expect(new RegExp(`^-ERR[^\\n]*\\n|${ending.source}`)));
    if (!reply.startsWith('+OK')) throw new LabError(`${name}: ${reply.trim()}`);
    return reply;
  };
  const { user, password } = lab.site.account(box.account);
  await step('banner', undefined);
  const able = await step('capability', 'CAPA', /^\+OK[\s\S]*?\r\n\.\r\n/);
  if (!/^STLS/m.test(able)) throw new LabError('capability: no STLS');
  await step('starttls', 'STLS');
  await wire.startTls();
  await step('auth', `USER ${user}`);
  await step('auth', `PASS ${password}`);
  const count = Number(/^\+OK (\d+)/.exec(await step('list', 'STAT'))?.[1]);
  const messages: string[] = [];
  for (let number = 1; number <= count; number++) {
    messages.push(await step('retr', `RETR ${number}`, /^\+OK[\s\S]*?\r\n\.\r\n/));
    await step('dele', `DELE ${number}`);
  }
  await step('quit', 'QUIT');
  return messages;
}

async function readImap(lab: Lab, box: Box): Promise<string[]> {
  await using wire = await open(lab, box);
  let tag = 0;
  const step = async (name: string, line: string) => {
    const mark = `a${++tag}`;
    wire.send(`${mark} ${line}`);
    const reply = await named(name, wire.expect(new RegExp(`(?:^|\\n)${mark} [^\\n]*\\n|^\\* BYE[^\\n]*\\n`)));
    if (!new RegExp(`(?:^|\\n)${mark} OK`).test(reply)) throw new LabError(`${name}: ${reply.trim()}`);
    return reply;
  };
  const { user, password } = lab.site.account(box.account);
  const banner = await named('banner', wire.line());
  if (!banner.startsWith('* OK')) throw new LabError(`banner: ${banner.trim()}`);
  if (!/STARTTLS/.test(await step('capability', 'CAPABILITY'))) throw new LabError('capability: no STARTTLS');
  await step('starttls', 'STARTTLS');
  await wire.startTls();
  await step('auth', `LOGIN ${user} ${password}`);
  await step('select', `SELECT ${box.folder ?? 'INBOX'}`);
  const fetched = await step('fetch', 'UID FETCH 1:* (BODY.PEEK[])');
  await step('store', 'UID STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await step('expunge', 'EXPUNGE');
  wire.send('z LOGOUT');
  return fetched.split(/^\* \d+ FETCH /m).slice(1);
}

async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new LabError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
