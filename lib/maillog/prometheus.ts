// Totals as Prometheus' text format, for the textfile collector of node_exporter. @see prometheus.io/docs/instrumenting/exposition_formats

import { DELAYS, SIZES } from './book.ts';
import { COUNTERS, MEANINGS } from './counters.ts';
import type { Totals } from './totals.ts';

const PREFIX = 'healthmon_mail_';

/** A counter for each name (`healthmon_mail_delivered_to_net_total`), sizes and delays as histograms, and when it was last read. */
export function prometheusText(logs: readonly Totals[]): string {
  const lines: string[] = [];
  const family = (name: string, type: string, help: string, values: (totals: Totals, label: string) => readonly string[]) => {
    lines.push(`# HELP ${PREFIX}${name} ${help}`, `# TYPE ${PREFIX}${name} ${type}`);
    for (const totals of logs) lines.push(...values(totals, `log="${escaped(totals.log)}"`).map(line => `${PREFIX}${line}`));
  };
  for (const name of COUNTERS) {
    const metric = `${name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}_total`;
    family(metric, 'counter', sentence(MEANINGS[name]), ({ counters }, label) => [`${metric}{${label}} ${counters[name]}`]);
  }
  family('message_size_bytes', 'histogram', 'Messages taken in, by size.', ({ sizes, counters }, label) =>
    histogram('message_size_bytes', label, SIZES, sizes, counters.bytesReceived),
  );
  family('delivery_delay_seconds', 'histogram', 'Deliveries, by the time since arrival.', ({ delays, delaySum }, label) =>
    histogram('delivery_delay_seconds', label, DELAYS, delays, delaySum),
  );
  family('log_read_timestamp_seconds', 'gauge', 'When the log was last read.', ({ at }, label) => [
    `log_read_timestamp_seconds{${label}} ${at / 1000}`,
  ]);
  return `${lines.join('\n')}\n`;
}

function histogram(
  name: string,
  label: string,
  ends: readonly number[],
  counts: readonly number[],
  total: number,
): readonly string[] {
  let below = 0;
  const buckets = [...ends, '+Inf'].map((end, i) => {
    below += counts[i] ?? 0;
    return `${name}_bucket{${label},le="${end}"} ${below}`;
  });
  return [...buckets, `${name}_sum{${label}} ${total}`, `${name}_count{${label}} ${below}`];
}

/** A label's value. */
function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function sentence(meaning: string): string {
  return `${meaning.slice(0, 1).toUpperCase()}${meaning.slice(1)}.`;
}
