// Makes mail logs of any size with their true counts: Postfix with Dovecot, amavis and OpenDKIM around it, short and long queue ids,
// IPv6, both styles of time stamps. The same seed makes the same log.

import { closeSync, openSync, writeSync } from 'node:fs';

export interface Truth {
  lines: number;
  received: number;
  delivered: number;
  deferrals: number;
  deferred: number;
  bounced: number;
  rejected: number;
  bytesReceived: number;
  bytesDelivered: number;
  logins: number;
  /** By hour of the day: received, delivered, deferrals, bounced, rejected. */
  readonly hours: { received: number; delivered: number; deferrals: number; bounced: number; rejected: number }[];
}

export interface MakeOptions {
  readonly bytes: number;
  readonly stamps: 'rfc3339' | 'bsd';
  readonly seed?: number;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DIGITS = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
/** The day that the log is of, local time. */
const LOG_DAY = [2026, 10, 21] as const;

/** Writes the log. @returns what a right answer is */
export function makeLog(file: string, { bytes, stamps, seed = 1 }: MakeOptions): Truth {
  const fd = openSync(file, 'w');
  const random = randomFrom(seed);
  const hours = Array.from({ length: 24 }, () => ({ received: 0, delivered: 0, deferrals: 0, bounced: 0, rejected: 0 }));
  const truth: Truth = {
    lines: 0,
    received: 0,
    delivered: 0,
    deferrals: 0,
    deferred: 0,
    bounced: 0,
    rejected: 0,
    bytesReceived: 0,
    bytesDelivered: 0,
    logins: 0,
    hours,
  };
  let parts: string[] = [];
  let held = 0;
  let written = 0;
  const write = (at: Date, program: string, text: string) => {
    const line = `${stampOf(at, stamps, random)} mx1 ${program}: ${text}\n`;
    parts.push(line);
    held += line.length;
    truth.lines += 1;
    if (held > 1 << 20) flush();
  };
  const flush = () => {
    written += writeSync(fd, parts.join(''));
    parts = [];
    held = 0;
  };
  const [year, month, day] = LOG_DAY;
  // So many messages fill the day evenly: about 900 bytes each.
  const stepMs = 86_000_000 / Math.max(1, bytes / 900);
  let clock = new Date(year, month, day).getTime() + 1000;
  for (let n = 0; written + held < bytes; n++) {
    const at = new Date(Math.min(clock, new Date(year, month, day, 23, 59, 58).getTime()));
    clock += stepMs * (0.5 + random());
    one(n, at, random, write, truth);
  }
  flush();
  closeSync(fd);
  return truth;
}

type Random = () => number;

function one(n: number, at: Date, random: Random, write: (at: Date, program: string, text: string) => void, truth: Truth): void {
  const hour = truth.hours[at.getHours()];
  if (hour === undefined) return;
  const pid = 1000 + Math.floor(random() * 30_000);
  const client = random() < 0.2 ? `2001:db8:${(n % 4096).toString(16)}::7` : `192.0.${n % 200}.${1 + (n % 250)}`;
  const host = random() < 0.3 ? 'unknown' : `mail${n % 5000}.sender${n % 900}.example`;
  const what = random();
  const isSubmission = random() < 0.25;
  const smtpd = isSubmission ? `postfix/submission/smtpd[${pid}]` : `postfix/smtpd[${pid}]`;
  if (what < 0.1) {
    write(at, `postfix/postscreen[901]`, `CONNECT from [${client}]:${20_000 + (n % 40_000)} to [192.0.2.10]:25`);
    if (what < 0.03) {
      write(
        at,
        `postfix/postscreen[901]`,
        `NOQUEUE: reject: RCPT from [${client}]:4711: 550 5.7.1 Service unavailable; client [${client}] blocked using zen.example.org; from=<x@y.example>, to=<u@z.example>, proto=ESMTP, helo=<h>`,
      );
      truth.rejected += 1;
      hour.rejected += 1;
    }
    write(at, `postfix/postscreen[901]`, `DISCONNECT [${client}]:4711`);
    return;
  }
  if (what < 0.25) {
    write(at, smtpd, `connect from ${host}[${client}]`);
    write(
      at,
      smtpd,
      `NOQUEUE: reject: RCPT from ${host}[${client}]: 554 5.7.1 <user${n % 700}@example.com>: Relay access denied; from=<spam${n}@bulk${n % 300}.example> to=<user${n % 700}@example.com> proto=ESMTP helo=<liar.example>`,
    );
    write(at, smtpd, `disconnect from ${host}[${client}] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4`);
    truth.rejected += 1;
    hour.rejected += 1;
    return;
  }
  if (what < 0.35) {
    const session = `<${n.toString(36)}abcdefgh/AAAB>`;
    write(
      at,
      'dovecot',
      `imap-login: Login: user=<user${n % 3000}@example.com>, method=PLAIN, rip=${client}, lip=192.0.2.10, mpid=${pid}, TLS, session=${session}`,
    );
    write(
      at,
      'dovecot',
      `imap(user${n % 3000}@example.com)<${pid}>${session}: Disconnected: Logged out in=313 out=3141 deleted=0 expunged=0 trashed=0 hdr_count=3 hdr_bytes=1020 body_count=0 body_bytes=0`,
    );
    truth.logins += 1;
    return;
  }
  const id =
    random() < 0.6
      ? longId(at, n)
      : `${(n % 0xfffff).toString(16).toUpperCase().padStart(5, '0')}${(n + 0xa0000).toString(16).toUpperCase()}`;
  const size = 500 + Math.floor(random() ** 4 * 5_000_000);
  const sender = `sender${n % 20_000}@from${n % 2500}.example`;
  const login = isSubmission ? `, sasl_method=PLAIN, sasl_username=user${n % 3000}` : '';
  write(at, smtpd, `connect from ${host}[${client}]`);
  write(at, smtpd, `${id}: client=${host}[${client}]${login}`);
  truth.received += 1;
  hour.received += 1;
  write(at, `postfix/cleanup[${pid + 1}]`, `${id}: message-id=<${n}.${pid}.abcdef@from${n % 2500}.example>`);
  write(at, 'opendkim[700]', `${id}: DKIM verification successful`);
  const recipients = 1 + (random() < 0.15 ? Math.floor(random() * 4) : 0);
  write(at, 'postfix/qmgr[800]', `${id}: from=<${sender}>, size=${size}, nrcpt=${recipients} (queue active)`);
  truth.bytesReceived += size;
  write(at, smtpd, `disconnect from ${host}[${client}] ehlo=2 starttls=1 mail=1 rcpt=${recipients} data=1 quit=1 commands=7`);
  if (random() < 0.3)
    write(
      at,
      `amavis[${pid + 2}]`,
      `(${pid}-01) Passed CLEAN {RelayedInbound}, [${client}]:4711 [${client}] <${sender}> -> <user@example.com>, Queue-ID: ${id}, Message-ID: <${n}@x>, mail_id: abc, Hits: -1.9, size: ${size}, 321 ms`,
    );
  let isDeferred = false;
  for (let r = 0; r < recipients; r++) {
    const to = `user${(n + r) % 9000}@to${(n * 7 + r) % 4000}.example`;
    const local = random() < 0.5;
    const program = local ? `postfix/lmtp[${pid + 3}]` : `postfix/smtp[${pid + 3}]`;
    const relay = local ? 'store1.example.com[192.0.2.20]:24' : `mx.to${n % 4000}.example[198.51.100.${n % 250}]:25`;
    const delays = 'delay=1.3, delays=0.11/0.02/0.4/0.77';
    const how = random();
    if (how < 0.06) {
      write(
        at,
        program,
        `${id}: to=<${to}>, relay=${relay}, ${delays}, dsn=4.2.2, status=deferred (host ${relay.replace(/:\d+$/, '')} said: 452 4.2.2 <${to}> Quota exceeded (mailbox for user is full) (in reply to end of DATA command))`,
      );
      truth.deferrals += 1;
      hour.deferrals += 1;
      if (!isDeferred) truth.deferred += 1;
      isDeferred = true;
    }
    if (how < 0.09 && how >= 0.06) {
      write(
        at,
        program,
        `${id}: to=<${to}>, relay=${relay}, ${delays}, dsn=5.1.1, status=bounced (host ${relay} said: 550 5.1.1 <${to}> User unknown (in reply to RCPT TO command))`,
      );
      truth.bounced += 1;
      hour.bounced += 1;
      continue;
    }
    write(
      at,
      program,
      `${id}: to=<${to}>, relay=${relay}, ${delays}, dsn=2.0.0, status=sent (250 2.0.0 <${to}> 0A43CI1OAmvkFAAAg+zDdQ Saved)`,
    );
    truth.delivered += 1;
    hour.delivered += 1;
    truth.bytesDelivered += size;
  }
  write(at, 'postfix/qmgr[800]', `${id}: removed`);
}

function stampOf(at: Date, style: MakeOptions['stamps'], random: Random): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (style === 'bsd') return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${time}`;
  const minutes = -at.getTimezoneOffset();
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${time}.${String(Math.floor(random() * 1e6)).padStart(6, '0')}${zone}`;
}

function longId(at: Date, n: number): string {
  const base = (value: number, width: number) => {
    let text = '';
    for (let left = value; left > 0; left = Math.floor(left / 52)) text = `${DIGITS[left % 52]}${text}`;
    return text.padStart(width, '0');
  };
  return `${base(Math.floor(at.getTime() / 1000), 6)}${base(n % 1_000_000, 4)}z${base(n + 4711, 5).replace(/z/g, 'y')}`;
}

function randomFrom(seed: number): Random {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
