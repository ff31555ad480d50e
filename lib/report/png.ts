// Small pictures without a library: a canvas of coloured points, drawn four times as fine and averaged, written as PNG. Mail programs show
// PNG that lies in the letter; most do not show SVG.
//
// @see RFC 2083 (PNG)

import { crc32, deflateSync } from 'node:zlib';

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** Points per pixel, each way, before averaging. */
const FINE = 2;

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Of the fine grid: red, green, blue, cover. */
  readonly #points: Float32Array;

  /** Transparent at first. Sizes in pixels. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#points = new Float32Array(width * FINE * height * FINE * 4);
  }

  rectangle(x: number, y: number, width: number, height: number, colour: Colour, cover = 1): void {
    const columns = this.width * FINE;
    const left = Math.max(0, Math.round(x * FINE));
    const right = Math.min(columns, Math.round((x + width) * FINE));
    const top = Math.max(0, Math.round(y * FINE));
    const bottom = Math.min(this.height * FINE, Math.round((y + height) * FINE));
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) this.#dab(row * columns + column, colour, cover);
    }
  }

  disc(x: number, y: number, radius: number, colour: Colour, cover = 1): void {
    const columns = this.width * FINE;
    const r = radius * FINE;
    const [cx, cy] = [x * FINE, y * FINE];
    for (let row = Math.max(0, Math.floor(cy - r)); row < Math.min(this.height * FINE, cy + r); row += 1) {
      for (let column = Math.max(0, Math.floor(cx - r)); column < Math.min(columns, cx + r); column += 1) {
        if ((column + 0.5 - cx) ** 2 + (row + 0.5 - cy) ** 2 <= r * r) this.#dab(row * columns + column, colour, cover);
      }
    }
  }

  line(from: readonly [number, number], to: readonly [number, number], width: number, colour: Colour): void {
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    const steps = Math.max(1, Math.ceil(length * FINE));
    for (let step = 0; step <= steps; step += 1) {
      const share = step / steps;
      this.disc(from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share, width / 2, colour);
    }
  }

  #dab(point: number, colour: Colour, cover: number): void {
    const at = point * 4;
    const p = this.#points;
    const left = (p[at + 3] ?? 0) * (1 - cover);
    const now = cover + left;
    for (let i = 0; i < 3; i += 1) p[at + i] = ((colour[i] ?? 0) * cover + (p[at + i] ?? 0) * left) / now;
    p[at + 3] = now;
  }

  png(): Buffer {
    const { width, height } = this;
    const raw = Buffer.alloc((width * 4 + 1) * height);
    for (let y = 0; y < height; y += 1) {
      // The byte before each row says how it is filtered: not at all.
      for (let x = 0; x < width; x += 1) this.#average(x, y, raw, y * (width * 4 + 1) + 1 + x * 4);
    }
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    // Eight bits for each of red, green, blue and cover.
    head.set([8, 6, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', head),
      chunk('IDAT', deflateSync(raw, { level: 9 })),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }

  #average(x: number, y: number, into: Buffer, at: number): void {
    const columns = this.width * FINE;
    const sum = [0, 0, 0, 0];
    for (let dy = 0; dy < FINE; dy += 1) {
      for (let dx = 0; dx < FINE; dx += 1) {
        const point = ((y * FINE + dy) * columns + x * FINE + dx) * 4;
        const cover = this.#points[point + 3] ?? 0;
        for (let i = 0; i < 3; i += 1) sum[i] = (sum[i] ?? 0) + (this.#points[point + i] ?? 0) * cover;
        sum[3] = (sum[3] ?? 0) + cover;
      }
    }
    const cover = sum[3] ?? 0;
    if (cover === 0) return;
    for (let i = 0; i < 3; i += 1) into[at + i] = Math.round((sum[i] ?? 0) / cover);
    into[at + 3] = Math.round((cover / (FINE * FINE)) * 255);
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
