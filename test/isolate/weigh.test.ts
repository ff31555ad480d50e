// Weighing by hand-made evidence: what the embedded site cannot do, as real servers have shown it.

import { expect, test } from 'vitest';
import { weigh } from '../../lib/isolate/weigh.ts';
import type { Component } from '../../lib/model/component.ts';
import type { Fault } from '../../lib/model/dialog.ts';
import type { Evidence, Knocked, Scene } from '../../lib/model/evidence.ts';
import type { Trip } from '../../lib/model/trip.ts';

const SCENE: Scene = {
  mta: 'mta/out1',
  mtaMembers: [],
  mmp: 'mmp/mux1',
  mmpMembers: [],
  store: 'store/box1',
  account: 'account/ann',
  submitter: 'account/robot',
  filters: [],
  needs: {
    'mta/out1': ['directory/ldap1', 'directory/ldap2'],
    'mmp/mux1': ['directory/ldap1'],
    'store/box1': ['directory/ldap1', 'directory/ldap2'],
  },
  nameServers: ['dns/ns1'],
};

const knock = (
  component: Component,
  protocol: Knocked['protocol'],
  question: Knocked['question'],
  more: Partial<Knocked> = {},
): Knocked => ({ component, protocol, question, about: 'ann', tookMs: 10, outcome: 'answered', text: 'does its part', ...more });

const no = (
  phase: Fault['phase'],
  kind: Fault['kind'],
  more: Partial<Fault> = {},
): Pick<Knocked, 'outcome' | 'text' | 'fault'> => ({
  outcome: 'failed',
  text: `${phase}: ${kind}`,
  fault: { component: 'mta/out1', protocol: 'smtp', phase, kind, text: kind, lasting: 'permanent', ...more },
});

const fine = [
  knock('mta/out1', 'smtp', 'greet'),
  knock('store/box1', 'lmtp', 'rcpt'),
  knock('store/box1', 'imap', 'login'),
  knock('directory/ldap1', 'ldap', 'entry'),
  knock('directory/ldap2', 'ldap', 'entry'),
];

/** Knocks that replace the fine ones at the same door with the same question. */
function evidence(knocks: readonly Knocked[], scene: Partial<Scene> = {}): Evidence {
  const same = (a: Knocked, b: Knocked) =>
    a.component === b.component && a.protocol === b.protocol && a.question === b.question && a.about === b.about;
  const rest = fine.filter(each => !knocks.some(other => same(each, other)));
  return { scene: { ...SCENE, ...scene }, knocks: [...rest, ...knocks], siblings: [], usual: [], absences: [], tookMs: 1 };
}

function failed(component: Component, protocol: Fault['protocol'], phase: Fault['phase'], more: Partial<Fault> = {}): Trip {
  const fault: Fault = { component, protocol, phase, kind: 'rejected', text: 'no', lasting: 'permanent', ...more };
  const path = { account: 'ann', mta: 'out1', mmp: 'mux1', mailbox: 'imap' } as const;
  return { id: 'x', path, startedAt: 0, tookMs: 0, legs: [], arrival: { outcome: 'unsent' }, hops: [], findings: [], fault };
}

const verdict = (trip: Trip, seen: Evidence) => weigh(trip, seen, { slowMs: 1000 });
const named = (trip: Trip, seen: Evidence) =>
  verdict(trip, seen).suspects.map(({ component, confidence }) => `${component} ${confidence}`);

const nameFails = failed('mta/out1', 'smtp', 'resolve', { kind: 'name' });
const name = (bearer: Component, more: Partial<Knocked> = {}) =>
  knock('dns/ns1', 'dns', 'name', { about: `${bearer.slice(bearer.indexOf('/') + 1)}.test`, bearers: [bearer], ...more });

test('a name server that refuses one name and knows others may not be there for it: it is not blamed alone', () => {
  const seen = evidence([
    name('mta/out1', no('query', 'rejected', { lasting: 'transient' })),
    name('mmp/mux1'),
    name('store/box1'),
  ]);
  expect(named(nameFails, seen)).toEqual(['mta/out1 cannot tell apart', 'dns/ns1 cannot tell apart']);
  expect(verdict(nameFails, seen).suspects[1]?.why).toContain('it has 2 other names of the site');
});

test('of the only name that was asked for nobody claims that others resolve', () => {
  const seen = evidence([name('mta/out1', no('query', 'rejected', { lasting: 'transient' }))]);
  expect(named(nameFails, seen)).toEqual(['mta/out1 cannot tell apart', 'dns/ns1 cannot tell apart']);
  expect(JSON.stringify(verdict(nameFails, seen))).not.toContain('other names');
});

