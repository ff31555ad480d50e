// One trip as text: the line that says it all, the legs and phases as bars on one time line, what was learned on the way.
//
// Pure but for colours, which are an argument. All text from peers was made printable when it was taken in.

import type { DialogRecord } from '../../model/dialog.ts';
import type { TripRecord } from '../../model/record.ts';
import { type Leg, pathText, type Trip } from '../../model/trip.ts';
import type { State } from '../../model/verdict.ts';
import { localDay, localTime } from '../../record/day.ts';
import { ms } from '../milliseconds.ts';
import type { Terminal } from '../terminal.ts';
import { reasonsText } from './evidence.ts';

type Colours = Terminal['colours'];

const BAR = 36;

/** The whole trip. `verbose` adds the dialogs as they happened. */
export function tripText(record: TripRecord, colours: Colours, options: { readonly verbose?: boolean } = {}): string {
  const { trip } = record;
  return [
    headline(record, colours),
    '',
    ...timeLine(trip, colours),
    '',
    ...learned(trip, colours),
    ...(record.verdict.suspects.length === 0 ? [] : ['', ...reasonsText(record.verdict, colours)]),
    ...(options.verbose === true ? ['', ...transcriptText(trip, colours)] : []),
  ].join('\n');
}

/** `FAILED  ims1 via ssmtp01, smux01 pop3: mmp/smux01 pop3 auth: refused ...` and when. */
export function headline({ trip, verdict }: TripRecord, colours: Colours): string {
  const at = `${localDay(trip.startedAt)} ${localTime(trip.startedAt)}`;
  return `${stateWord(verdict.state, colours)}  ${pathText(trip.path)}  ${colours.dim(`${at}, trip ${trip.id}`)}\n        ${verdict.text}`;
}

export function stateWord(state: State, colours: Colours): string {
  switch (state) {
    case 'ok':
      return colours.green('OK     ');
    case 'slow':
      return colours.yellow('SLOW   ');
    case 'failed':
      return colours.red('FAILED ');
    case 'unknown':
      return colours.magenta('UNKNOWN');
    default:
      return state satisfies never;
  }
}

function timeLine(trip: Trip, colours: Colours): readonly string[] {
  const end = Math.max(1, ...trip.legs.map(leg => leg.beganMs + leg.tookMs));
  const scale = `0 ms${`${ms(end)} ms`.padStart(BAR - 4)}`;
  const rows = [`  ${'leg, phase'.padEnd(16)}${'took ms'.padStart(10)}   ${colours.dim(scale)}`];
  for (const leg of trip.legs) {
    const mark = leg.fault === undefined ? '' : colours.red(`  ${leg.fault.kind}`);
    rows.push(
      `  ${colours.bold(leg.name.padEnd(16))}${ms(leg.tookMs).padStart(10)}   ${bar(leg.beganMs, leg.tookMs, end)}${mark}`,
    );
    for (const dialog of leg.dialogs) {
      for (const phase of dialog.phases) {
        const failed = leg.fault !== undefined && phase === leg.dialogs.at(-1)?.phases.at(-1);
        const name = failed ? colours.red(phase.name.padEnd(14)) : phase.name.padEnd(14);
        rows.push(`    ${name}${ms(phase.tookMs).padStart(10)}   ${colours.cyan(bar(phase.beganMs, phase.tookMs, end))}`);
      }
    }
  }
  return rows;
}

/** Eighths of a column, so that short phases beside long ones can still be told apart. */
function bar(beganMs: number, tookMs: number, endMs: number): string {
  const from = Math.min(BAR - 1, Math.floor((beganMs / endMs) * BAR));
  const eighths = Math.max(1, Math.round((tookMs / endMs) * BAR * 8));
  const full = Math.min(BAR - from, Math.floor(eighths / 8));
  const rest = full < BAR - from ? ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] : '';
  return `${' '.repeat(from)}${'█'.repeat(full)}${rest}`.padEnd(BAR);
}

