// Time stamps at the beginning of log lines: RFC 3339 (rsyslog, Debian 12), the BSD one without a year (RFC 3164), Exim's own.
//
// The minute of a line is nearly always that of the line before: its text is compared, and only a new one is read.

import { codesOf, hasAt } from './scan.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
/** Stamp and host name together are not longer. */
const MOST_HEAD = 320;
/** `2026-11-22T02:08`, without the signs between and the century; the minute first, which changes most. */
const ISO_PLACES = Uint8Array.of(15, 14, 12, 11, 9, 8, 6, 5, 3);
/** `Nov 22 02:08` */
const BSD_PLACES = Uint8Array.of(11, 10, 8, 7, 5, 4, 2, 1, 0);
/** Stands nowhere. */
const NONE = codesOf('\uffff');

/** Reads stamps one after another. What the last one said stands in its fields. */
export class Stamps {
  /** Beginning of the minute, epoch ms. */
  minuteAt = Number.NaN;
  /** Of the stamp's own clock against UTC; ms. */
  offsetMs = 0;
  /** Where the text goes on behind stamp and host name. */
  rest = 0;
  readonly #reference: number;
  /** The minute of the line before, as it was written. */
  #text = '';
  #zone = '';
  #codes = NONE;
  /** Where in it digits and letters stand that may change. */
  #places = BSD_PLACES;
  /** What followed its seconds, up to the text: zone and host, and where they stood. */
  #tail = NONE;
  #tailAt = 0;

  /** @param reference when the log was last written to, epoch ms: a stamp without a year is the last such day before it */
  constructor(reference: number) {
    this.#reference = reference;
  }

  /**
   * @param text with the line in it, from `from` up to `to`
   * @returns whether the line begins with a stamp; false leaves the fields of the line before
   */
  read(text: string, from: number, to: number): boolean {
    const tailAt = from + this.#tailAt;
    if (hasPlaces(text, from, this.#codes, this.#places) && hasAt(text, this.#tail, tailAt)) {
      this.rest = tailAt + this.#tail.length;
      return true;
    }
    if (!this.#readNew(text.slice(from, Math.min(to, from + MOST_HEAD)))) return false;
    this.rest += from;
    return true;
  }

  #readNew(head: string): boolean {
    if (head.charCodeAt(4) !== 0x2d) return this.#readBsd(head);
    return head.charCodeAt(10) === 0x54 ? this.#readRfc3339(head) : this.#readExim(head);
  }

  /** Seconds in its minute, of the line that was read last and stands at `from`. */
  seconds(text: string, from: number): number {
    const at = from + this.#text.length + 1;
    return Number(text.slice(at, at + 2));
  }

  /** `2026-11-22T02:08:13.123456+01:00 host ` */
  #readRfc3339(line: string): boolean {
    const end = line.indexOf(' ', 19);
    if (end < 0 || end > 40) return false;
    // journalctl -o short-iso writes +0100, and Z as +0000.
    const zoneAt = line.charCodeAt(end - 1) === 0x5a ? end - 1 : line.charCodeAt(end - 3) === 0x3a ? end - 6 : end - 5;
    const zone = line.slice(zoneAt, end).replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
    const text = line.slice(0, 16);
    if (text !== this.#text || zone !== this.#zone) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) || !/^(?:Z|[+-]\d\d:\d\d)$/.test(zone)) return false;
      const at = Date.parse(`${text}:00${zone}`);
      if (Number.isNaN(at)) return false;
      this.#take(text, zone, at, zone === 'Z' ? 0 : offsetOf(zone));
    }
    return this.#skipHost(line, end + 1, zoneAt);
  }

  /** `Nov 22 02:08:13 host `, also `Nov  2` and `Nov 2`. */
  #readBsd(line: string): boolean {
    const parts = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):\d\d /.exec(line);
    const month = MONTHS.indexOf(parts?.[1] ?? '');
    if (parts === null || month < 0) return false;
    const text = parts[0].slice(0, -4);
    if (text !== this.#text || this.#zone !== 'bsd') {
      const at = this.#withYear(month, Number(parts[2]), Number(parts[3]), Number(parts[4]));
      if (at === undefined) return false;
      this.#take(text, 'bsd', at, -new Date(at).getTimezoneOffset() * 60_000);
    }
    return this.#skipHost(line, parts[0].length, parts[0].length - 1);
  }

  /** `2022-06-29 15:33:46`, with `.123` and `+0200` where log_selector and log_timezone say so; no host name follows. */
  #readExim(line: string): boolean {
    const parts = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):\d\d(?:\.\d+)?(?: ([+-]\d{4}))? /.exec(line);
    if (parts === null) return false;
    const [whole, year, month, day, hour, minute, zone] = parts;
    const [y, mo, d, h, mi] = [year, month, day, hour, minute].map(Number);
    const text = whole.slice(0, 16);
    if (text !== this.#text || (zone ?? 'local') !== this.#zone) {
      if (!isDay(y ?? 0, (mo ?? 0) - 1, d ?? 0) || (h ?? 24) > 23 || (mi ?? 60) > 59) return false;
      const offset = zone === undefined ? undefined : offsetOf(`${zone.slice(0, 3)}:${zone.slice(3)}`);
      const at =
        offset === undefined
          ? new Date(y ?? 0, (mo ?? 1) - 1, d, h, mi).getTime()
          : Date.UTC(y ?? 0, (mo ?? 1) - 1, d, h, mi) - offset;
      this.#take(text, zone ?? 'local', at, offset ?? -new Date(at).getTimezoneOffset() * 60_000);
    }
    // Behind Exim's stamp stands no host.
    this.rest = whole.length;
    this.#tailAt = whole.length - (zone === undefined ? 1 : zone.length + 2);
    this.#tail = codesOf(whole.slice(this.#tailAt));
    return true;
  }

  #take(text: string, zone: string, at: number, offsetMs: number): void {
    this.#text = Buffer.from(text, 'latin1').toString('latin1');
    this.#codes = codesOf(text);
    this.#places = text.length === 16 ? ISO_PLACES : BSD_PLACES;
    this.#zone = zone;
    this.minuteAt = at;
    this.offsetMs = offsetMs;
  }

  /** @param tailAt from there on the next line is likely to be the same */
  #skipHost(line: string, from: number, tailAt: number): boolean {
    const end = line.indexOf(' ', from);
    if (end < 0) return false;
    this.rest = end + 1;
    this.#tailAt = tailAt;
    this.#tail = end - tailAt > 300 ? NONE : codesOf(line.slice(tailAt, end + 1));
    return true;
  }

  /** The last such day before the reference, or up to a day after it: clocks differ. */
  #withYear(month: number, day: number, hour: number, minute: number): number | undefined {
    const latest = new Date(this.#reference).getFullYear() + 1;
    for (const year of [latest, latest - 1, latest - 2, latest - 3, latest - 4, latest - 5]) {
      if (!isDay(year, month, day) || hour > 23 || minute > 59) continue; // 29 February
      const at = new Date(year, month, day, hour, minute).getTime();
      if (at <= this.#reference + DAY_MS) return at;
    }
    return undefined;
  }
}

function hasPlaces(text: string, from: number, codes: Uint16Array, places: Uint8Array): boolean {
  for (let i = 0; i < places.length; i++) {
    const at = places[i] ?? 0;
    if (text.charCodeAt(from + at) !== codes[at]) return false;
  }
  return true;
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 0 && month <= 11 && day >= 1 && day <= new Date(year, month + 1, 0).getDate();
}

/** `+01:00`: ms */
function offsetOf(zone: string): number {
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
}
