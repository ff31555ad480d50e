// Times that queue ids carry, so that the age of a message is known without opening its file. A deferred Postfix file's own time is
// that of its next try, and is no age at all.

/** Value of each character, -1 for what is none. */
function digitsOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

const BASE52 = digitsOf('0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz');
const BASE62 = digitsOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');

/** The number that `text` is from `from` to `to`; -1 when a character is none of the alphabet's. */
function numberIn(text: string, digits: Int8Array, base: number, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = digits[text.charCodeAt(i)] ?? -1;
    if (digit < 0) return -1;
    value = value * base + digit;
  }
  return value;
}

/**
 * Arrival by a long Postfix queue id (enable_long_queue_ids, the default of Debian since 12): seconds in six or more digits of base
 * 52, microseconds in four, `z`, inode. @see postconf(5), src/global/mail_queue.h
 *
 * @returns epoch ms; undefined for a short id, which has no time in it
 */
export function postfixTime(id: string): number | undefined {
  const separator = id.lastIndexOf('z');
  if (separator < 10) return undefined;
  const seconds = numberIn(id, BASE52, 52, 0, separator - 4);
  const micros = numberIn(id, BASE52, 52, separator - 4, separator);
  return seconds < 0 || micros < 0 ? undefined : seconds * 1000 + Math.floor(micros / 1000);
}

/** Arrival by an Exim message id: six digits of base 62 are seconds. 16 characters, or 23 since 4.97. @returns epoch ms */
export function eximTime(id: string): number | undefined {
  if (id.charCodeAt(6) !== 0x2d) return undefined;
  const seconds = numberIn(id, BASE62, 62, 0, 6);
  return seconds < 0 ? undefined : seconds * 1000;
}

/**
 * Arrival by a sendmail queue id, as seen by a host whose zone is UTC: year (of sixty), month, day, hour, minute and second are one
 * digit of base 60 each. sendmail takes them from its own local time: see `zoneShift`.
 *
 * @param id without `qf`
 * @param now the year is the one of sixty that lies nearest before it; epoch ms
 */
export function sendmailTime(id: string, now: number): number | undefined {
  const [year, month, day, hour, minute, second] = Array.from({ length: 6 }, (_, i) => BASE62[id.charCodeAt(i)] ?? -1);
  if (
    year === undefined ||
    month === undefined ||
    day === undefined ||
    hour === undefined ||
    minute === undefined ||
    second === undefined
  )
    return undefined;
  if (
    year < 0 ||
    year > 59 ||
    month < 0 ||
    month > 11 ||
    day < 1 ||
    day > 31 ||
    hour < 0 ||
    hour > 23 ||
    minute < 0 ||
    minute > 59 ||
    second < 0 ||
    second > 60
  )
    return undefined;
  const thisYear = new Date(now + 86_400_000).getUTCFullYear();
  const full = thisYear - ((thisYear - 1900 - year + 6000) % 60);
  return Date.UTC(full, month, day, hour, minute, second);
}

/** How far the time in ids is from the true one, by a message of which both are known: whole quarters of an hour. ms */
export function zoneShift(byId: number, byContents: number): number {
  return Math.round((byContents - byId) / 900_000) * 900_000;
}
