// A report in the format that was asked for, with its pictures and what goes along as files. A format that cannot be used does not keep the
// report back: it goes out in `classic`, with what is wrong on top.

import type { Report } from './data.ts';
import type { Format, Formats } from './formats.ts';
import type { Enclosure } from './letter.ts';
import type { Picture } from './pictures.ts';
import { BrokenFormat, renderReport } from './render.ts';

export interface Dressed {
  /** The format that was really used. */
  readonly format: string;
  /** Of the format itself, or of `classic` where it has none. */
  readonly text: string;
  readonly isOwnText: boolean;
  /** With pictures as `cid:NAME`. */
  readonly html?: string;
  readonly pictures: ReadonlyMap<string, Picture>;
  readonly files: readonly Enclosure[];
  /** What was wrong with formats, for people. */
  readonly problems: readonly string[];
}

const CLASSIC = 'classic';

/** @param extra formats that go along as files @throws {BrokenFormat} only when `classic` itself is broken */
export async function dress(report: Report, name: string, extra: readonly string[], formats: Formats): Promise<Dressed> {
  const pictures = new Map<string, Picture>();
  const gallery = (picture: Picture): string => {
    const cid = `picture-${pictures.size + 1}@healthmon`;
    pictures.set(cid, picture);
    return `cid:${cid}`;
  };
  const problems: string[] = [];
  const tryFormat = async (wanted: string) => {
    try {
      const format = known(formats, wanted);
      return { format, ...(await renderReport(format, report, gallery)) };
    } catch (error) {
      if (!(error instanceof BrokenFormat)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };

  const main = await tryFormat(name);
  const isReadable = main !== undefined && (main.format.media === 'text/plain' || main.format.media === 'text/html');
  const files: Enclosure[] = [];
  if (main !== undefined && !isReadable) files.push(enclosure(main.format, report, main.text ?? main.html ?? ''));
  for (const each of extra) {
    const more = await tryFormat(each);
    if (more !== undefined) files.push(enclosure(more.format, report, more.text ?? more.html ?? ''));
  }
  const own = isReadable ? main.text : undefined;
  const text = own ?? (await renderReport(known(formats, CLASSIC), report, gallery)).text ?? '';
  return {
    format: main?.format.name ?? CLASSIC,
    isOwnText: own !== undefined,
    text: problems.length === 0 ? text : `${problems.join('\n\n')}\n\n${text}`,
    // With something wrong on top, one thing is read by everybody: the text.
    ...(isReadable && main.html !== undefined && problems.length === 0 ? { html: main.html } : {}),
    pictures: problems.length === 0 ? pictures : new Map(),
    files,
    problems,
  };
}

function known(formats: Formats, name: string): Format {
  const format = formats.byName.get(name);
  if (format !== undefined) return format;
  const about = formats.problems.filter(({ text }) => text.includes(name));
  throw new BrokenFormat(
    name,
    about,
    about.length > 0 ? undefined : `there is no format of this name (healthmon report formats lists them)`,
  );
}

function enclosure(format: Format, { period }: Report, text: string): Enclosure {
  const days = period.from === period.to ? period.from : `${period.from}_${period.to}`;
  return { name: `report-${days}.${format.extension}`, media: format.media, text };
}

/** The HTML as a file of its own: its pictures are in it. */
export function standalone(html: string, pictures: ReadonlyMap<string, Picture>): string {
  return html.replace(/cid:(picture-\d+@healthmon)/g, (whole, cid: string) => {
    const picture = pictures.get(cid);
    return picture === undefined ? whole : `data:image/png;base64,${picture.png.toString('base64')}`;
  });
}
