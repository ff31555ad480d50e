// What is in a PNG, as far as ours go: eight bits for each of red, green, blue and cover, no filters.

import { inflateSync } from 'node:zlib';

/** Rows of points as `rgba` in one hexadecimal digit each, `....` for nothing. */
export function inflatedPixels(png: Buffer): { width: number; height: number; rows: string[] } {
  let data = Buffer.alloc(0);
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data = Buffer.concat([data, png.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const raw = inflateSync(data);
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const at = y * (width * 4 + 1) + 1 + x * 4;
      const point = [...raw.subarray(at, at + 4)];
      return point[3] === 0 ? '....' : point.map(value => (value >> 4).toString(16)).join('');
    }).join(' '),
  );
  return { width, height, rows };
}
