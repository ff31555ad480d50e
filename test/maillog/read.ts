// A log's text, read as the commands read files.

import { Spans } from '../../lib/maillog/lines.ts';
import { Reader } from '../../lib/maillog/reader.ts';
import { type Summary, summaryOf } from '../../lib/maillog/summary.ts';

const HOUR_MS = 3_600_000;

export interface ReadOptions {
  readonly since?: number;
  readonly until?: number;
  readonly intervalMs?: number;
  /** When the log was last written to. */
  readonly reference?: number;
  /** Bytes handed over at a time. */
  readonly piece?: number;
}

export function read(text: string, options: ReadOptions = {}): { readonly reader: Reader; readonly summary: Summary } {
  const { since, until, intervalMs = HOUR_MS, reference = Date.now(), piece = 65_536 } = options;
  const bounds = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  const reader = new Reader({ spanMs: intervalMs, withNames: true, reference, ...bounds });
  const spans = new Spans((all, from, to) => reader.line(all, from, to));
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += piece) spans.add(bytes.subarray(at, at + piece));
  spans.end();
  return { reader, summary: summaryOf(reader, { intervalMs, top: 5 }) };
}

/** The counters that are not zero. */
export function counted(text: string, options?: ReadOptions): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(read(text, options).summary.totals).filter(([, value]) => value !== 0));
}
