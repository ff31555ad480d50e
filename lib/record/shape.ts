// Whether a line of the journal has what a record of its type must have. A file that another hand, a bad disk or another program has
// written to gives lines that are JSON and no records: they are counted as damaged, and no reader stumbles over them.
//
// Only what must be there is looked at, and of what kind it is; words are not checked against their lists, so that a newer version may
// add one.

import type { JournalRecord } from '../model/record.ts';

/** A field whose name ends in `?` may be absent. */
type Shape = 'text' | 'number' | readonly [Shape] | { readonly [field: string]: Shape };

const PATH = { account: 'text', mta: 'text', mmp: 'text', mailbox: 'text' } as const;
const FAULT = {
  component: 'text',
  protocol: 'text',
  phase: 'text',
  kind: 'text',
  text: 'text',
  lasting: 'text',
  'reply?': { code: 'text', 'enhanced?': 'text', lines: ['text'] },
} as const;
const TLS = { version: 'text', subject: 'text', issuer: 'text', validTo: 'text', daysLeft: 'number' } as const;
const DIALOG = {
  component: 'text',
  protocol: 'text',
  beganMs: 'number',
  tookMs: 'number',
  phases: [{ name: 'text', beganMs: 'number', tookMs: 'number' }],
  facts: {
    'tls?': TLS,
    'banner?': 'text',
    'peerAddress?': 'text',
    'queueId?': 'text',
    'addresses?': ['text'],
    'capabilities?': ['text'],
  },
  transcript: [{ atMs: 'number', from: 'text', text: 'text' }],
} as const;
const LEG = { name: 'text', beganMs: 'number', tookMs: 'number', 'fault?': FAULT, dialogs: [DIALOG] } as const;
const SUSPECT = {
  component: 'text',
  protocol: 'text',
  phase: 'text',
  kind: 'text',
  confidence: 'text',
  why: ['text'],
  'against?': ['text'],
} as const;
const VERDICT = {
  state: 'text',
  'totalMs?': 'number',
  suspects: [SUSPECT],
  'excused?': 'text',
  text: 'text',
  short: 'text',
} as const;
const ARRIVAL = {
  outcome: 'text',
  'afterMs?': 'number',
  'byMs?': 'number',
  'waitedMs?': 'number',
  'folder?': 'text',
  'why?': 'text',
  'bounce?': { action: 'text', status: 'text', 'diagnostic?': 'text' },
} as const;
const TRIP = {
  id: 'text',
  path: PATH,
  startedAt: 'number',
  tookMs: 'number',
  legs: [LEG],
  arrival: ARRIVAL,
  hops: [{ by: 'text', 'at?': 'number', 'delayMs?': 'number', 'skewMs?': 'number' }],
  findings: [{ what: 'text', text: 'text' }],
  'fault?': FAULT,
  'totalMs?': 'number',
  'message?': { id: 'text', messageId: 'text' },
} as const;
const FINDING = { level: 'text', subject: 'text', text: 'text' } as const;
const CHECK = {
  check: 'text',
  level: 'text',
  text: 'text',
  figures: {},
  findings: [FINDING],
  missing: [{ what: 'text', why: 'text' }],
  tops: {},
  tookMs: 'number',
} as const;

const KNOCK = {
  component: 'text',
  protocol: 'text',
  question: 'text',
  about: 'text',
  tookMs: 'number',
  outcome: 'text',
  text: 'text',
} as const;
const EVIDENCE = {
  knocks: [KNOCK],
  'queue?': { mta: 'text', found: 'text', text: 'text' },
  'onStore?': { store: 'text', found: 'text', text: 'text' },
  'longer?': { component: 'text', protocol: 'text', text: 'text' },
  siblings: [
    {
      path: PATH,
      state: 'text',
      at: 'number',
      outcome: 'text',
      'fault?': { component: 'text', phase: 'text' },
      findings: ['text'],
    },
  ],
  usual: [{ leg: 'text', phase: 'text', p50Ms: 'number', p90Ms: 'number', n: 'number' }],
  absences: [{ component: 'text', 'until?': 'number', reason: 'text' }],
  tookMs: 'number',
} as const;

const SHAPES = {
  trip: { by: 'text', trip: TRIP, verdict: VERDICT, 'evidence?': EVIDENCE },
  verdict: { trip: 'text', path: PATH, verdict: VERDICT, evidence: EVIDENCE, text: 'text' },
  amend: { trip: 'text', path: PATH, became: 'text', 'afterMs?': 'number', text: 'text' },
  skip: { by: 'text', why: 'text', paths: [PATH] },
  monitor: { event: 'text', text: 'text' },
  notice: {
    what: 'text',
    alarm: 'number',
    state: 'text',
    component: 'text',
    protocol: 'text',
    phase: 'text',
    kind: 'text',
    text: 'text',
    since: 'number',
    paths: ['text'],
    pathCount: 'number',
    to: ['text'],
  },
  delivery: {
    message: 'text',
    to: 'text',
    channel: 'text',
    attempt: 'number',
    outcome: 'text',
    text: 'text',
    tookMs: 'number',
    notices: [{ alarm: 'number', what: 'text' }],
  },
  ack: { alarm: 'number', by: 'text' },
  silence: { what: 'text', by: 'text', until: 'number', reason: 'text' },
  reading: { by: 'text', reading: { host: 'text', startedAt: 'number', level: 'text', checks: [CHECK] } },
} as const satisfies Record<JournalRecord['type'], Shape>;

const BY_TYPE: ReadonlyMap<unknown, Shape> = new Map(Object.entries(SHAPES));

/** Whether `record`, an object of the journal, is one of its type. */
export function isRecord(record: object): record is JournalRecord {
  const { at, type } = record as { readonly at?: unknown; readonly type?: unknown };
  const shape = BY_TYPE.get(type);
  return shape !== undefined && typeof at === 'number' && fits(record, shape);
}

function fits(value: unknown, shape: Shape): boolean {
  if (shape === 'text') return typeof value === 'string';
  if (shape === 'number') return typeof value === 'number';
  if (isList(shape)) return Array.isArray(value) && value.every(each => fits(each, shape[0]));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return fieldsOf(shape).every(({ name, isOptional, inner }) => {
    // As JSON has it: no name of ours is one that every object has.
    const field = (value as Readonly<Record<string, unknown>>)[name];
    return (isOptional && field === undefined) || fits(field, inner);
  });
}

interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  readonly inner: Shape;
}

const taken = new Map<object, readonly Field[]>();

/** Taken apart once: a year has hundreds of thousands of records, each with a hundred objects. */
function fieldsOf(shape: { readonly [field: string]: Shape }): readonly Field[] {
  const known = taken.get(shape);
  if (known !== undefined) return known;
  const fresh = Object.entries(shape).map(([text, inner]) => {
    const isOptional = text.endsWith('?');
    return { name: isOptional ? text.slice(0, -1) : text, isOptional, inner };
  });
  taken.set(shape, fresh);
  return fresh;
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}
