// Every parser of text or bytes that others write, as a table: how it is called, what good input looks like, and of which pieces bad
// input is made. fuzz.test.ts throws damaged input at it, linear.test.ts makes it longer.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readAlarms } from '../../lib/alarm/config/load.ts';
import { NotBer, readEntry, readMessage, readResult, readUris } from '../../lib/dialog/ldap-wire.ts';
import { Unread } from '../../lib/dialog/unread.ts';
import { loadHost } from '../../lib/host/config-load.ts';
import { Reader } from '../../lib/maillog/reader.ts';
import { printable } from '../../lib/model/printable.ts';
import { journalFile, readJournal } from '../../lib/record/journal.ts';
import { parseQmonitor, qmonitorHeader } from '../../lib/record/qmonitor.ts';
import { parseSystest, systestHeader } from '../../lib/record/systest.ts';
import { recordsFrom } from '../../lib/report/read.ts';
import { describe } from '../../lib/site/describe.ts';
import { type Problem, reporterFor } from '../../lib/site/problem.ts';
import { parseSequence } from '../../lib/site/sequence.ts';
import { SITE_TABLE } from '../../lib/site/site-table.ts';
import { readTable } from '../../lib/site/table/read.ts';
import { readToml } from '../../lib/site/table/toml.ts';
import { looksLikeBounce, parseBounce } from '../../lib/trip/bounce.ts';
import { compare } from '../../lib/trip/compare.ts';
import { parseHeaders } from '../../lib/trip/headers.ts';
import { hopsOf, skewFindings } from '../../lib/trip/received.ts';
import { verifyToken } from '../../lib/trip/token.ts';
import { entry, result } from '../dialog/ldap-peer.ts';
import type { Grammar } from './inputs.ts';

export interface Parser extends Grammar {
  readonly name: string;
  /** @returns all text that it gives for people, which must be clean; none where what it gives is data */
  readonly parse: (bytes: Buffer) => readonly string[] | Promise<readonly string[]>;
  /** What may stand before a long run of a piece, besides nothing. */
  readonly leads?: readonly string[];
  /** Errors that it is documented to throw. */
  readonly mayThrow?: (error: unknown) => boolean;
  /** Bytes of the shorter input of linear.test.ts; 16 KB when absent. */
  readonly size?: number;
}

const AT = Date.UTC(2026, 10, 22, 12);
const DAY = '2026-11-22';
const KEY = Buffer.alloc(32, 7);
const SENT = { id: 'a', messageId: '<a@b>', from: 'a@b', to: 'b@c', envelopeFrom: 'a@b', subject: 'test', bytes: 20 };
const latin1 = (bytes: Buffer) => bytes.toString('latin1');
const utf8 = (bytes: Buffer) => bytes.toString('utf8');
const buffers = (...texts: readonly string[]) => texts.map(text => Buffer.from(text));

let made: string | undefined;

/** A file with these bytes in a folder of its own, which is used again and again. */
function fileWith(name: string, bytes: Buffer): string {
  made ??= mkdtempSync(join(tmpdir(), 'healthmon-fuzz-'));
  const file = join(made, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes, { mode: 0o600 });
  return made;
}

function told(problems: readonly Problem[]): readonly string[] {
  return problems.flatMap(({ text, remedy }) => [text, remedy ?? '']);
}

const HEADER = `Received: from a (b [127.0.0.1]) by c with ESMTPS (TLS) id 4ABC for <d@e>;\r\n\tSun, 22 Nov 2026 12:00:01 +0000 (UTC)\r\nSubject: test\r\nMessage-ID: <a@b>\r\nFrom: <a@b>\r\nTo: <b@c>\r\nAuto-Submitted: auto-generated\r\nX-Healthmon-Token: v1.01234567890123456789.1764000000.${'a'.repeat(43)}\r\n\r\nbody\r\n`;
const BOUNCE =
  'Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no\r\nRemote-MTA: dns; b\r\n\r\n--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <a@b>\r\n\r\n--x--\r\n';
const SYSTEST = `${systestHeader(DAY)}12:00:01   ims1        ssmtp01     smux01      ok           1234\n`;
const JOURNAL = `{"v":1,"at":${AT},"kind":"trip","trip":{"id":"a","legs":[]},"verdict":{"state":"ok","suspects":[],"text":"x"}}\n{"v":99}\n`;
const MAIL_LOG = [
  'Nov 22 12:00:01 mx postfix/smtpd[12]: 4ABC: client=a[127.0.0.1]',
  '2026-11-22T12:00:02.123456+00:00 mx postfix/qmgr[13]: 4ABC: from=<a@b>, size=1234, nrcpt=1 (queue active)',
  'Nov 22 12:00:03 mx postfix/smtp[14]: 4ABC: to=<c@d>, orig_to=<e>, relay=f[127.0.0.1]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, status=sent (250 ok)',
  '2026-11-22 12:00:04 1abcde-0000ab-CD <= a@b H=c [127.0.0.1] P=esmtp S=1234 id=x@y',
  'Nov 22 12:00:05 mx sendmail[15]: 4AB: to=<c@d>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp, relay=e, dsn=2.0.0, stat=Sent (ok)',
  'Nov 22 12:00:06 mx dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=127.0.0.1, session=<b>',
].join('\n');

