// The sequence against the site: entries that can never run, entries that get into each other's way, and parts of the site that
// no entry looks at.

import type { Sequence } from '../model/sequence.ts';
import type { Inventory, Known } from './inventory.ts';
import type { Place, Reporter } from './problem.ts';
import { listed } from './references.ts';
import type { PlacedEntry } from './sequence.ts';
import type { SiteContents } from './site-table.ts';
import { didYouMean } from './table/nearest.ts';

const MINUTES = 60;
const MAILBOXES = ['pop3', 'imap'] as const;

/** Notes what is wrong with each entry, line by line, and between entries. Returns the entries that can run. */
export function checkSequence(
  entries: readonly PlacedEntry[],
  contents: SiteContents,
  inventory: Inventory,
  report: Reporter,
): Sequence {
  const site = contents.site[0]?.draft;
  const sound = entries.flatMap(entry => {
    const isDue = checkMinute(entry, site?.interval, report);
    const settled = checkRoute(entry, inventory, report);
    return isDue && settled !== undefined ? [settled] : [];
  });
  checkSameMinute(entries, report);
  if (site?.submit !== undefined && site.deliver !== undefined && site.fetch !== undefined) {
    checkGaps(entries, { submit: site.submit, deliver: site.deliver, fetch: site.fetch }, report);
  }
  return sound;
}

/** Notes components that could be tested and that no entry uses, at their section in site.cfg. */
export function checkCoverage(entries: Sequence, contents: SiteContents, inventory: Inventory, report: Reporter): void {
  const used = new Set<string>();
  const sender = contents.site[0]?.draft.sender;
  if (sender !== undefined) used.add(`account/${sender}`);
  for (const { account, mta, mmp } of entries) {
    used.add(`account/${account}`).add(`store/${inventory.get(`account/${account}`)?.store}`);
    for (const [name, kind] of [
      [mta, 'mta'],
      [mmp, 'mmp'],
    ] as const) {
      used.add(`${kind}/${name}`);
      for (const member of inventory.get(`balancer/${name}`)?.members ?? []) used.add(member);
    }
  }
  const options = { mta: '-s', mmp: '-p', account: '-u' } as const;
  for (const { component, kind, name, place, store } of inventory.values()) {
    if (used.has(component)) continue;
    if (kind === 'store')
      report.warning(
        place,
        `no entry of sequence.cfg uses ${component}: a fault of it goes unnoticed`,
        'add an entry whose -u is an account on it',
      );
    // A store's own account is told with the store.
    const isToldAlready = kind === 'account' && store === name && !used.has(`store/${store}`);
    if (isToldAlready || (kind !== 'mta' && kind !== 'mmp' && kind !== 'account')) continue;
    report.warning(
      place,
      `no entry of sequence.cfg uses ${component}: a fault of it goes unnoticed`,
      `add an entry with ${options[kind]} ${name}`,
    );
  }
}

/** cron starts us only at multiples of the interval. */
function checkMinute({ minute, places }: PlacedEntry, interval: number | undefined, report: Reporter): boolean {
  if (interval === undefined || minute % interval === 0) return true;
  const before = minute - (minute % interval);
  const after = (before + interval) % MINUTES;
  report.error(
    places.minute,
    `the entry can never run: minute ${two(minute)} is not a multiple of the interval, ${interval} minutes`,
    `write ${two(before)} or ${two(after)}, or change interval in [site]`,
  );
  return false;
}

/** The entry, with the one protocol filled in where only one is possible; undefined after a problem has been noted. */
function checkRoute(entry: PlacedEntry, inventory: Inventory, report: Reporter): Sequence[number] | undefined {
  const account = lookUp(entry.account, {
    inventory,
    place: entry.places['-u'],
    option: '-u',
    what: 'account',
    fits: ({ kind }) => kind === 'account',
    report,
  });
  const mta = lookUp(entry.mta, { inventory, place: entry.places['-s'], option: '-s', what: 'MTA', fits: isSender, report });
  const isDirect = entry.mmp === 'direct';
  const mmp = isDirect
    ? account && inventory.get(`store/${account.store}`)
    : lookUp(entry.mmp, { inventory, place: entry.places['-p'], option: '-p', what: 'MMP', fits: isReader, report });
  const { places: _, ...plain } = entry;
  if (account === undefined || mta === undefined || mmp === undefined) return undefined;
  const doors = MAILBOXES.filter(mailbox => mmp.doors.has(mailbox));
  const [only, second] = doors;
  if (only === undefined) {
    // An MMP without any door has been told in site.cfg.
    if (isDirect)
      report.error(
        entry.places['-p'] ?? entry.places.minute,
        `the entry can never run: -p direct means the doors of ${mmp.component}, which has neither pop3 nor imap`,
        `add one to ${mmp.label}, or name an MMP`,
      );
    return undefined;
  }
  if (entry.mailbox !== undefined && !mmp.doors.has(entry.mailbox)) {
    report.error(
      entry.places['-m'] ?? entry.places.minute,
      `the entry can never run: ${mmp.component} has no ${entry.mailbox} door`,
      `write -m ${only}, or add ${entry.mailbox} to ${mmp.label}`,
    );
    return undefined;
  }
  return second === undefined ? { ...plain, mailbox: only } : plain;
}

