// `-r`: makes reports, keeps them, mails them, and says what became of them. Nothing here measures, and nothing here is needed for
// measuring: it takes a lock of its own and reads what is on disk.

import { randomBytes } from 'node:crypto';
import { takeLock } from '../../record/lock.ts';
import { replaceFile } from '../../record/replace.ts';
import type { ReportConfig } from '../../report/config.ts';
import { loadReportConfig } from '../../report/config.ts';
import type { Report } from '../../report/data.ts';
import { deliver } from '../../report/deliver.ts';
import { type Dressed, dress, standalone } from '../../report/dress.ts';
import type { Formats } from '../../report/formats.ts';
import { forgetReports, keepReport, reportFolder } from '../../report/keep.ts';
import { composeLetter, tableFile } from '../../report/letter.ts';
import { forgetMade, madeDays, madeNote, missingDays, noteMade } from '../../report/made.ts';
import { makeReport, type Sources } from '../../report/make.ts';
import { isUndelivered, Outbox, type Outgoing } from '../../report/outbox.ts';
import { dayAfter, dayPeriod, type Period, periodId, reportedDay, titleOf } from '../../report/period.ts';
import { sendOver } from '../../report/relay.ts';
import { momentText } from '../../report/words.ts';
import { loadSite } from '../../site/load.ts';
import { formatProblems } from '../../site/problem.ts';
import { openState, type Places, Stop, stopSignal } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { version } from '../version.ts';
import { reportFormats } from './folders.ts';
import { offerByChannel } from './offer.ts';
import { asksForPeriod, periodOf, type ReportOptions } from './options.ts';

/** @returns 0 made and delivered to everybody, 1 made and not delivered to everybody; throws {Stop} (3) when it cannot be made */
export async function runReport(options: ReportOptions, places: Places, terminal: Terminal): Promise<number> {
  const now = Date.now();
  const { site, sequence, problems } = await loadSite(places.config, { secrets: false, at: now });
  if (site === undefined)
    terminal.say(`${formatProblems(problems)}\nThe config in ${places.config} has errors: the report is made without it`);
  const formats = await reportFormats();
  const outbox = new Outbox(places.state);
  const sources: Sources = { state: places.state, site, sequence, version: version(), outgoing: outbox.all() };
  const isOnlyShown = options.print === true || options.out !== undefined || options.json === true;
  const period = periodOf(options, now);
  if (isOnlyShown) return show(makeReport(period, now, sources), options, formats, terminal);

  openState(places.state);
  const { config, problems: wrong } = await loadReportConfig(places.config, site);
  if (wrong.length > 0) terminal.say(formatProblems(wrong));
  const lock = await takeLock(places.state, 'report', 'check_rndtrip -r');
  if (!lock.held) throw new Stop('Another report is being made; this start makes none');
  try {
    const work: Work = { sources, outbox, formats, config, places, terminal, now, isQuiet: options.quiet === true };
    if (asksForPeriod(options)) await makeOne(period, options.format, work);
    else for (const each of dueDays(work)) await makeOnce(each, options.format, work);
    return await deliverAll(work);
  } finally {
    lock.release();
  }
}

interface Work {
  readonly sources: Sources;
  readonly outbox: Outbox;
  readonly formats: Formats;
  /** Undefined when [report] has errors: reports are then made and kept, and nobody gets them. */
  readonly config: ReportConfig | undefined;
  readonly places: Places;
  readonly terminal: Terminal;
  readonly now: number;
  readonly isQuiet: boolean;
}

/** The day that is due, unless its report has been made, and before it those that are missing. */
function dueDays({ places, now, terminal, isQuiet }: Work): Period[] {
  const day = reportedDay(now);
  const { make, older } = missingDays(madeDays(places.state), day);
  if (older.length > 0)
    terminal.say(
      `${older.length} older reports are missing, ${older[0]} to ${older.at(-1)}: check_rndtrip -r --day makes one of them`,
    );
  if (make.length > 0) terminal.say(`Reports that were not made: ${make.join(', ')}; they are made now`);
  const note = madeNote(places.state, day);
  if (note !== undefined && !isQuiet)
    terminal.say(`The report of ${day} was made at ${momentText(note.madeAt)}; --day ${day} makes it again`);
  return [...make, ...(note === undefined ? [day] : [])].map(dayPeriod);
}

/** A run that was killed between putting a letter in the outbox and noting that it was made: the letter is not made again. */
async function makeOnce(period: Period, asked: string | undefined, work: Work): Promise<void> {
  const id = periodId(period);
  const inTheBox = work.outbox.all().find(entry => entry.id === id);
  if (inTheBox === undefined) await makeOne(period, asked, work);
  else noteMade(work.places.state, { id, madeAt: inTheBox.createdAt, format: '' });
}