function learned(trip: Trip, colours: Colours): readonly string[] {
  const rows: string[] = [];
  const row = (name: string, text: string) => rows.push(`  ${colours.bold(name.padEnd(9))}${text}`);
  for (const leg of trip.legs) {
    const dialog = leg.dialogs[0];
    if (dialog !== undefined && (leg.name === 'open' || leg.name === 'submit')) row(leg.name, doorText(dialog));
    if (leg.name === 'submit' && dialog?.facts.accepted !== undefined) row('', `accepted: ${dialog.facts.accepted}`);
    if (leg.name === 'transit') row('arrival', arrivalText(trip, leg));
  }
  for (const [index, hop] of trip.hops.entries()) {
    const when =
      hop.skewMs !== undefined ? 'its clock is off' : hop.delayMs === undefined ? 'time unknown' : `+${ms(hop.delayMs)} ms`;
    row(
      `hop ${index + 1}`,
      `${hop.by}${hop.from === undefined ? '' : ` from ${hop.from}`}${hop.protocol === undefined ? '' : ` with ${hop.protocol}`}: ${when}`,
    );
  }
  for (const finding of trip.findings) row('found', `${finding.what}: ${finding.text}`);
  return rows;
}

/** `mmp/smux01 pop3 127.0.30.1 port 110, STARTTLS, TLSv1.3, certificate of mmp1.lab.test, 89 days left` */
function doorText({ component, protocol, host, port, security, facts }: DialogRecord): string {
  const where = facts.peerAddress === undefined || facts.peerAddress === host ? host : `${host} (${facts.peerAddress})`;
  const several = facts.addresses === undefined ? '' : `, first of ${facts.addresses.length} addresses`;
  const secured = { plain: 'in clear', starttls: 'STARTTLS', tls: 'TLS' }[security];
  const tls =
    facts.tls === undefined
      ? ''
      : `, ${facts.tls.version}, certificate of ${facts.tls.subject}, ${facts.tls.daysLeft} days left${facts.tls.verified ? '' : ', NOT VERIFIED'}`;
  return `${component} ${protocol} at ${where} port ${port}${several}, ${secured}${tls}`;
}

function arrivalText(trip: Trip, leg: Leg): string {
  const looks = `${leg.looks ?? 0} ${leg.looks === 1 ? 'look' : 'looks'}${leg.logins === undefined || leg.logins === 0 ? '' : `, ${leg.logins} ${leg.logins === 1 ? 'log-in' : 'log-ins'}`}`;
  const { arrival } = trip;
  switch (arrival.outcome) {
    case 'seen': {
      const after = Math.max(0, arrival.afterMs - leg.beganMs);
      return `between ${ms(after)} and ${ms(arrival.byMs - leg.beganMs)} ms after the MTA took it (${looks})`;
    }
    case 'junked':
      return `filed under ${arrival.folder} (${looks})`;
    case 'bounced':
      return `bounced with ${arrival.bounce.status} (${looks})`;
    case 'lost':
    case 'unsure':
      return `not seen in ${(arrival.waitedMs / 1000).toFixed(1)} s (${looks})`;
    case 'unsent':
      return 'was not sent';
    case 'unknown':
      return `unknown: ${arrival.why} (${looks})`;
    default:
      return arrival satisfies never;
  }
}

/** The dialogs as they happened. */
export function transcriptText(trip: Trip, colours: Colours): readonly string[] {
  const rows: string[] = [];
  for (const leg of trip.legs) {
    for (const dialog of leg.dialogs) {
      if (dialog.transcript.length === 0) continue;
      rows.push(colours.bold(`  ${leg.name}: ${dialog.component} ${dialog.protocol}`));
      for (const line of dialog.transcript) rows.push(`  ${ms(line.atMs).padStart(10)} ${line.from} ${line.text}`);
    }
  }
  return rows;
}
