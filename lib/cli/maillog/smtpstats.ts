// smtpstats: options, which logs, and whether they are read whole (a report) or on from the last time (counters that only grow).

import { existsSync, readFileSync } from 'node:fs';
import { parameter } from '../../host/queues/places.ts';
import { printable } from '../../model/printable.ts';
import { NotWritten } from '../../record/append.ts';
import { replaceFile } from '../../record/replace.ts';
import { openState, placesOf, Stop } from '../context.ts';
import { end } from '../end.ts';
import { type Flag, type Given, helpText, parseFlags, type Usage } from '../flags.ts';
import { processTerminal, type Terminal } from '../terminal.ts';
import { INSTANTS, instantOf, intervalOf } from './when.ts';

const FLAGS: readonly Flag[] = [
  { name: 'since', value: 'when', help: `only lines from then on: ${INSTANTS}` },
  { name: 'until', value: 'when', help: 'only lines before then' },
  { name: 'interval', value: 'span', help: 'a row of the table for each: 5m, 15m, 1h, 6h, 1d (default: 1h)' },
  { name: 'top', value: 'n', help: 'names of senders, domains and clients (default: 10; 0 leaves them out and is faster)' },
  { name: 'json', help: 'print one JSON object' },
  {
    name: 'counters',
    help: 'read on from the last time and print counters that only grow; the place is kept in the state folder',
  },
  { name: 'prometheus', help: 'the same as Prometheus text' },
  { name: 'write', value: 'file', help: 'write what would be printed into a file, replaced as a whole (mode 0644)' },
  { name: 'state', value: 'dir', help: 'folder for counters and places (default: $HEALTHMON_STATE, else var/)' },
];

const USAGE: Usage = {
  command: 'smtpstats',
  about:
    'Message rate and size from SMTP logs: what came in, went out, was deferred, bounced, rejected; how large, how late, whose.\nReads logs of Postfix, Exim and sendmail (and counts log-ins of Dovecot in them), plain or packed by gzip; "-" is standard input.\nWithout a log it reads the one that this host writes to. Several are read oldest first.',
  flags: FLAGS,
  rest: '[log...]',
  after: `
Examples:
  smtpstats --since today
  smtpstats --interval 1d --top 20 /var/log/mail.log*
  journalctl -o short-iso -t postfix/smtpd -t postfix/qmgr -t postfix/smtp | smtpstats -
  */5 * * * *  /opt/healthmon/bin/smtpstats --prometheus --write /var/lib/prometheus/node-exporter/mail.prom

Exit status:
  0  ok
  3  a log could not be read, or only in part; usage; disk`,
};

const REPORT_ONLY = ['since', 'until', 'interval', 'top'] as const;

/** Reads the arguments, does the work, and ends the process. */
export async function runSmtpstats(): Promise<never> {
  const terminal = processTerminal();
  return end(terminal, async () => {
    const { given, rest } = parseFlags(USAGE, process.argv.slice(2));
    if (given.help === true) {
      terminal.out(helpText(USAGE));
      return 0;
    }
    const isCounting = given.counters === true || given.prometheus === true;
    const misplaced = REPORT_ONLY.find(name => isCounting && given[name] !== undefined);
    if (misplaced !== undefined)
      throw new Stop(`smtpstats: --${misplaced} has no meaning for counters, which go on from the last time`);
    if (given.prometheus === true && given.json === true)
      throw new Stop('smtpstats: --json and --prometheus cannot both be printed');
    const logs = rest.length > 0 ? rest : [usualLog()];
    return isCounting ? counters(logs, given, terminal) : report(logs, given, terminal);
  });
}

async function report(logs: readonly string[], given: Given, terminal: Terminal): Promise<number> {
  const now = Date.now();
  const [{ Reader }, { Spans }, { readLog, writtenAt }, { summaryOf }] = await Promise.all([
    import('../../maillog/reader.ts'),
    import('../../maillog/lines.ts'),
    import('../../maillog/open.ts'),
    import('../../maillog/summary.ts'),
  ]);
  const [since, until] = [instant('since', given, now), instant('until', given, now)];
  const intervalMs = interval(given);
  const top = wholeNumber('top', given, 10, 1000);
  const reader = new Reader({
    spanMs: intervalMs,
    withNames: top > 0,
    reference: now,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  });
  let isWhole = true;
  for (const { log, at } of oldestFirst(logs, writtenAt)) {
    reader.begin(at ?? now);
    const spans = new Spans((text, from, to) => reader.line(text, from, to));
    const read = await readLog(log, chunk => spans.add(chunk));
    spans.end();
    if (read.outcome === 'read') continue;
    isWhole = false;
    terminal.say(`Cannot read ${printable(log)}${read.outcome === 'cut' ? ' to its end' : ''}: ${read.why}`);
  }
  const summary = summaryOf(reader, { intervalMs, top });
  if (summary.totals.lines === 0 && summary.unstamped > 0) {
    terminal.say(
      `No line begins with a time stamp that is known (${summary.unstamped} read): this is no log of a mail server, or its format is another`,
    );
    isWhole = false;
  }
  const { summaryText } = await import('../view/maillog.ts');
  print(given.json === true ? JSON.stringify(summary) : summaryText(summary, terminal.colours), given, terminal);
  return isWhole ? 0 : 3;
}