test('a name server that refuses every name, or is silent, is to blame', () => {
  const refuses = no('query', 'rejected', { lasting: 'transient' });
  expect(named(nameFails, evidence([name('mta/out1', refuses), name('mmp/mux1', refuses)]))).toEqual(['dns/ns1 sure']);
  expect(named(nameFails, evidence([name('mta/out1', no('query', 'timeout')), name('mmp/mux1')]))).toEqual(['dns/ns1 sure']);
});

test("another machine's lost name is not held against the one that does not resolve", () => {
  const seen = evidence([name('mta/out1'), name('store/box1', no('query', 'missing'))]);
  expect(named(nameFails, seen)[0]).toBe('mta/out1 likely');
});

const badPassword = failed('mta/out1', 'smtp', 'auth');
const robot = (component: Component, protocol: Knocked['protocol'], question: Knocked['question'], more: Partial<Knocked> = {}) =>
  knock(component, protocol, question, { about: 'robot', ...more });

test('535 at the MTA: the account that logs in there is judged by its own password, not by that of the mailbox', () => {
  const everywhere = evidence([
    robot('store/box2', 'imap', 'login', no('auth', 'rejected')),
    robot('directory/ldap1', 'ldap', 'bind', no('bind', 'rejected')),
    robot('directory/ldap2', 'ldap', 'bind', no('bind', 'rejected')),
  ]);
  expect(named(badPassword, everywhere)).toEqual(['account/robot sure']);
  const onlyThere = evidence([robot('store/box2', 'imap', 'login'), robot('directory/ldap1', 'ldap', 'bind')]);
  expect(named(badPassword, onlyThere)).toEqual(['mta/out1 sure']);
});

test('535 at the MTA for a deleted account: no directory has it', () => {
  const gone = no('search', 'missing');
  const seen = evidence([robot('directory/ldap1', 'ldap', 'entry', gone), robot('directory/ldap2', 'ldap', 'entry', gone)]);
  expect(named(badPassword, seen)).toEqual(['account/robot sure']);
});

test('535 for a user of whom site.cfg knows nothing: the MTA, and no more than likely', () => {
  const { submitter: _, ...stranger } = SCENE;
  const seen = { ...evidence([]), scene: stranger };
  expect(named(badPassword, seen)).toEqual(['mta/out1 likely']);
  expect(verdict(badPassword, seen).suspects[0]?.why[1]).toContain('no account of site.cfg has this user');
});

const refusedAtMmp = failed('mmp/mux1', 'imap', 'auth');
const refusedAtStore = knock('store/box1', 'imap', 'login', no('auth', 'rejected'));
const bind = (directory: Component, more: Partial<Knocked> = {}) => knock(directory, 'ldap', 'bind', more);

test('a store that refuses a password which its directories take is to blame itself', () => {
  const seen = evidence([refusedAtStore, bind('directory/ldap1'), bind('directory/ldap2')]);
  expect(named(refusedAtMmp, seen)).toEqual(['store/box1 sure']);
});

test('a password that the directories refuse too is wrong', () => {
  const refuses = no('bind', 'rejected');
  const seen = evidence([refusedAtStore, bind('directory/ldap1', refuses), bind('directory/ldap2', refuses)]);
  expect(named(refusedAtMmp, seen)).toEqual(['account/ann sure']);
});

test('without a directory the store and the account cannot be told apart, until somebody else has tried', () => {
  const bare = { needs: {} };
  const alone = { ...evidence([refusedAtStore], bare) };
  expect(named(refusedAtMmp, alone)).toEqual(['account/ann cannot tell apart', 'store/box1 cannot tell apart']);
  const other = (more: Partial<Knocked>) => knock('store/box1', 'imap', 'login', { about: 'bob', ...more });
  expect(named(refusedAtMmp, evidence([refusedAtStore, other({})], bare))).toEqual(['account/ann sure']);
  expect(named(refusedAtMmp, evidence([refusedAtStore, other(no('auth', 'rejected'))], bare))).toEqual(['store/box1 likely']);
});

