// Where one part of site.cfg names another: does that exist, and can it play the part it is given?

import type { Kind } from '../model/component.ts';
import { printable } from '../model/printable.ts';
import { type Inventory, namesOf } from './inventory.ts';
import type { Reporter } from './problem.ts';
import type { SiteContents } from './site-table.ts';
import type { Placed } from './table/form.ts';
import { didYouMean } from './table/nearest.ts';

/** Notes every name in site.cfg that stands for nothing, for two things, or for the wrong kind of thing. */
export function checkReferences(contents: SiteContents, inventory: Inventory, report: Reporter): void {
  checkNames(contents, inventory, report);
  checkNeeds(contents, inventory, report);
  checkMembers(contents, inventory, report);
  for (const { draft, label } of contents.filter) {
    for (const mta of draft.used_by ?? []) checkName(mta, { inventory, kinds: ['mta'], what: `'used_by' in ${label}`, report });
  }
  for (const { draft, label, written, place } of contents.account) {
    if (draft.store === undefined) continue;
    checkName(
      { value: draft.store, place: written.get('store') ?? place },
      { inventory, kinds: ['store'], what: `'store' in ${label}`, report },
    );
  }
  for (const { draft, written, place } of contents.site) {
    if (draft.sender === undefined) continue;
    checkName(
      { value: draft.sender, place: written.get('sender') ?? place },
      { inventory, kinds: ['account'], what: "'sender' in [site]", report },
    );
  }
  for (const { draft, label, written, place } of contents.maintenance) {
    if (draft.component === undefined) continue;
    checkComponent(
      { value: draft.component, place: written.get('component') ?? place },
      { inventory, what: `'component' in ${label}`, report },
    );
  }
}

/** Words after -s, -p and -u stand for one thing each. */
function checkNames(contents: SiteContents, inventory: Inventory, report: Reporter): void {
  for (const { name, label, place } of contents.account) {
    const store = inventory.get(`account/${name}`);
    if (store !== undefined && store.place.line !== place.line) {
      report.error(
        place,
        `${label} is a second account of this name: ${store.label} (line ${store.place.line}) has one already`,
        'rename one, or leave the address out of the store',
      );
    }
  }
  for (const { name, label, place } of [...contents.mmp, ...contents.balancer]) {
    if (name === 'direct')
      report.error(place, `${label} cannot have this name: "-p direct" in sequence.cfg means the store's own doors`);
  }
  for (const { name, label, place, written } of contents.balancer) {
    const rival = written.has('smtp') ? inventory.get(`mta/${name}`) : undefined;
    const other = written.has('pop3') || written.has('imap') ? inventory.get(`mmp/${name}`) : undefined;
    const clash = rival ?? other;
    if (clash === undefined) continue;
    const option = clash === rival ? '-s' : '-p';
    report.error(
      place,
      `${label} and ${clash.label} (line ${clash.place.line}) have one name: "${option} ${name}" in sequence.cfg could mean either`,
      'rename one of them',
    );
  }
}

function checkNeeds(contents: SiteContents, inventory: Inventory, report: Reporter): void {
  const needs = new Map<string, readonly Placed<string>[]>();
  for (const kind of ['mta', 'mmp', 'store', 'balancer', 'directory', 'filter'] as const) {
    for (const { name, label, draft } of contents[kind]) {
      for (const need of draft.needs ?? []) checkComponent(need, { inventory, what: `'needs' in ${label}`, report });
      needs.set(`${kind}/${name}`, draft.needs ?? []);
    }
  }
  reportRings(needs, report);
}