async function counters(logs: readonly string[], given: Given, terminal: Terminal): Promise<number> {
  if (logs.includes('-')) throw new Stop('smtpstats: counters go on where a file was read to; standard input has no such place');
  const { state } = placesOf(typeof given.state === 'string' ? { state: given.state } : {});
  openState(state);
  const { step } = await import('../../maillog/totals.ts');
  const steps = [];
  for (const log of logs) {
    const one = await attempt(log, () => step(log, state, Date.now()));
    if (one.isAnew) terminal.say(`The counters of ${printable(log)} could not be read, were put aside, and begin anew`);
    if (one.events.includes('lost'))
      terminal.say(`Lines of ${printable(log)} from before its rotation are not counted: the old file is no longer beside it`);
    steps.push(one);
  }
  if (given.prometheus === true) {
    const { prometheusText } = await import('../../maillog/prometheus.ts');
    print(prometheusText(steps.map(({ totals }) => totals)).trimEnd(), given, terminal);
  } else if (given.json === true) print(JSON.stringify({ v: 1, logs: steps }), given, terminal);
  else {
    const { stepText } = await import('../view/maillog.ts');
    print(steps.map(stepText).join('\n\n'), given, terminal);
  }
  return 0;
}

async function attempt<T>(log: string, work: () => Promise<T | undefined>): Promise<T> {
  let result: T | undefined;
  try {
    result = await work();
  } catch (error) {
    if (error instanceof NotWritten || !(error instanceof Error)) throw error;
    throw new Stop(`Cannot count ${printable(log)}: ${error.message}`);
  }
  if (result === undefined) throw new Stop(`Cannot count ${printable(log)}: there is no such file, and never was`);
  return result;
}

function print(text: string, given: Given, terminal: Terminal): void {
  if (typeof given.write !== 'string') {
    terminal.out(text);
    return;
  }
  replaceFile(given.write, `${text}\n`, 0o644);
}

function oldestFirst(
  logs: readonly string[],
  writtenAt: (file: string) => number | undefined,
): readonly { readonly log: string; readonly at: number | undefined }[] {
  const dated = logs.map(log => ({ log, at: log === '-' ? undefined : writtenAt(log) }));
  return dated.sort((a, b) => (a.at ?? Number.POSITIVE_INFINITY) - (b.at ?? Number.POSITIVE_INFINITY) || 0);
}

function instant(name: 'since' | 'until', given: Given, now: number): number | undefined {
  const text = given[name];
  if (typeof text !== 'string') return undefined;
  const at = instantOf(text, now);
  if (at === undefined) throw new Stop(`smtpstats: --${name} expects ${INSTANTS}, not "${printable(text)}"`);
  return at;
}

function interval(given: Given): number {
  const text = given.interval ?? '1h';
  const ms = typeof text === 'string' ? intervalOf(text) : undefined;
  if (ms === undefined)
    throw new Stop(
      `smtpstats: --interval expects a span that divides days evenly (5m, 15m, 1h, 6h, 1d), not "${printable(String(text))}"`,
    );
  return ms;
}

function wholeNumber(name: string, given: Given, usual: number, most: number): number {
  const text = given[name];
  if (typeof text !== 'string') return usual;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new Stop(`smtpstats: --${name} expects a whole number from 0 to ${most}, not "${printable(text)}"`);
}

/** Where this host's mail server writes to. @throws {Stop} when none of the usual places is there */
function usualLog(): string {
  const file = '/etc/postfix/main.cf';
  const written = existsSync(file) ? parameter(readFileSync(file, 'utf8'), 'maillog_file') : undefined;
  const usual = ['/var/log/mail.log', '/var/log/maillog', '/var/log/exim4/mainlog', '/var/log/exim/main.log'];
  const places = written?.startsWith('/') === true ? [written, ...usual] : usual;
  const found = places.find(each => existsSync(each));
  if (found !== undefined) return found;
  throw new Stop(
    `smtpstats: no log of a mail server at ${places.join(', ')}; name one, or pipe it: journalctl -o short-iso -t postfix/smtpd -t postfix/qmgr -t postfix/smtp | smtpstats -`,
  );
}