test('an MMP that cannot look up anybody while its directory answers us: itself, or its way there', () => {
  const trip = failed('mmp/mux1', 'imap', 'auth', {
    lasting: 'transient',
    reply: { code: 'NO', enhanced: 'UNAVAILABLE', lines: [] },
  });
  const other = knock('mmp/mux1', 'imap', 'login', { about: 'bob', ...no('auth', 'rejected', { lasting: 'transient' }) });
  expect(named(trip, evidence([other]))).toEqual(['mmp/mux1 cannot tell apart', 'link/mux1-ldap1 cannot tell apart']);
  const inUse = failed('mmp/mux1', 'imap', 'auth', { lasting: 'transient', reply: { code: 'NO', enhanced: 'INUSE', lines: [] } });
  expect(named(inUse, evidence([other]))).toEqual(['mmp/mux1 sure']);
});

test('a machine with two directories takes the other when one refuses: only silence points to the ways', () => {
  const silent = failed('mta/out1', 'smtp', 'auth', { kind: 'timeout', lasting: 'unknown' });
  expect(named(silent, evidence([robot('store/box2', 'imap', 'login')]))).toEqual([
    'mta/out1 cannot tell apart',
    'link/out1-ldap1 cannot tell apart',
    'link/out1-ldap2 cannot tell apart',
  ]);
  const says = failed('mta/out1', 'smtp', 'rcpt', {
    lasting: 'transient',
    reply: { code: '451', enhanced: '4.3.0', lines: [] },
  });
  expect(named(says, evidence([]))).toEqual(['mta/out1 sure']);
});

/** Taken and arrived, with one step that took long. */
function slow(leg: 'submit' | 'transit', phase: 'banner' | 'arrival', tookMs: number, component: Component): Trip {
  const { fault: _, ...trip } = failed(component, 'smtp', phase);
  const dialog = {
    component,
    protocol: 'smtp',
    host: 'h',
    port: 25,
    security: 'plain',
    beganMs: 0,
    tookMs,
    phases: [{ name: phase, beganMs: 0, tookMs }],
    facts: {},
    transcript: [],
  } as const;
  const legs = [{ name: leg, beganMs: 0, tookMs, dialogs: [dialog], outcome: 'done' }] as unknown as Trip['legs'];
  return { ...trip, legs, totalMs: tookMs + 10, arrival: { outcome: 'seen', afterMs: tookMs, byMs: tookMs } };
}

test('a message that was late at the store: its delivery door, asked directly, is as slow', () => {
  const trip = slow('transit', 'arrival', 3000, 'mta/out1');
  const late = knock('store/box1', 'lmtp', 'rcpt', { tookMs: 3010, slowest: { phase: 'banner', tookMs: 3000 } });
  expect(verdict(trip, evidence([late])).suspects[0]).toMatchObject({
    component: 'store/box1',
    protocol: 'lmtp',
    phase: 'banner',
    kind: 'slow',
    confidence: 'likely',
  });
  expect(named(trip, evidence([]))).toEqual(['mta/out1 likely']);
});

test('a balancer that is slow now and then, with quick members: the way to the one that nobody meets', () => {
  const scene: Partial<Scene> = { mta: 'balancer/smtp', mtaMembers: ['mta/out1', 'mta/out2'] };
  const trip = slow('submit', 'banner', 5000, 'balancer/smtp');
  const through = (tookMs: number) => knock('balancer/smtp', 'smtp', 'greet', { tookMs, banner: 'out2.test' });
  const direct = (member: Component) => knock(member, 'smtp', 'rcpt', { banner: `${member.slice(4)}.test` });
  const members = [direct('mta/out1'), direct('mta/out2')];
  expect(named(trip, evidence([through(5000), through(10), ...members], scene))).toEqual([
    'link/smtp-out1 cannot tell apart',
    'balancer/smtp cannot tell apart',
  ]);
  expect(named(trip, evidence([through(10), through(10), ...members], scene))[0]).toBe('link/smtp-out1 cannot tell apart');
  expect(named(trip, evidence([through(5000), through(5000), ...members], scene))).toEqual(['balancer/smtp likely']);
  const both = { ...through(10), banner: 'out1.test' };
  expect(named(trip, evidence([both, through(10), ...members], scene))).toEqual(['balancer/smtp likely']);
});

test('an MMP that reaches one store and not another: itself or the way, and of the way it is the connection', () => {
  const trip = failed('mmp/mux1', 'imap', 'auth', {
    lasting: 'transient',
    reply: { code: 'NO', enhanced: 'UNAVAILABLE', lines: [] },
  });
  const other = knock('mmp/mux1', 'imap', 'login', { about: 'bob' });
  expect(verdict(trip, evidence([other])).suspects.map(({ component, phase }) => `${component} ${phase}`)).toEqual([
    'mmp/mux1 auth',
    'link/mux1-box1 connect',
  ]);
});