async function makeOne(period: Period, asked: string | undefined, work: Work): Promise<void> {
  const { sources, outbox, formats, config, places, terminal, now } = work;
  const id = periodId(period);
  const report = makeReport(period, now, { ...sources, outgoing: outbox.all() });
  const dressed = await dress(report, asked ?? config?.format ?? 'daily', config?.attach ?? [], formats);
  for (const problem of dressed.problems) terminal.say(problem);
  keepReport(places.state, id, report, dressed);
  // Before the note that it was made: a crash in between makes it again, and never leaves it out.
  if (config !== undefined && config.to.length > 0) await post(id, report, dressed, config, outbox);
  noteMade(places.state, { id, madeAt: now, format: dressed.format });
  if (!work.isQuiet) {
    terminal.out(`${titleOf(period)}: ${report.verdict.sentence}`);
    terminal.out(`  kept in ${reportFolder(places.state, id)}`);
    if (config !== undefined && config.to.length === 0)
      terminal.out('  [report] in alarms.cfg names nobody: it is mailed to nobody');
  }
}

async function post(id: string, report: Report, dressed: Dressed, config: ReportConfig, outbox: Outbox): Promise<void> {
  const { site, made } = report;
  const host = site.domain === '' ? 'healthmon.invalid' : site.domain;
  const messageId = `<report-${id}.${randomBytes(9).toString('hex')}@${host}>`;
  const table = tableFile(report);
  const letter = await composeLetter({
    from: config.from,
    to: config.to,
    messageId,
    at: made.at,
    report,
    text: dressed.text,
    ...(dressed.html === undefined ? {} : { html: dressed.html }),
    pictures: dressed.pictures,
    files: [...(table === undefined ? [] : [table]), ...dressed.files],
  });
  const entry: Outgoing = {
    v: 1,
    id,
    title: report.period.title,
    from: config.from,
    messageId,
    createdAt: made.at,
    attempts: 0,
    nextAt: 0,
    people: config.to.map(address => ({ address, state: 'waiting', text: '' })),
  };
  outbox.put(entry, letter);
}

async function deliverAll(work: Work): Promise<number> {
  const { outbox, config, places, terminal, now } = work;
  if (config === undefined) {
    terminal.say('Nothing is mailed while [report] in alarms.cfg has errors; reports are kept, and go out once it has none');
    return 1;
  }
  const { relay } = config;
  const tried =
    relay === undefined ? [] : await deliver({ outbox, send: sendOver(relay, stopSignal(terminal)), at: now, onlyDue: false });
  for (const entry of tried) await tell(entry, work);
  const limit = now - config.keepDays * 86_400_000;
  forgetReports(places.state, limit);
  outbox.forget(limit);
  forgetMade(places.state, dayAfter(reportedDay(now), -config.keepDays));
  return tried.some(isUndelivered) ? 1 : 0;
}

async function tell(entry: Outgoing, { config, places, terminal, isQuiet, sources }: Work): Promise<void> {
  const relay = config?.relay;
  const over =
    relay === undefined
      ? ''
      : ` over ${relay.endpoint.component}${relay.isWatched ? ', which is part of the site that is watched' : ''}`;
  const sent = entry.people.filter(({ state }) => state === 'sent');
  const others = entry.people.filter(({ state }) => state !== 'sent');
  if (sent.length > 0 && !isQuiet)
    terminal.out(`  ${entry.title} mailed to ${sent.map(({ address }) => address).join(', ')}${over}`);
  if (others.length === 0) return;
  const first = others[0];
  const what = `The report of ${entry.title} could not be mailed to ${others.map(({ address }) => address).join(', ')}${over}: ${first?.text ?? ''}`;
  terminal.say(`${what}; it is tried again${entry.attempts > 1 ? ` (${entry.attempts} attempts so far)` : ''}`);
  if (config?.fallback !== undefined && entry.attempts === 1)
    await offerByChannel(config.fallback, {
      places,
      site: sources.site?.name ?? 'mail site',
      title: what,
      folder: reportFolder(places.state, entry.id),
      terminal,
    });
}

async function show(report: Report, options: ReportOptions, formats: Formats, terminal: Terminal): Promise<number> {
  if (options.json === true && options.out === undefined) {
    terminal.out(JSON.stringify(report));
    return 0;
  }
  const isPage = options.out !== undefined && /\.html?$/.test(options.out);
  const name = options.format ?? (options.json === true ? 'json' : isPage ? 'daily' : 'classic');
  const dressed = await dress(report, name, [], formats);
  for (const problem of dressed.problems) terminal.say(problem);
  const page = dressed.html === undefined ? undefined : standalone(dressed.html, dressed.pictures);
  // A file of a format that is no letter's comes first; HTML only where it is asked for, or is all there is.
  const content = dressed.files[0]?.text ?? (isPage || !dressed.isOwnText ? page : undefined) ?? dressed.text;
  if (options.out === undefined) terminal.out(content.trimEnd());
  else {
    replaceFile(options.out, content, 0o644);
    if (options.quiet !== true) terminal.say(`${report.period.title} written to ${options.out}`);
  }
  return dressed.problems.length > 0 ? 1 : 0;
}
