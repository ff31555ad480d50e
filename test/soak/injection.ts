// Texts that peers, messages, directories, logs and file names bring, full of what a terminal, a table, a spreadsheet, a browser, a
// template, a shell or Nagios would obey, followed to every place where we show or send them.

import { createSocket } from 'node:dgram';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openShop, type Shop } from '../cli/run.ts';
import type { Claim, Order, Outcome } from './claim.ts';
import { startFoul } from './foul.ts';
import { Product } from './product.ts';
import { startReceiver } from './receiver.ts';

/** In every payload, to see that it got there. */
const MARK = 'c4n4ry';
const PAYLOADS: readonly string[] = [
  `\x1b[2J\x1b]0;${MARK}\x07\x1b[31m`,
  `=cmd|'/c ${MARK}'!A1`,
  `<script>alert('${MARK}')</script><img src=x onerror=alert(1)>`,
  `"><svg/onload=alert('${MARK}')>' onmouseover='x`,
  `\${1234*5678} {{1234}} {{#each this}}${MARK}{{/each}} {{{constructor}}} <%= 1234*5678 %>`,
  `\u202etxt.${MARK}\u2066\u200b\ufeff`,
  `\0${MARK}\0 %s%n%x`,
  `${MARK} | total=0;0;0 ; [0] PROCESS_SERVICE_CHECK_RESULT;h;s;0;OK`,
  `\`touch /tmp/${MARK}\` $(touch /tmp/${MARK}) ; touch /tmp/${MARK}`,
  `${MARK}\rOK       all is well\x85\u2028FAKE | 00:00:00 | a | b | c | 1 | |`,
  `\t+SUM(1)\t@${MARK}\t-1+1`,
  `\x9b31m\x90${MARK}\x9c\x7f`,
];

const FORMATS = ['classic', 'daily', 'csv', 'json', 'prometheus', 'openmetrics'] as const;

export const injection: Claim = {
  name: 'injection',
  promise: '16: what peers, messages, logs and file names say is shown everywhere and obeyed nowhere',
  unit: 'payloads',
  short: 1,
  full: PAYLOADS.length,
  run: injectEverywhere,
};

