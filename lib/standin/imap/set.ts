// Sets of message numbers (RFC 3501 `sequence-set`): `1`, `2:5`, `7:*`, `1,4:6`.

/** Whether a number is in the set. `largest` is what `*` stands for. Undefined when the text is no set. */
export function parseSet(text: string, largest: number): ((number: number) => boolean) | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+|\*)(?::(\d+|\*))?$/.exec(part);
    if (match === null) return undefined;
    const from = bound(match[1], largest);
    const to = match[2] === undefined ? from : bound(match[2], largest);
    ranges.push(from <= to ? [from, to] : [to, from]);
  }
  return number => ranges.some(([from, to]) => number >= from && number <= to);
}

function bound(text: string | undefined, largest: number): number {
  return text === '*' ? largest : Number(text);
}

/** `1:3,7`, for UIDPLUS replies. */
export function formatSet(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i] ?? 0;
    let last = first;
    for (i += 1; numbers[i] === last + 1; i += 1) last += 1;
    parts.push(first === last ? String(first) : `${first}:${last}`);
  }
  return parts.join(',');
}
