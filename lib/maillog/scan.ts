// Small steps through a log line that all readers take. None looks beyond the line, none throws.

/**
 * The end of the word at `from`, where that is a colon: the queue id, or `warning` and the like. -1 where a blank or the line's end comes first.
 */
export function wordEnd(line: string, from: number): number {
  const most = Math.min(line.length, from + 64);
  for (let i = from; i < most; i++) {
    const code = line.charCodeAt(i);
    if (code === 0x3a) return i;
    if (code === 0x20 || code === 0x0a) return -1;
  }
  return -1;
}

/**
 * Where the `>, ` stands that ends the address at `from`; -1 without one. What a quoted local part holds is a stranger's text, which may
 * look like the end and like the rest of the line. @see RFC 5321 section 4.1.2
 */
export function addressEnd(line: string, from: number): number {
  let at = from;
  if (line.charCodeAt(from) === 0x22) {
    at += 1;
    for (let code = line.charCodeAt(at); code !== 0x22; code = line.charCodeAt(at)) {
      if (Number.isNaN(code)) return -1;
      at += code === 0x5c ? 2 : 1;
    }
  }
  return line.indexOf('>, ', at);
}

/** A text as char codes, for `hasAt`. */
export function codesOf(text: string): Uint16Array {
  return Uint16Array.from(text, character => character.charCodeAt(0));
}

/** Whether a text stands at `from`. Where it nearly always does, this is three times as fast as startsWith, which is a call. */
export function hasAt(line: string, codes: Uint16Array, from: number): boolean {
  for (let i = codes.length - 1; i >= 0; i--) if (line.charCodeAt(from + i) !== codes[i]) return false;
  return true;
}

/** The whole number at `from`; 0 when there is none. */
export function wholeAt(line: string, from: number): number {
  let value = 0;
  for (let i = from; ; i++) {
    const digit = line.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = value * 10 + digit;
  }
}

/** The decimal number at `from`, as `0.07` or `63495`; 0 when there is none. */
export function decimalAt(line: string, from: number): number {
  let value = 0;
  let scale = 0;
  for (let i = from; ; i++) {
    const code = line.charCodeAt(i);
    if (code === 0x2e && scale === 0) {
      scale = 1;
      continue;
    }
    const digit = code - 0x30;
    if (!(digit >= 0 && digit <= 9)) return scale > 1 ? value / scale : value;
    value = value * 10 + digit;
    if (scale > 0) scale *= 10;
  }
}

/** The domain of an address in lower case; `(local)` without one, `<>` for the empty sender. */
export function domainOf(address: string): string {
  if (address === '') return '<>';
  const at = address.lastIndexOf('@');
  return at < 0 ? '(local)' : address.slice(at + 1).toLowerCase();
}

/** An address with its domain in lower case, as it is counted; `<>` for the empty sender. */
export function sameAddress(address: string): string {
  if (address === '') return '<>';
  const at = address.lastIndexOf('@');
  return at < 0 ? address : address.slice(0, at) + address.slice(at).toLowerCase();
}