async function injectEverywhere({ n, seed, say }: Order): Promise<Outcome> {
  using product = new Product();
  const isShort = n < 2;
  const foul = await startFoul();
  const receiver = await startReceiver();
  const syslog = await startSyslog();
  const place = mkdtempSync(join(tmpdir(), 'healthmon-injection-'));
  const shop = await openShop({
    mtas: 1,
    mmps: 1,
    stores: 1,
    limits: { submitMs: 5000, deliverMs: 5000, fetchMs: 5000, slowMs: 30_000 },
  });
  const sinks = new Sinks();
  const child = join(place, 'child');
  writeFileSync(child, `#!/bin/sh\n{ env | grep HEALTHMON; printf '%s\\n' "$@"; cat; } >> ${place}/child.out\n`);
  chmodSync(child, 0o755);
  writeFileSync(join(place, 'nagios'), '');
  const alarmsCfg = `[alarms]
together = 0
[webhook.hook]
url = "${receiver.url}"
[syslog.log]
host = "127.0.0.1"
port = ${syslog.port}
[exec.child]
command = ["${child}", "{short}"]
[nagios.core]
command_file = "${place}/nagios"
host = "mail"
${['hook', 'log', 'child', 'core'].map(name => `[notify.${name}]\nchannels = ["${name}"]\n`).join('')}`;
  try {
    for (let number = 0; number < n; number += 1) {
      const payload = PAYLOADS[(seed + number) % PAYLOADS.length] as string;
      sinks.payload = payload;
      const config = join(place, `etc${number}`);
      const state = join(place, `var${number}`);
      mkdirSync(config);
      foul.writeConfig(config, 'not a secret of anybody');
      foul.words = () => payload;
      writeFileSync(join(config, 'alarms.cfg'), alarmsCfg);
      writeHostConfig(config, place, payload);
      const places = { config, state };
      const run = async (sink: string, command: string, ...args: string[]) => {
        const { out, err } = await product.run(command, args, places);
        sinks.take(sink, out, err);
      };
      for (const stage of isShort ? (['work'] as const) : (['greeting', 'login', 'work'] as const)) {
        foul.stage = stage;
        await run('check_rndtrip', 'check_rndtrip', '--all');
        const trip = ['-u', 'ims1', '-s', 'mta1', '-p', 'mmp1', '-m', stage === 'login' ? 'pop3' : 'imap'];
        await run('runmonitor -v', 'runmonitor', ...trip, '-v');
        await run('--nagios', 'runmonitor', ...trip, '--nagios');
        await run('--json', 'runmonitor', ...trip, '--json');
      }
      await run('explain', 'healthmon', 'explain');
      await run('check_ldap', 'check_ldap', '-v');
      await run('check_ldap --nagios', 'check_ldap', '--nagios');
      await run('check_files', 'check_files', '-v');
      // A log is read from where the first look has found its end.
      appendFileSync(join(place, 'cores', 'log'), `Nov 22 07:00:01 host error: ${payload.replaceAll('\n', ' ')}\n`);
      await run('check_files', 'check_files', '-v');
      await run('check_files --nagios', 'check_files', '--nagios');
      await letterThrough(shop, product, payload, state, sinks);
      for (const format of isShort ? (['daily', 'csv'] as const) : FORMATS)
        await run(`report ${format}`, 'check_rndtrip', '-r', '--day', 'today', '--print', '--format', format);
      await run(
        'report html',
        'check_rndtrip',
        '-r',
        '--day',
        'today',
        '--out',
        join(place, `report${number}.html`),
        '--format',
        'daily',
      );
      sinks.takeFiles(state);
      for (const file of [`report${number}.html`, 'nagios', 'child.out'])
        if (existsSync(join(place, file))) sinks.take(file.replace(/\d/, ''), readFileSync(join(place, file), 'utf8'));
      for (const body of receiver.told.splice(0)) sinks.take('webhook', body);
      for (const packet of syslog.got.splice(0)) sinks.take('syslog', packet);
      writeFileSync(join(place, 'nagios'), '');
      rmSync(join(place, 'child.out'), { force: true });
      say(`${number + 1} of ${n}`);
    }
    if (existsSync(`/tmp/${MARK}`)) sinks.failures.add('a shell has run what a peer said');
    for (const sink of [
      'check_rndtrip',
      'runmonitor -v',
      '--nagios',
      '--json',
      'explain',
      'journal',
      'webhook',
      'syslog',
      'child.out',
    ])
      if ((sinks.reached.get(sink) ?? 0) === 0)
        sinks.failures.add(`${sink}: nothing of a payload got there, so nothing was tried`);
    return {
      n,
      failures: [...sinks.failures],
      figures: {
        'sinks looked at': sinks.seen.size,
        'reached by a payload': sinks.reached.size,
        'not reached': [...sinks.seen].filter(sink => !sinks.reached.has(sink)).join(', ') || 'none',
        'bytes looked at': sinks.bytes,
      },
    };
  } finally {
    await foul.stop();
    receiver.stop();
    syslog.stop();
    await shop.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

/** A good site that hands our message back with stamps and a subject of somebody else's making. */
async function letterThrough(shop: Shop, product: Product, payload: string, state: string, sinks: Sinks): Promise<void> {
  const inbox = shop.standin.stores.get('ims1')?.mailbox('ims1');
  if (inbox === undefined) throw new Error('no inbox');
  const append = inbox.append.bind(inbox);
  const line = payload.replace(/[\r\n]/g, '');
  const stamp = `Received: from ${line} (${line} [127.0.0.1])\r\n\tby ${line} with ${line} id ${line}; Sun, 22 Nov 2026 07:37:04 +0000\r\n`;
  inbox.append = (raw, options) =>
    append(
      Buffer.concat([Buffer.from(stamp), Buffer.from(raw.toString('utf8').replace(/^Subject: .*$/m, `Subject: ${line}`))]),
      options,
    );
  for (const mailbox of ['imap', 'pop3']) {
    const args = ['-u', 'ims1', '-s', 'ssmtp01', '-p', 'smux01', '-m', mailbox, '-v'];
    const { out, err } = await product.run('runmonitor', args, { config: shop.config, state });
    sinks.take('runmonitor, of a letter', out, err);
  }
  inbox.append = append;
}

/** Files whose names are the payload, and a log in which it stands. */
function writeHostConfig(config: string, place: string, payload: string): void {
  const cores = join(place, 'cores');
  rmSync(cores, { recursive: true, force: true });
  mkdirSync(cores);
  const name = payload.replaceAll('/', '_').replaceAll('\0', '').slice(0, 60);
  writeFileSync(join(cores, `core.${name}`), '\x7fELF');
  writeFileSync(join(cores, 'log'), `Nov 22 07:00:00 host error: ${payload.replaceAll('\n', ' ')}\n`);
  writeFileSync(
    join(config, 'host.cfg'),
    `[files]\ncores = ["${cores}"]\nparse = false\n[log.mine]\npath = "${cores}/log"\npatterns = ["error"]\n`,
  );
}

class Sinks {
  payload = '';
  readonly failures = new Set<string>();
  readonly seen = new Set<string>();
  readonly reached = new Map<string, number>();
  bytes = 0;

  take(sink: string, ...texts: readonly string[]): void {
    this.seen.add(sink);
    for (const text of texts) {
      this.bytes += text.length;
      if (text.includes(MARK)) this.reached.set(sink, (this.reached.get(sink) ?? 0) + 1);
      for (const [what, pattern] of wrongIn(sink)) {
        const match = pattern.exec(text);
        if (match === null) continue;
        const around = text.slice(Math.max(0, match.index - 60), match.index + 40);
        this.failures.add(`${sink}: ${what} of ${JSON.stringify(this.payload)}: ${JSON.stringify(around)}`);
      }
    }
    if (sink.includes('--nagios') && texts.join('').trimEnd().split('\n').length !== 1)
      this.failures.add(`${sink}: more than one line: ${JSON.stringify(texts)}`);
  }

  takeFiles(state: string): void {
    for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
      const file = join(state, name);
      if (!statSync(file).isFile()) continue;
      const text = readFileSync(file, 'utf8');
      this.take(name.startsWith('journal') ? 'journal' : name.startsWith('systest') ? 'systest.log' : 'other state', text);
      if (name.startsWith('systest') && /[^\n\x20-\x7e]/.test(text))
        this.failures.add('systest.log: a byte that is no plain ASCII');
    }
  }
}

/** What must not be in a text, by where it goes. */
function wrongIn(sink: string): readonly (readonly [string, RegExp])[] {
  const isHtml = sink.endsWith('.html') || sink === 'report html';
  return [
    ['a control character', /[\x00-\x08\x0b-\x1f\x7f-\x9f]/],
    ['a character that hides or turns text', /[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/],
    ['a template that was carried out', /7006652/],
    ...(isHtml ? [['markup', /<script>alert|<img src=x|<svg\/onload|" onmouseover='x|' onmouseover='x/i] as const] : []),
    ...(sink === 'report csv' ? [['a formula', /(^|,|;)"?[=@+\t]/m] as const] : []),
    ...(sink.includes('--nagios') ? [['performance data', /\|[^|]*total=0;0;0/] as const] : []),
    ...(sink === 'nagios' ? [['a second command', /\n(?!\[\d+\] PROCESS_SERVICE_CHECK_RESULT;mail;healthmon;|$)/] as const] : []),
    ...(/prometheus|openmetrics/.test(sink) ? [['a line of its own', /^(?!#|[a-z_]+(\{|\s)|$)/m] as const] : []),
  ];
}

async function startSyslog(): Promise<{ readonly port: number; readonly got: string[]; stop(): void }> {
  const got: string[] = [];
  const socket = createSocket('udp4', packet =>
    got.push(packet.toString('utf8').replace(/^(<\d+>1 \S+ \S+ \S+ \S+ \S+ \S+ )\ufeff/, '$1')),
  );
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, got, stop: () => socket.close() };
}
