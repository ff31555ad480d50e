// IMAP commands on the messages of the selected folder: SEARCH, FETCH, STORE, COPY, MOVE, EXPUNGE, with and without UID
// (RFC 3501 section 6.4, RFC 4315, RFC 6851).

import type { StoredMessage } from '../store/mailbox.ts';
import { textOf, type Value } from './command.ts';
import { BadFetch, fetchReply, type Item, parseItems } from './fetch.ts';
import { BadSearch, parseSearch } from './search.ts';
import type { Handler, ImapSession } from './session.ts';
import { formatSet, parseSet } from './set.ts';
import type { View } from './view.ts';

interface Numbered {
  readonly number: number;
  readonly message: StoredMessage;
}

const NOTHING_SELECTED = 'BAD No mailbox selected.';
const READ_ONLY = 'NO [READ-ONLY] Mailbox is read-only.';
const BAD = (text: string) => `BAD Error in IMAP command received by server: ${text}.`;
const BAD_SET = BAD('Invalid messageset');

export const MESSAGE_COMMANDS: Readonly<Record<string, Handler>> = {
  SEARCH: async (session, { args }) => search(session, args, false),
  'UID SEARCH': async (session, { args }) => search(session, args, true),
  FETCH: async (session, { args }) => fetch(session, args, false),
  'UID FETCH': async (session, { args }) => fetch(session, args, true),
  STORE: async (session, { args }) => store(session, args, false),
  'UID STORE': async (session, { args }) => store(session, args, true),
  COPY: async (session, { args }) => copy(session, args, false, false),
  'UID COPY': async (session, { args }) => copy(session, args, true, false),
  MOVE: async (session, { args }) => copy(session, args, false, true),
  'UID MOVE': async (session, { args }) => copy(session, args, true, true),
  EXPUNGE: async session => expunge(session, undefined),
  'UID EXPUNGE': async (session, { args }) =>
    session.uidplus ? expunge(session, textOf(args[0]) ?? '') : BAD('Unknown command'),
};

async function search({ visit, view }: ImapSession, args: readonly Value[], byUid: boolean): Promise<string> {
  if (view === undefined) return NOTHING_SELECTED;
  try {
    const matches = parseSearch(args, view.messages);
    const found = numbered(view).filter(({ message, number }) => matches(message, number));
    await visit.say(`* SEARCH${found.map(({ message, number }) => ` ${byUid ? message.uid : number}`).join('')}\r\n`);
    return 'OK Search completed (0.001 + 0.000 secs).';
  } catch (error) {
    if (error instanceof BadSearch) return BAD(error.message);
    throw error;
  }
}

async function fetch({ visit, view }: ImapSession, args: readonly Value[], byUid: boolean): Promise<string> {
  if (view === undefined) return NOTHING_SELECTED;
  const chosen = choose(view, textOf(args[0]) ?? '', byUid);
  if (chosen === undefined) return BAD_SET;
  let items: Item[];
  try {
    items = parseItems(args[1]);
  } catch (error) {
    if (error instanceof BadFetch) return BAD(error.message);
    throw error;
  }
  if (byUid && !items.some(({ name }) => name === 'UID')) items.unshift({ name: 'UID', sees: false });
  const sees = !view.readOnly && items.some(item => item.sees);
  for (const { message, number } of chosen) {
    const becomesSeen = sees && !message.flags.has('\\Seen');
    if (becomesSeen) {
      view.folder.setFlags(message.uid, [...message.flags, '\\Seen']);
      view.told(message);
    }
    const shown: Item[] =
      becomesSeen && !items.some(({ name }) => name === 'FLAGS') ? [...items, { name: 'FLAGS', sees: false }] : items;
    await visit.say(fetchReply(number, message, shown));
  }
  return 'OK Fetch completed (0.001 + 0.000 secs).';
}