const CONFIG_PIECES = [
  '[',
  ']',
  '[[',
  '{',
  '}',
  '=',
  '"',
  "'''",
  '"""',
  '\\',
  ',',
  '.',
  '#',
  '\n',
  '[mta.a]\n',
  'host = "x"\n',
  '-',
  '1',
  '\\u0000',
  '{a=',
  '[[a]]\n',
];
const HEADER_PIECES = [
  '(',
  ')',
  '\r\n',
  '\n',
  '\n\n',
  ' ',
  '\t',
  ':',
  ';',
  'from ',
  'by ',
  'Received: ',
  '<',
  '>',
  '\r\n ',
  'a',
  '\0',
  '=?',
  '"',
  '\\',
];

export const PARSERS: readonly Parser[] = [
  {
    name: 'site.cfg',
    parse: bytes => {
      const problems: Problem[] = [];
      const report = reporterFor('site.cfg', problems);
      const toml = readToml(utf8(bytes));
      if ('root' in toml) readTable(SITE_TABLE, toml.root, report);
      else report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
      return told(problems);
    },
    good: buffers(describe('site.cfg').replaceAll(/^#.*\n/gm, '')),
    pieces: CONFIG_PIECES,
    size: 4 * 1024,
  },
  {
    name: 'sequence.cfg',
    parse: bytes => {
      const problems: Problem[] = [];
      parseSequence(bytes, reporterFor('sequence.cfg', problems));
      return told(problems);
    },
    good: buffers(
      '00 DMSG -u ims1 -s ssmtp01 -p smux01 # x\n05 DMSG -u ims1 -s ssmtp01 -p smux01 -m pop3\r\n',
      '*/5 DMSG -u a -s b -p c\n',
    ),
    pieces: ['00 ', 'DMSG ', '-u ', '-s ', '-p ', '-m ', 'a', ' ', '\t', '\n', '\r', '#', '*', ',', '/', '-', '59', '\0'],
    size: 2 * 1024,
  },
  {
    name: 'alarms.cfg',
    parse: async bytes => {
      const problems: Problem[] = [];
      const report = reporterFor('alarms.cfg', problems);
      const loaded = await readAlarms(
        utf8(bytes),
        tmpdir(),
        { plugins: join(tmpdir(), 'none-here'), state: tmpdir(), env: {} },
        { report, problems },
      );
      return told(loaded?.problems ?? []);
    },
    good: buffers(
      '[alarms]\nflap = "3/5"\n\n[log.x]\nfile = "a.log"\n\n[webhook.y]\nurl = "https://a.test/x"\n\n[[notify]]\nto = ["x"]\n',
    ),
    pieces: [...CONFIG_PIECES, '[webhook.a]\n', '[[notify]]\n', 'to = ["a"]\n'],
    size: 4 * 1024,
  },
  {
    name: 'host.cfg',
    parse: async bytes => told((await loadHost(fileWith('host.cfg', bytes)))?.problems ?? []),
    good: buffers('[host]\nchecks = ["sys"]\n\n[limits]\n'),
    pieces: CONFIG_PIECES,
    size: 4 * 1024,
  },
  {
    name: 'systest.log',
    parse: bytes => {
      parseSystest(utf8(bytes));
      return [];
    },
    good: buffers(SYSTEST),
    pieces: ['\n', '\r', ' ', '-', '|', '=', systestHeader(DAY), '12:00:01 ', 'ok', '\0', '\t', '1'],
  },
  {
    name: 'qmonitor.log',
    parse: bytes => {
      parseQmonitor(utf8(bytes));
      return [];
    },
    good: buffers(`${qmonitorHeader(DAY, 'a')}12:00     1     2     3\n`),
    pieces: ['\n', '\r', ' ', '-', '|', '=', qmonitorHeader(DAY, 'a'), '12:00 ', '1', '\0', '\t'],
  },
  {
    name: 'the journal',
    parse: bytes => {
      const state = fileWith(journalFile('', DAY).replace(/^\//, ''), bytes);
      readJournal(state, DAY);
      recordsFrom(utf8(bytes).split('\n'), { from: DAY, to: DAY });
      return [];
    },
    good: buffers(JOURNAL),
    pieces: [
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\n',
      '\\',
      '{"v":1,',
      '"at":1',
      '"kind":"trip"',
      'null',
      '1e999',
      '\0',
      '{}\n',
      '"__proto__":{}',
    ],
    size: 8 * 1024,
  },
  {
    name: 'mail logs',
    parse: bytes => {
      const reader = new Reader({ spanMs: 60_000, withNames: true, reference: AT });
      const text = latin1(bytes);
      for (let from = 0; from < text.length; ) {
        const to = text.indexOf('\n', from) < 0 ? text.length : text.indexOf('\n', from);
        reader.line(text, from, to);
        from = to + 1;
      }
      return [];
    },
    leads: [
      'Nov 22 12:00:03 mx postfix/smtp[14]: 4ABC: to=<',
      '2026-11-22 12:00:04 1abcde-0000ab-CD <= ',
      'Nov 22 12:00:05 mx sendmail[15]: 4AB: to=',
      'Nov 22 12:00:06 mx dovecot: imap-login: Login: user=<',
    ],
    good: buffers(...MAIL_LOG.split('\n'), MAIL_LOG),
    pieces: [
      ...MAIL_LOG.split('\n').map(line => `${line}\n`),
      '<',
      '>',
      '=',
      ',',
      '[',
      ']',
      '(',
      ')',
      ' ',
      '\n',
      ': ',
      'to=<',
      'delays=',
      '/',
      '\0',
      '0',
    ],
  },
  {
    name: 'headers and Received stamps',
    parse: bytes => {
      const headers = parseHeaders(bytes);
      verifyToken(KEY, headers, 'b@c');
      const hops = hopsOf(headers, AT, AT + 1000);
      return [
        ...hops.flatMap(({ by, from, protocol, queueId }) => [by, from ?? '', protocol ?? '', queueId ?? '']),
        ...skewFindings(hops).map(({ text }) => text),
      ];
    },
    good: buffers(HEADER),
    pieces: HEADER_PIECES,
    leads: ['Received: ', 'Received: from a by b; ', 'X-Healthmon-Token: ', 'Subject: '],
  },
  {
    name: 'messages that come back',
    parse: bytes => compare(bytes, SENT, 'x').map(({ text }) => text),
    good: buffers(HEADER),
    pieces: HEADER_PIECES,
    leads: ['Received: ', 'Received: from a by b; ', 'X-Healthmon-Token: ', 'Subject: '],
  },
  {
    name: 'bounces',
    parse: bytes => {
      looksLikeBounce(parseHeaders(bytes));
      const bounce = parseBounce(bytes, '<a@b>');
      return bounce === undefined ? [] : Object.values(bounce);
    },
    leads: ['Content-Type: ', 'Message-ID: <a@b>\r\nContent-Type: message/delivery-status\r\n\r\nDiagnostic-Code: '],
    good: buffers(BOUNCE),
    pieces: [
      ...HEADER_PIECES,
      'Message-ID: ',
      'message-id:',
      '<a@b>',
      'Content-Type: message/delivery-status',
      '--',
      'Action:',
      'Status: 5.',
      'Diagnostic-Code: ',
    ],
  },
  {
    name: 'LDAP messages',
    parse: bytes => {
      const { operation } = readMessage(bytes);
      for (const read of [readEntry, readResult, readUris]) {
        try {
          read(operation);
        } catch (error) {
          if (!(error instanceof NotBer)) throw error;
        }
      }
      return [];
    },
    good: [entry(1, 'cn=a', { mail: ['a@b', 'c'] }), result(1, 0x65, 0, 'x')],
    pieces: ['0', '\x80', '\xff', '\x84', '\x00', '\x04\x01a', '\x30\x00', '\x30\x82', '\x31', '\x64', '\x02\x01\x01'],
    mayThrow: error => error instanceof NotBer,
  },
  {
    name: 'bytes not read yet',
    parse: bytes => {
      const unread = new Unread();
      // A byte at a time, as the slowest peer sends them.
      for (let at = 0; at < bytes.length; at++) {
        unread.add(bytes.subarray(at, at + 1));
        if (unread.lineLength() > 0 && at % 3 === 0) unread.take(unread.lineLength());
      }
      unread.eachLine(() => true);
      return [];
    },
    good: buffers('a\nb\r\n\n'),
    pieces: ['a', '\n', '\r\n', 'abc\n', '.'],
  },
  {
    name: 'text for people',
    parse: bytes => [printable(utf8(bytes)), printable(latin1(bytes), 1000), printable(bytes.toString('utf16le'))],
    good: buffers('\x1b[2J\u{202e}'),
    pieces: ['\x1b', '\u{202e}', '\u{10ffff}', 'a', '\0', '\u{d7ff}', '\u{feff}'],
  },
];
