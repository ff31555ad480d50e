// Text from elsewhere (a config file, a peer, a mailbox) made fit to be shown: nothing in it can move the cursor, hide
// itself, turn the reading direction or run on without end.

/**
 * C0 and C1 controls, DEL, soft hyphen, line and paragraph separators, zero-width and bidirectional controls, invisible
 * operators, the byte order mark, interlinear marks, format controls of scripts and scores, tags, and surrogates that have lost their partner.
 */
const UNSAFE =
  /[\u{0}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{feff}\u{ffa0}\u{fff9}-\u{fffb}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\p{Surrogate}]/u;

/**
 * `text` with every character that is not plainly visible written as `\xNN` (up to U+00FF) or `\u{...}`, and at most `max`
 * UTF-16 units long: what is longer ends in `...`. An escape or a character is never cut in two.
 *
 * Takes time in proportion to `max`, however long `text` is. Blanks stay; tabs and line ends are escaped. A backslash stays
 * as it is, so the result is for reading, not for decoding.
 */
export function printable(text: string, max = 200): string {
  if (text.length <= max && !UNSAFE.test(text)) return text;
  const pieces: string[] = [];
  let length = 0;
  for (const character of text) {
    const piece = UNSAFE.test(character) ? escaped(character) : character;
    pieces.push(piece);
    length += piece.length;
    if (length > max) return cut(pieces, length, max);
  }
  return pieces.join('');
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

function cut(pieces: string[], length: number, max: number): string {
  const dots = '...'.slice(0, Math.max(0, max));
  let left = length;
  while (left + dots.length > max) {
    const last = pieces.pop();
    if (last === undefined) break;
    left -= last.length;
  }
  return pieces.join('') + dots;
}