async function store({ visit, view }: ImapSession, args: readonly Value[], byUid: boolean): Promise<string> {
  if (view === undefined) return NOTHING_SELECTED;
  if (view.readOnly) return READ_ONLY;
  const chosen = choose(view, textOf(args[0]) ?? '', byUid);
  if (chosen === undefined) return BAD_SET;
  const action = /^([+-]?)FLAGS(\.SILENT)?$/.exec(textOf(args[1])?.toUpperCase() ?? '');
  if (action === null) return BAD('Invalid arguments');
  const list = args[2]?.kind === 'list' ? args[2].items : args.slice(2);
  const flags = list.map(item => normalFlag(textOf(item) ?? ''));
  for (const { message, number } of chosen) {
    view.folder.setFlags(message.uid, changed(message.flags, action[1] ?? '', flags));
    view.told(message);
    const items: Item[] = [...(byUid ? [{ name: 'UID', sees: false }] : []), { name: 'FLAGS', sees: false }];
    if (action[2] === undefined) await visit.say(fetchReply(number, message, items));
  }
  return 'OK Store completed.';
}

function changed(now: ReadonlySet<string>, sign: string, flags: readonly string[]): string[] {
  if (sign === '+') return [...new Set([...now, ...flags])];
  return sign === '-' ? [...now].filter(flag => !flags.includes(flag)) : flags.slice();
}

/** `\seen` is `\Seen`; keywords keep their spelling. */
function normalFlag(flag: string): string {
  return flag.startsWith('\\') ? `\\${flag.slice(1, 2).toUpperCase()}${flag.slice(2).toLowerCase()}` : flag;
}

async function copy(session: ImapSession, args: readonly Value[], byUid: boolean, moves: boolean): Promise<string> {
  const { visit, view, mailbox, uidplus } = session;
  if (view === undefined) return NOTHING_SELECTED;
  if (moves && view.readOnly) return READ_ONLY;
  const chosen = choose(view, textOf(args[0]) ?? '', byUid);
  if (chosen === undefined) return BAD_SET;
  const name = textOf(args[1]) ?? '';
  const target = mailbox.folder(name);
  if (target === undefined) return `NO [TRYCREATE] Mailbox doesn't exist: ${name}`;
  const copies = chosen.map(({ message }) =>
    target.append(message.raw, { flags: [...message.flags], internalDate: message.internalDate }),
  );
  const from = chosen.map(({ message }) => message.uid);
  const code =
    uidplus && from.length > 0
      ? `[COPYUID ${target.uidValidity} ${formatSet(from)} ${formatSet(copies.map(({ uid }) => uid))}] `
      : '';
  if (!moves) return `OK ${code}Copy completed.`;
  if (code !== '') await visit.say(`* OK ${code}Moved UIDs.\r\n`);
  view.folder.remove(new Set(from));
  return 'OK Move completed.';
}

/** `only` is a set of UIDs; absent: every message that is marked. */
async function expunge({ view }: ImapSession, only: string | undefined): Promise<string> {
  if (view === undefined) return NOTHING_SELECTED;
  if (view.readOnly) return READ_ONLY;
  const chosen = only === undefined ? numbered(view) : choose(view, only, true);
  if (chosen === undefined) return BAD_SET;
  const marked = chosen.filter(({ message }) => message.flags.has('\\Deleted')).map(({ message }) => message.uid);
  view.folder.remove(new Set(marked));
  return 'OK Expunge completed.';
}

function numbered(view: View): Numbered[] {
  return view.messages.map((message, i) => ({ number: i + 1, message }));
}

/** Undefined when the text is no set. A UID that is not there is passed over (RFC 3501 section 6.4.8). */
function choose(view: View, text: string, byUid: boolean): Numbered[] | undefined {
  const all = numbered(view);
  const isIn = parseSet(text, byUid ? (all.at(-1)?.message.uid ?? 0) : all.length);
  return isIn === undefined ? undefined : all.filter(({ number, message }) => isIn(byUid ? message.uid : number));
}
