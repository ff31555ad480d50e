// The pictures of a report: a small one per path, a large one of all trips. Colours are of middle brightness on a transparent ground, so
// that they are seen on white paper and on a dark screen. No text is drawn: what is to be read stands beside them. Pure.

import { Canvas, type Colour } from './png.ts';
import { entries, number, object, text } from './untrusted.ts';

export interface Picture {
  /** As it is shown; it has twice as many pixels each way, for fine screens. */
  readonly width: number;
  readonly height: number;
  readonly png: Buffer;
}

const BLUE: Colour = [62, 138, 214];
const AMBER: Colour = [224, 155, 20];
const RED: Colour = [221, 66, 66];
const VIOLET: Colour = [141, 125, 196];
const GREY: Colour = [136, 146, 160];
const SCALE = 2;

/** A path's `trend`: the largest time of each stretch as a line, a red bar where trips failed, violet where they were not measured. */
export function sparklineOf(trend: unknown, most: unknown): Picture {
  const [width, height] = [132, 26];
  const canvas = new Canvas(width * SCALE, height * SCALE);
  const points = entries(trend);
  const limit = Math.max(1, number(most) ?? 1);
  const step = (width * SCALE) / Math.max(1, points.length);
  canvas.rectangle(0, height * SCALE - 2, width * SCALE, 1, GREY, 0.5);
  let last: readonly [number, number] | undefined;
  for (const [index, point] of points.entries()) {
    const state = text(point.state, 20);
    const worst = number(point.worst);
    const x = (index + 0.5) * step;
    if (state === 'failed') canvas.rectangle(x - step / 2 + 1, 2, Math.max(3, step - 2), height * SCALE - 4, RED, 0.85);
    if (state === 'unknown') canvas.rectangle(x - step / 2 + 1, 2, Math.max(3, step - 2), height * SCALE - 4, VIOLET, 0.6);
    if (worst === undefined) continue;
    const y = (height - 4) * SCALE * (1 - Math.min(1, worst / limit)) + 2 * SCALE;
    const colour = state === 'slow' ? AMBER : BLUE;
    if (last !== undefined) canvas.line(last, [x, y], 2, BLUE);
    canvas.disc(x, y, state === 'slow' ? 5 : 3, colour);
    last = [x, y];
  }
  return { width, height, png: canvas.png() };
}

/**
 * All trips of a report over its time: one point each, the slower the higher by logarithm from 100 ms to 100 s, with lines at 1 s and
 * 10 s; failed ones are red marks along the top, those not measured violet ones.
 */
export function chartOf(report: unknown): Picture {
  const [width, height] = [520, 132];
  const canvas = new Canvas(width * SCALE, height * SCALE);
  const period = object(object(report)?.period);
  const startAt = number(period?.startAt) ?? 0;
  const span = Math.max(1, (number(period?.endAt) ?? 1) - startAt);
  const top = 12 * SCALE;
  const bottom = height * SCALE - 2;
  for (const share of [0, 1 / 3, 2 / 3]) canvas.rectangle(0, bottom - share * (bottom - top), width * SCALE, 1, GREY, 0.55);
  for (const hour of [0.25, 0.5, 0.75]) canvas.rectangle(hour * width * SCALE, top, 1, bottom - top, GREY, 0.3);
  for (const row of entries(object(report)?.rows, 200_000)) {
    const x = (((number(row.at) ?? 0) - startAt) / span) * width * SCALE;
    const state = text(row.state, 20);
    if (state === 'failed') canvas.rectangle(x - 2, 0, 4, 9 * SCALE, RED, 0.9);
    else if (state === 'unknown') canvas.rectangle(x - 2, 0, 4, 9 * SCALE, VIOLET, 0.9);
    const totalMs = number(row.totalMs);
    if (totalMs === undefined) continue;
    const share = Math.min(1, Math.max(0, Math.log10(Math.max(1, totalMs) / 100) / 3));
    canvas.disc(x, bottom - share * (bottom - top), state === 'slow' ? 4.5 : 3.2, state === 'slow' ? AMBER : BLUE, 0.8);
  }
  return { width, height, png: canvas.png() };
}
