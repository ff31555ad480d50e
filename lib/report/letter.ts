// The report as a letter: text for those who read text, HTML for the others, pictures that lie in the letter itself, the table as a file.
//
// Nothing in it is loaded from elsewhere, and nothing that a config or a peer says can become a header. Every line is short enough for
// any relay. @see RFC 5322, 2045 to 2047, 2387 (related), 2919 (List-Id), 3834 (Auto-Submitted)

import MailComposer from 'nodemailer/lib/mail-composer';
import { systestHeader } from '../record/systest.ts';
import type { Report } from './data.ts';
import { tableLine } from './helpers.ts';
import type { Picture } from './pictures.ts';
import { groupBy } from './tally.ts';

export interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly messageId: string;
  /** Epoch ms. */
  readonly at: number;
  readonly report: Report;
  readonly text: string;
  readonly html?: string;
  /** By the name that the HTML has for them: `cid:NAME`. */
  readonly pictures: ReadonlyMap<string, Picture>;
  readonly files: readonly Enclosure[];
}

export interface Enclosure {
  readonly name: string;
  readonly media: string;
  readonly text: string;
}

/** As it goes over the wire but for dot-stuffing. */
export async function composeLetter(letter: Letter): Promise<Buffer> {
  const { report, html, pictures, files } = letter;
  const { site } = report;
  const name = headerText(site.name);
  const host = site.domain === '' ? (letter.from.split('@')[1] ?? 'localhost') : site.domain;
  return new MailComposer({
    from: { name: `healthmon ${name}`, address: letter.from },
    to: [...letter.to],
    subject: subjectOf(report),
    messageId: letter.messageId,
    date: new Date(letter.at),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'List-Id': `healthmon reports <healthmon-reports.${host}>`,
      // Exchange sends its own answers unless it is asked not to.
      'X-Auto-Response-Suppress': 'All',
    },
    text: letter.text,
    ...(html === undefined ? {} : { html }),
    textEncoding: 'quoted-printable',
    encoding: 'utf8',
    attachments: [
      ...[...pictures].map(([cid, { png }]) => ({
        cid,
        filename: `${cid.replace(/@.*/, '')}.png`,
        content: png,
        contentType: 'image/png',
        contentDisposition: 'inline' as const,
      })),
      ...files.map(({ name: filename, media, text }) => ({
        filename,
        content: text,
        contentType: `${media}; charset=utf-8`,
        contentTransferEncoding: 'base64' as const,
      })),
    ],
    newline: '\r\n',
    xMailer: false,
    // A path or an address in what we hand over is text, never something to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}

/** `Example Mail, Saturday 21 November 2026: 8 of 281 trips failed`. */
export function subjectOf({ site, period, whole }: Report): string {
  const { trips, failed, slow, unknown } = whole;
  const result =
    trips === 0
      ? 'nothing was tested'
      : failed > 0
        ? `${failed} of ${trips} trips failed`
        : slow + unknown > 0
          ? `no trip failed, ${[...(slow > 0 ? [`${slow} slow`] : []), ...(unknown > 0 ? [`${unknown} not measured`] : [])].join(', ')}`
          : `all ${trips} trips good`;
  return headerText(`${site.name}, ${period.title}: ${result}`);
}

/** Nothing that ends a line or hides in it; the composer encodes the rest. */
function headerText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return [...plain].slice(0, 200).join('');
}

/** More rows than this are no reading for anybody, and too much for a letter. */
const MOST_ROWS = 20_000;

/** The table of the period as systest.log has it, a header for each day; undefined where there is none, or too much of it. */
export function tableFile(report: Report): Enclosure | undefined {
  if (report.rows.length === 0 || report.rows.length > MOST_ROWS) return undefined;
  const days = [...groupBy(report.rows, ({ day }) => day)].map(
    ([day, rows]) => systestHeader(day) + rows.map(row => `${tableLine(row)}\n`).join(''),
  );
  const { from, to } = report.period;
  return { name: `systest.log.${from === to ? from : `${from}_${to}`}.txt`, media: 'text/plain', text: days.join('') };
}