/** What cannot work without itself cannot work at all; each ring is told once, where it closes. */
function reportRings(needs: ReadonlyMap<string, readonly Placed<string>[]>, report: Reporter): void {
  const done = new Set<string>();
  for (const start of needs.keys()) {
    // A walk in depth without recursion: a chain may be as long as the file.
    const chain: { component: string; next: number }[] = [{ component: start, next: 0 }];
    const onChain = new Set([start]);
    for (let last = chain.at(-1); last !== undefined; last = chain.at(-1)) {
      const need = done.has(last.component) ? undefined : needs.get(last.component)?.[last.next++];
      if (need === undefined) {
        done.add(last.component);
        onChain.delete(last.component);
        chain.pop();
      } else if (onChain.has(need.value)) {
        const ring = chain.slice(chain.findIndex(({ component }) => component === need.value)).map(({ component }) => component);
        report.error(need.place, `'needs' go round in a ring: ${[...ring, need.value].join(' needs ')}`);
      } else {
        chain.push({ component: need.value, next: 0 });
        onChain.add(need.value);
      }
    }
  }
}

function checkMembers(contents: SiteContents, inventory: Inventory, report: Reporter): void {
  for (const { label, draft, written } of contents.balancer) {
    const readers = (['pop3', 'imap'] as const).filter(door => written.has(door));
    const kinds: Kind[] = [...(written.has('smtp') ? ['mta' as const] : []), ...(readers.length > 0 ? ['mmp' as const] : [])];
    for (const member of draft.members ?? []) {
      const fitting = kinds.length === 0 ? {} : { kinds };
      if (!checkComponent(member, { inventory, what: `'members' in ${label}`, report, ...fitting })) continue;
      const known = inventory.get(member.value);
      const lacking = known?.kind === 'mmp' ? readers.filter(door => !known.doors.has(door)) : [];
      if (lacking.length > 0)
        report.warning(member.place, `${label} has the door ${lacking.join(' and ')}, and its member ${member.value} has not`);
    }
  }
}

interface Check {
  readonly inventory: Inventory;
  readonly what: string;
  readonly report: Reporter;
}

/** A reference with its kind: `directory/ldap1`. */
function checkComponent(
  { value, place }: Placed<string>,
  { inventory, what, report, kinds }: Check & { readonly kinds?: readonly Kind[] },
): boolean {
  const known = inventory.get(value);
  if (known !== undefined && (kinds === undefined || kinds.includes(known.kind))) return true;
  if (known !== undefined && kinds !== undefined) {
    report.error(place, `${what} names ${known.component}: expected one of kind ${kinds.join(' or ')}`);
    return false;
  }
  const fitting = [...inventory.values()].filter(({ kind }) => kinds === undefined || kinds.includes(kind));
  const sameName = fitting.find(({ name }) => name === value || name === value.slice(value.indexOf('/') + 1));
  const guess =
    sameName === undefined
      ? didYouMean(
          value,
          fitting.map(one => one.component),
        )
      : `: did you mean '${sameName.component}'?`;
  report.error(
    place,
    `${what} names unknown component '${printable(value, 80)}'${guess}`,
    guess === ''
      ? listed(
          'components',
          fitting.map(one => one.component),
        )
      : undefined,
  );
  return false;
}

/** A reference by name alone, where the key says what kind is meant. */
function checkName(
  { value, place }: Placed<string>,
  { inventory, kinds, what, report }: Check & { readonly kinds: readonly [Kind] },
): void {
  const [kind] = kinds;
  const names = namesOf(inventory, kind);
  if (names.includes(value)) return;
  const bare = value.slice(value.indexOf('/') + 1);
  const guess = names.includes(bare) ? `: did you mean '${bare}'?` : didYouMean(value, names);
  report.error(
    place,
    `${what} names unknown ${kind === 'mta' ? 'MTA' : kind} '${printable(value, 80)}'${guess}`,
    guess === '' ? listed(kind === 'mta' ? 'MTAs' : `${kind}s`, names) : undefined,
  );
}

/** At most a dozen names, so that the line can be read. */
export function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return `there are no ${what} in site.cfg`;
  const more = names.length > 12 ? `, and ${names.length - 12} more` : '';
  return `known ${what}: ${names.slice(0, 12).join(', ')}${more}`;
}
