// A look at a mail host as results: each thing that is not as it should be is a subject of its own, and it is well again when a look
// by the same check does not find it any more. Pure.
//
// A limit has waited as long as host.cfg says before it is a finding: what is critical or a warning is sure, and raised at once. Some of it
// is there at one look only (a new core file, a line in a log), and would never be told otherwise.

import type { Component } from '../../model/component.ts';
import { printable } from '../../model/printable.ts';
import type { CheckReading, HostFinding, HostStep } from '../../model/reading.ts';
import type { ReadingRecord } from '../../model/record.ts';
import type { State } from '../../model/verdict.ts';
import type { Alarm } from './alarm.ts';
import type { Result } from './result.ts';

/** A finding quotes names of files and clients. */
const WORDS = 300;

/** What alarms that are not over have been touched by: only of these is it worth saying that all is well. */
export function openSubjects(alarms: readonly Pick<Alarm, 'stage' | 'touched'>[]): ReadonlySet<string> {
  return new Set(alarms.filter(({ stage }) => stage !== 'closed').flatMap(({ touched }) => Object.keys(touched)));
}

/**
 * @param open subjects of which an end is to be told; those that are bad now are added by the caller
 * @returns one result for each finding that counts, and one for each open subject of these checks that is well
 */
export function resultsOfReading(
  { at, reading }: Pick<ReadingRecord, 'at' | 'reading'>,
  open: ReadonlySet<string>,
): readonly Result[] {
  const component: Component = `host/${printable(reading.host, 60)}`;
  return reading.checks.flatMap(check => {
    const head = `${component} ${check.check} `;
    const found = new Map(check.findings.map(finding => [subjectOf(component, check, finding), finding]));
    const bad = [...found].flatMap(([subject, finding]) => badResult(subject, finding, { at, component, check }) ?? []);
    // A check that could not see says nothing about what it has seen before.
    if (check.level === 'unknown' || check.findings.some(({ level }) => level === 'unknown')) return bad;
    const well = [...open].filter(subject => subject.startsWith(head) && !found.has(subject));
    return [...bad, ...well.map(subject => ({ ...headOf(subject, component, check, at), state: 'ok' as const, causes: [] }))];
  });
}

interface Around {
  readonly at: number;
  readonly component: Component;
  readonly check: CheckReading;
}

/** Undefined for what is beyond its limit and has not been for long enough: it speaks neither for nor against. */
function badResult(subject: string, { level, text }: HostFinding, { at, component, check }: Around): Result | undefined {
  if (level === 'ok') return undefined;
  const phase = subject.slice(component.length + 1) as HostStep;
  return {
    ...headOf(subject, component, check, at),
    state: STATES[level],
    causes: [{ component, protocol: 'local', phase, kind: 'host', confidence: 'sure' }],
    words: printable(text, WORDS),
  };
}

const STATES: Readonly<Record<Exclude<HostFinding['level'], 'ok'>, State>> = {
  critical: 'failed',
  warning: 'slow',
  unknown: 'unknown',
};

function headOf(
  subject: string,
  component: Component,
  { check }: CheckReading,
  at: number,
): Pick<Result, 'at' | 'subject' | 'label' | 'touches' | 'isOfHost'> {
  return { at, subject, label: `check_${check} on ${component.slice('host/'.length)}`, touches: [], isOfHost: true };
}

/** `host/mx1 sys disk_used_percent:/var`: component, check, and the finding's own subject without the check's name before it. */
function subjectOf(component: Component, { check }: CheckReading, { subject }: HostFinding): string {
  const own = subject.startsWith(`${check}.`) ? subject.slice(check.length + 1) : subject;
  return `${component} ${check} ${printable(own, 200)}`;
}