interface LookUp {
  readonly inventory: Inventory;
  readonly place: Place | undefined;
  readonly option: string;
  readonly what: string;
  readonly fits: (known: Known) => boolean;
  readonly report: Reporter;
}

function lookUp(
  name: string,
  { inventory, place = { line: 1, column: 1 }, option, what, fits, report }: LookUp,
): Known | undefined {
  const all = [...inventory.values()];
  const found = all.find(known => known.name === name && fits(known));
  if (found !== undefined) return found;
  const names = all.filter(fits).map(known => known.name);
  const guess = didYouMean(name, names);
  const other = all.find(known => known.name === name);
  if (other === undefined)
    report.error(
      place,
      `unknown ${what} '${name}' after ${option}${guess}`,
      guess === '' ? listed(`${what}s`, names) : undefined,
    );
  else
    report.error(
      place,
      `expected an ${what} after ${option}: found ${other.component}${other.kind === 'balancer' ? ', which has no such door' : ''}`,
      listed(`${what}s`, names),
    );
  return undefined;
}

function isSender({ kind, doors }: Known): boolean {
  return kind === 'mta' || (kind === 'balancer' && doors.has('smtp'));
}

function isReader({ kind, doors }: Known): boolean {
  return kind === 'mmp' || (kind === 'balancer' && MAILBOXES.some(mailbox => doors.has(mailbox)));
}

/** The same path twice is wrong. Two paths in one minute may be a slip: told of each that shares a mailbox, and once of all others. */
function checkSameMinute(entries: readonly PlacedEntry[], report: Reporter): void {
  const plain: { readonly entry: PlacedEntry; readonly first: PlacedEntry }[] = [];
  const seen = new Map<number, PlacedEntry[]>();
  for (const entry of entries) {
    const earlier = seen.get(entry.minute) ?? [];
    seen.set(entry.minute, [...earlier, entry]);
    const same = earlier.find(other => isSamePath(other, entry));
    const [first] = earlier;
    if (same !== undefined) {
      report.error(
        entry.places.minute,
        `minute ${two(entry.minute)} has the same path twice: it is in line ${same.line} already`,
        'take one of the two lines out',
      );
    } else if (earlier.some(other => other.account === entry.account)) {
      report.warning(
        entry.places.minute,
        `minute ${two(entry.minute)} is in line ${earlier[0]?.line} already: the two run at the same time; both read the mailbox of ${entry.account}, and POP3 servers let in one at a time`,
        ANOTHER_MINUTE,
      );
    } else if (first !== undefined) plain.push({ entry, first });
  }
  const [one, ...others] = plain;
  if (one === undefined) return;
  const more = others.length === 0 ? '' : ` (${others.length} more ${others.length === 1 ? 'entry does' : 'entries do'} so)`;
  report.warning(
    one.entry.places.minute,
    `minute ${two(one.entry.minute)} is in line ${one.first.line} already: the two run at the same time${more}`,
    ANOTHER_MINUTE,
  );
}

const ANOTHER_MINUTE = 'if that is not meant, give one of them another minute';

/** An entry without -m goes by POP3 one hour and by IMAP the next, and meets either. */
function isSamePath(a: PlacedEntry, b: PlacedEntry): boolean {
  const isSameMailbox = a.mailbox === undefined || b.mailbox === undefined || a.mailbox === b.mailbox;
  return a.account === b.account && a.mta === b.mta && a.mmp === b.mmp && isSameMailbox;
}

/** A run that is still under way when the next is due makes that one be skipped; told once, at the first such entry. */
function checkGaps(
  entries: readonly PlacedEntry[],
  limits: { readonly submit: number; readonly deliver: number; readonly fetch: number },
  report: Reporter,
): void {
  const longest = limits.submit + limits.deliver + limits.fetch;
  const minutes = [...new Set(entries.map(({ minute }) => minute))].toSorted((a, b) => a - b);
  const tight = entries.filter(({ minute }) => gapAfter(minute, minutes) * 60 < longest);
  const first = tight[0];
  if (first === undefined) return;
  const gap = gapAfter(first.minute, minutes);
  const next = two((first.minute + gap) % MINUTES);
  const others =
    tight.length === 1 ? '' : ` (${tight.length - 1} more ${tight.length === 2 ? 'entry has' : 'entries have'} the same problem)`;
  report.warning(
    first.places.minute,
    `a slow run can take ${longest} seconds (submit + deliver + fetch) and the next entry, at minute ${next}, is due after ${gap * 60}: it would be skipped${others}`,
    'lower these limits in [site], or put the entries further apart',
  );
}

/** Minutes until the next entry is due, round the clock; 60 when it is the same one. */
function gapAfter(minute: number, minutes: readonly number[]): number {
  const next = minutes.find(other => other > minute) ?? (minutes[0] ?? minute) + MINUTES;
  return next - minute;
}

function two(minute: number): string {
  return String(minute).padStart(2, '0');
}
