// Logs since the last look: lines that match patterns, and logs that have stopped growing.

import { join } from 'node:path';
import { Lines } from '../../maillog/lines.ts';
import { type Place, tail } from '../../maillog/tail.ts';
import { printable } from '../../model/printable.ts';
import type { HostFinding } from '../../model/reading.ts';
import type { Gathering, Look } from '../check.ts';
import type { LogWanted } from '../config.ts';
import { parameter } from '../queues/places.ts';
import { deadText, isThere } from '../reach.ts';
import { codeOf, kept, keptNumber, textOf } from '../source.ts';
import { countText, spanText } from '../words.ts';

const SHOWN = 3;
/** A pattern sees so much of a line: an operator's pattern may take long on a line that a stranger wrote. */
const SEEN = 2000;

/** @returns how far each log has been read, by its name */
export async function lookAtLogs(look: Look, gathered: Gathering): Promise<Readonly<Record<string, Place>>> {
  const places: Record<string, Place> = {};
  const wanted = look.config.files.logs.length > 0 ? look.config.files.logs : usualLog(look);
  for (const log of wanted) {
    const place = await lookAtLog(look, log, gathered);
    if (place !== undefined) places[log.name] = place;
  }
  return places;
}

async function lookAtLog(look: Look, log: LogWanted, gathered: Gathering): Promise<Place | undefined> {
  const { name, path, quietMs } = log;
  const before = placeOf(kept(kept(look.before, 'logs'), name));
  const subject = `log:${name}`;
  const dead = look.deadOn(path);
  if (dead !== undefined) {
    gathered.findings.push({ level: 'unknown', subject, text: `log ${path} cannot be looked at: ${deadText(dead)}` });
    return before;
  }
  const matches = new Matches(log);
  const lines = new Lines(line => matches.see(line));
  try {
    const { place, facts, events } = await tail(join(look.root, path), before, {
      from: 'end',
      take: chunk => lines.add(chunk),
      finished: () => lines.end(),
    });
    if (facts === undefined) {
      gathered.findings.push({ level: 'critical', subject, text: `log ${path} is missing` });
      return place;
    }
    const quiet = Math.max(0, look.at - facts.mtimeMs);
    gathered.add({ [`files.matches:${name}`]: matches.count, [`files.quiet_s:${name}`]: quiet / 1000 });
    if (quietMs !== undefined && quiet > quietMs)
      gathered.findings.push({
        level: 'critical',
        subject: `quiet:${name}`,
        text: `log ${path} has not grown for ${spanText(quiet)}, longer than ${spanText(quietMs)}`,
        remedy: `logger -p mail.info test; ls -l ${path}; does the log daemon run, and is the disk full?`,
      });
    if (events.includes('lost'))
      gathered.missing.push({ what: `lines of ${path} from before its rotation`, why: 'the old file is no longer beside it' });
    gathered.findings.push(...matches.findings(subject));
    return place;
  } catch (error) {
    const code = codeOf(error);
    gathered.missing.push({
      what: `log ${path}`,
      why: code === 'EACCES' ? 'this user may not read it' : `it cannot be read: ${code}`,
      ...(code === 'EACCES' ? { remedy: 'add the user to the group that owns it: adduser USER adm (Debian)' } : {}),
    });
    return before;
  }
}

class Matches {
  count = 0;
  readonly #shown: string[] = [];
  readonly #log: LogWanted;
  readonly #patterns: readonly RegExp[];
  readonly #ignore: readonly RegExp[];

  constructor(log: LogWanted) {
    this.#log = log;
    this.#patterns = log.patterns.map(source => new RegExp(source));
    this.#ignore = log.ignore.map(source => new RegExp(source));
  }

  see(line: string): void {
    const text = line.length > SEEN ? line.slice(0, SEEN) : line;
    if (!this.#patterns.some(pattern => pattern.test(text)) || this.#ignore.some(pattern => pattern.test(text))) return;
    this.count += 1;
    if (this.#shown.length < SHOWN) this.#shown.push(printable(text, 300));
  }

  findings(subject: string): readonly HostFinding[] {
    const { path, warn, crit } = this.#log;
    if (this.count < warn) return [];
    const level = crit !== undefined && this.count >= crit ? 'critical' : 'warning';
    const text = `${countText(this.count, 'line')} of ${path} since the last look ${this.count === 1 ? 'matches' : 'match'}: ${this.#shown[0] ?? ''}`;
    return [
      {
        level,
        subject,
        text,
        value: this.count,
        ...(this.#shown.length > 1 ? { remedy: `also: ${this.#shown.slice(1).join(' / ')}` } : {}),
      },
    ];
  }
}

/** Without a word in host.cfg: the mail log, for what Postfix' daemons die of. */
function usualLog(look: Look): readonly LogWanted[] {
  const { root, config } = look;
  const main = textOf(join(root, config.queues.config ?? '/etc/postfix', 'main.cf'));
  const written = main === undefined ? undefined : parameter(main, 'maillog_file');
  const paths = [...(written?.startsWith('/') === true ? [written] : []), '/var/log/mail.log', '/var/log/maillog'];
  const path = paths.find(each => isThere(look, each));
  return path === undefined ? [] : [{ name: 'mail', path, patterns: ['\\]: (?:fatal|panic): '], ignore: [], warn: 1 }];
}

function placeOf(value: unknown): Place | undefined {
  const [dev, ino, offset, headBytes, mtimeMs] = ['dev', 'ino', 'offset', 'headBytes', 'mtimeMs'].map(key =>
    keptNumber(value, key),
  );
  const head = kept(value, 'head');
  if (
    dev === undefined ||
    ino === undefined ||
    offset === undefined ||
    headBytes === undefined ||
    mtimeMs === undefined ||
    typeof head !== 'string'
  )
    return undefined;
  return { dev, ino, offset, head, headBytes, mtimeMs };
}
