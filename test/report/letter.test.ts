// The letter: what a mail program and a relay find in it.

import PostalMime from 'postal-mime';
import { beforeAll, expect, test } from 'vitest';
import type { Report } from '../../lib/report/data.ts';
import { composeLetter, type Letter, subjectOf, tableFile } from '../../lib/report/letter.ts';
import { Canvas } from '../../lib/report/png.ts';
import { sampleReport } from '../../lib/report/sample.ts';
import { inflatedPixels } from './pixels.ts';

const BAD = sampleReport('bad', '0.1.0');
const picture = { width: 4, height: 2, png: new Canvas(8, 4).png() };

function letter(over: Partial<Letter> = {}): Letter {
  return {
    from: 'healthmon@example.com',
    to: ['postmaster@example.com', 'ops@example.net'],
    messageId: '<report-2026-11-21.abc@example.com>',
    at: Date.UTC(2026, 10, 22, 0, 4),
    report: BAD,
    text: 'Zeile mit Umlaut: äöü\n.a line that begins with a dot\nFrom here on\n',
    html: '<p>äöü <img src="cid:picture-1@healthmon" alt="x"></p>',
    pictures: new Map([['picture-1@healthmon', picture]]),
    files: [{ name: 'systest.log.2026-11-21.txt', media: 'text/plain', text: '| a |\n| ä |\n' }],
    ...over,
  };
}

let raw: string;
beforeAll(async () => {
  raw = (await composeLetter(letter())).toString('latin1');
});

/** Of the header section, unfolded. */
function header(text: string, name: string): string[] {
  const head = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return head
    .split('\r\n')
    .flatMap(line => (line.toLowerCase().startsWith(`${name.toLowerCase()}:`) ? [line.slice(name.length + 1).trim()] : []));
}

test('headers say that no person wrote it, and from which list it is', () => {
  expect(header(raw, 'Auto-Submitted')).toEqual(['auto-generated']);
  expect(header(raw, 'Message-ID')).toEqual(['<report-2026-11-21.abc@example.com>']);
  expect(header(raw, 'List-Id')).toEqual(['healthmon reports <healthmon-reports.example.com>']);
  expect(header(raw, 'Date')).toEqual(['Sun, 22 Nov 2026 00:04:00 +0000']);
  expect(header(raw, 'From')).toEqual(['healthmon Example Mail <healthmon@example.com>']);
  expect(header(raw, 'To')).toEqual(['postmaster@example.com, ops@example.net']);
  expect(header(raw, 'MIME-Version')).toEqual(['1.0']);
  expect(header(raw, 'Subject')).toEqual(['Example Mail, Saturday 21 November 2026: 8 of 281 trips failed']);
});

test('it is ASCII with lines that any relay takes, and CRLF throughout', () => {
  expect(raw).toMatch(/^[\x20-\x7e\r\n\t]*$/);
  expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(Math.max(...raw.split('\r\n').map(line => line.length))).toBeLessThanOrEqual(78);
});

test('a mail program finds text, HTML with its picture, and the table', async () => {
  const opened = await PostalMime.parse(raw);
  expect(opened.text?.trim().split('\n')).toEqual(['Zeile mit Umlaut: äöü', '.a line that begins with a dot', 'From here on']);
  expect(opened.html).toContain('<p>äöü <img src="cid:picture-1@healthmon" alt="x"></p>');
  const files = opened.attachments.map(({ filename, mimeType, disposition, contentId }) => ({
    filename,
    mimeType,
    disposition,
    contentId,
  }));
  expect(files).toEqual([
    { filename: 'picture-1.png', mimeType: 'image/png', disposition: 'inline', contentId: '<picture-1@healthmon>' },
    { filename: 'systest.log.2026-11-21.txt', mimeType: 'text/plain', disposition: 'attachment', contentId: undefined },
  ]);
  const table = opened.attachments[1]?.content;
  expect(Buffer.from(table as ArrayBuffer).toString('utf8')).toBe('| a |\n| ä |\n');
});

test('the parts are nested as mail programs want them', () => {
  const types = [...raw.matchAll(/^Content-Type: ([a-z]+\/[a-z-]+)/gim)].map(([, type]) => type);
  expect(types).toEqual([
    'multipart/mixed',
    'multipart/alternative',
    'text/plain',
    'multipart/related',
    'text/html',
    'image/png',
    'text/plain',
  ]);
});

test('a letter without HTML is text with files', async () => {
  const { html: _, ...plain } = letter({ pictures: new Map() });
  const opened = await PostalMime.parse(await composeLetter(plain));
  expect(opened.html).toBeUndefined();
  expect(opened.attachments).toHaveLength(1);
});

const NASTY = [
  'Evil\r\nBcc: victim@example.org',
  'x\nSubject: other',
  'a\u2028b\u0000c',
  '"quoted" <fake@example.org>',
  '=?utf-8?q?=0ABcc:_x?=',
  'ä'.repeat(300),
  `x${'🙂'.repeat(300)}`,
];

test.for(NASTY)('no name can become a header: %j', async name => {
  const report: Report = {
    ...BAD,
    site: { ...BAD.site, name },
    rows: BAD.rows.map(row => ({ ...row, account: name, error: name, text: name })),
  };
  const composed = (
    await composeLetter(letter({ report, text: name, files: [{ name: `report-${name}.txt`, media: 'text/plain', text: name }] }))
  ).toString('latin1');
  expect(header(composed, 'Bcc')).toEqual([]);
  expect(header(composed, 'Subject')).toHaveLength(1);
  expect(header(composed, 'From')).toHaveLength(1);
  const opened = await PostalMime.parse(composed);
  expect(opened.from?.address).toBe('healthmon@example.com');
  expect(opened.headers.filter(({ key }) => key === 'bcc')).toEqual([]);
  expect(opened.subject).not.toContain('\ufffd');
  expect(Math.max(...composed.split('\r\n').map(line => line.length))).toBeLessThanOrEqual(998);
});

test('subjectOf() says the day in a few words', () => {
  const of = (over: Partial<Report['whole']>) =>
    subjectOf({ ...BAD, whole: { ...BAD.whole, trips: 288, failed: 0, slow: 0, unknown: 0, ...over } }).split(': ')[1];
  expect([of({}), of({ slow: 2 }), of({ slow: 2, unknown: 1 }), of({ failed: 3 }), of({ trips: 0 })]).toEqual([
    'all 288 trips good',
    'no trip failed, 2 slow',
    'no trip failed, 2 slow, 1 not measured',
    '3 of 288 trips failed',
    'nothing was tested',
  ]);
});

test('tableFile() is the table of the day as systest.log has it, a header for each day', () => {
  const file = tableFile(BAD);
  expect(file?.name).toBe('systest.log.2026-11-21.txt');
  expect(file?.text.split('\n')).toHaveLength(7 + 281 + 1);
  const rows = BAD.rows.slice(0, 2).map((row, i) => ({ ...row, day: `2026-11-2${i}` }));
  expect(tableFile({ ...BAD, rows })?.text.match(/^DATE COLLECTED/gm)).toHaveLength(2);
  expect(tableFile({ ...BAD, rows: [] })).toBeUndefined();
});

test('a picture is what was drawn, with nothing where nothing was', () => {
  const canvas = new Canvas(4, 3);
  canvas.rectangle(1, 1, 2, 1, [255, 0, 0]);
  expect(inflatedPixels(canvas.png())).toEqual({
    width: 4,
    height: 3,
    rows: ['.... .... .... ....', '.... f00f f00f ....', '.... .... .... ....'],
  });
});
