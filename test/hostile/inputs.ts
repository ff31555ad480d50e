// Bad input for a parser or a dialog, made of what it knows.

import fc from 'fast-check';

export interface Grammar {
  /** Good input, to be damaged. */
  readonly good: readonly Buffer[];
  /** Pieces that mean something to it. */
  readonly pieces: readonly string[];
}

/** Pieces in any order, bytes of any kind, and good input that has been damaged. */
export function inputs({ good, pieces }: Grammar): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...pieces).map(text => Buffer.from(text)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 6 }).map(bytes => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...pieces), fc.integer({ min: 2, max: 300 }))
        .map(([text, n]) => Buffer.from(text.repeat(n))),
    },
  );
  const soup = fc.array(piece, { maxLength: 40 }).map(parts => Buffer.concat(parts));
  const damaged = fc
    .tuple(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 20 }), piece), { minLength: 1, maxLength: 5 }),
    )
    .map(([whole, cuts]) =>
      cuts.reduce((bytes, [share, length, put]) => {
        const at = Math.floor(share * bytes.length);
        return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]);
      }, whole),
    );
  return fc.oneof(soup, damaged);
}
