// The house keeps its shape: who may import whom, read from the imports themselves. @see lib/README.md

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Room -> rooms it may import; its own is always allowed. `cli` may import anything in lib. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  dialog: ['model'],
  site: ['model'],
  // What each path proves is asked of isolation itself, on supposed faults; what was due is plain time.
  plan: ['model', 'isolate'],
  record: ['model'],
  trip: ['model', 'dialog', 'record'],
  isolate: ['model', 'dialog', 'trip'],
  alarm: ['model', 'site', 'record'],
  // plan: what was due. dialog: a report goes by mail.
  report: ['model', 'site', 'record', 'plan', 'dialog'],
  // check_ldap speaks through the dialogs; check_files reads logs as maillog does.
  host: ['model', 'site', 'record', 'dialog', 'maillog'],
  // record: counters that only grow are kept from one step to the next.
  maillog: ['model', 'record'],
  standin: ['model'],
};
/** The only rooms that open a connection to a mail service. */
const MAY_DIAL: readonly string[] = ['dialog', 'standin'];
/** The only rooms that write what is kept. */
const MAY_WRITE: readonly string[] = ['record', 'site'];

const files = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => join('lib', name));

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const room = roomOf(file);
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => ({ file, room, target: match[1] as string }));
}

function roomOf(file: string): string {
  return file.split('/')[1] as string;
}

const imports = files.flatMap(importsOf);
const local = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(each => ({ ...each, to: relative(ROOT, normalize(join(ROOT, dirname(each.file), each.target))) }));

test('the test reads real imports', () => {
  expect(files.length).toBeGreaterThan(40);
  expect(local.length).toBeGreaterThan(100);
});

test('every room imports only the rooms below it', () => {
  const wrong = local.filter(({ room, to }) => {
    if (!to.startsWith('lib/')) return true;
    const target = roomOf(to);
    return target !== room && room !== 'cli' && !(ALLOWED[room] ?? []).includes(target);
  });
  expect(wrong.map(({ file, to }) => `${file} -> ${to}`)).toEqual([]);
});

test('every room is in the table', () => {
  const rooms = new Set(files.filter(file => file.split('/').length > 2).map(roomOf));
  expect([...rooms].filter(room => room !== 'cli' && ALLOWED[room] === undefined)).toEqual([]);
});

test('no file imports itself through others', () => {
  const graph = new Map<string, string[]>();
  for (const { file, to } of local) graph.set(file, [...(graph.get(file) ?? []), to]);
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

test('only the dialogs and the embedded site open sockets to mail services', () => {
  const clients = /^(node:net|node:tls|nodemailer|imapflow|node-pop3|ldapts|smtp-server)(\/|$)/;
  // The lock is a local socket; compose.ts and letter.ts only write messages.
  const allowed = new Set(['lib/record/lock.ts', 'lib/trip/compose.ts', 'lib/report/letter.ts']);
  const wrong = imports.filter(
    ({ room, target, file }) => clients.test(target) && !MAY_DIAL.includes(room) && !allowed.has(file) && !onlyIsIp(file, target),
  );
  expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
});

test('only the records, and the first config, are written', () => {
  const writing =
    /\b(writeFileSync|writeSync|appendFileSync|renameSync|createWriteStream|writeFile|truncateSync|ftruncateSync)\b/;
  const wrong = files.filter(
    file => !MAY_WRITE.includes(roomOf(file)) && writing.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))),
  );
  expect(wrong).toEqual([]);
});

test('every room is on the road map, and every file of lib in its room has a header', () => {
  const map = readFileSync(join(ROOT, 'lib/README.md'), 'utf8');
  const rooms = [...new Set(files.filter(file => file.split('/').length > 2).map(roomOf))];
  expect(rooms.filter(room => !map.includes(`${room}/`))).toEqual([]);
  expect(files.filter(file => !readFileSync(join(ROOT, file), 'utf8').startsWith('//'))).toEqual([]);
});

function onlyIsIp(file: string, target: string): boolean {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return (
    target === 'node:net' &&
    /import \{ (isIP|isIPv4|isIPv6|isIP, isIPv6|BlockList, isIP|BlockList)[^}]*\} from 'node:net'/.test(text) &&
    !/\b(connect|createServer|Socket)\(/.test(text)
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
