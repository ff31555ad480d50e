// IMAP commands on folders: LIST, LSUB, NAMESPACE, SELECT, EXAMINE, STATUS, CREATE, DELETE, SUBSCRIBE, APPEND, CLOSE, UNSELECT
// (RFC 3501 section 6.3, RFC 2342, RFC 3691, RFC 6154, RFC 4315).

import type { Folder } from '../store/mailbox.ts';
import { quote, textOf, type Value } from './command.ts';
import { parseImapDate } from './dates.ts';
import type { Handler, ImapSession } from './session.ts';
import { View } from './view.ts';

const NO_SUCH = (name: string) => `NO [NONEXISTENT] Mailbox doesn't exist: ${name}`;
const BAD = 'BAD Error in IMAP command received by server: Invalid arguments.';

export const FOLDER_COMMANDS: Readonly<Record<string, Handler>> = {
  NAMESPACE: async ({ visit }) => {
    await visit.say('* NAMESPACE (("" "/")) NIL NIL\r\n');
    return 'OK Namespace completed.';
  },
  LIST: async (session, { args }) => list(session, args, 'LIST'),
  LSUB: async (session, { args }) => list(session, args, 'LSUB'),
  SELECT: async (session, { args }) => select(session, textOf(args[0]), false),
  EXAMINE: async (session, { args }) => select(session, textOf(args[0]), true),
  STATUS: async (session, { args }) => status(session, args),
  CREATE: async ({ mailbox }, { args }) => {
    const name = textOf(args[0]);
    if (name === undefined || name === '') return BAD;
    if (mailbox.folder(name) !== undefined) return 'NO [ALREADYEXISTS] Mailbox already exists';
    mailbox.create(name);
    return 'OK Create completed.';
  },
  DELETE: async ({ mailbox }, { args }) => {
    const name = textOf(args[0]) ?? '';
    return mailbox.drop(name) ? 'OK Delete completed.' : NO_SUCH(name);
  },
  SUBSCRIBE: async () => 'OK Subscribe completed.',
  UNSUBSCRIBE: async () => 'OK Unsubscribe completed.',
  APPEND: async (session, { args }) => append(session, args),
  CLOSE: async session => {
    const { view } = session;
    if (view === undefined) return 'BAD No mailbox selected.';
    if (!view.readOnly)
      view.folder.remove(new Set(view.messages.filter(({ flags }) => flags.has('\\Deleted')).map(({ uid }) => uid)));
    session.view = undefined;
    return 'OK Close completed.';
  },
  UNSELECT: async session => {
    session.view = undefined;
    return 'OK Unselect completed.';
  },
};

async function list({ visit, mailbox }: ImapSession, args: readonly Value[], word: string): Promise<string> {
  const values = args.filter(arg => arg.kind !== 'list').map(textOf);
  const [reference = '', pattern = ''] = values;
  if (pattern === '') {
    await visit.say(`* ${word} (\\Noselect) "/" ""\r\n`);
  } else {
    const wanted = wildcard(`${reference}${pattern}`);
    for (const folder of mailbox.folders.filter(({ name }) => wanted.test(name))) {
      const attributes = ['\\HasNoChildren', ...(folder.specialUse === undefined ? [] : [folder.specialUse])];
      await visit.say(`* ${word} (${attributes.join(' ')}) "/" ${folder.name === 'INBOX' ? 'INBOX' : quote(folder.name)}\r\n`);
    }
  }
  return `OK ${word === 'LIST' ? 'List' : 'Lsub'} completed.`;
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('%', '[^/]*');
  return new RegExp(`^${source}$`, pattern.toUpperCase() === 'INBOX' ? 'i' : '');
}

async function select(session: ImapSession, name: string | undefined, readOnly: boolean): Promise<string> {
  session.view = undefined;
  if (name === undefined) return BAD;
  const folder = session.mailbox.folder(name);
  if (folder === undefined) return NO_SUCH(name);
  const view = new View(folder, readOnly);
  const unseen = view.messages.findIndex(({ flags }) => !flags.has('\\Seen'));
  const lines = [
    '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)',
    `* OK [PERMANENTFLAGS (${readOnly ? '' : '\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*'})] Flags permitted.`,
    `* ${view.messages.length} EXISTS`,
    '* 0 RECENT',
    ...(unseen < 0 ? [] : [`* OK [UNSEEN ${unseen + 1}] First unseen.`]),
    `* OK [UIDVALIDITY ${folder.uidValidity}] UIDs valid`,
    `* OK [UIDNEXT ${folder.uidNext}] Predicted next UID`,
  ];
  await session.visit.say(`${lines.join('\r\n')}\r\n`);
  session.view = view;
  return readOnly ? 'OK [READ-ONLY] Examine completed.' : 'OK [READ-WRITE] Select completed.';
}

async function status({ visit, mailbox }: ImapSession, args: readonly Value[]): Promise<string> {
  const name = textOf(args[0]);
  const wanted = args[1];
  if (name === undefined || wanted?.kind !== 'list') return BAD;
  const folder = mailbox.folder(name);
  if (folder === undefined) return NO_SUCH(name);
  const shown = wanted.items.map(item => {
    const key = textOf(item)?.toUpperCase() ?? '';
    return `${key} ${statusValue(folder, key)}`;
  });
  await visit.say(`* STATUS ${folder.name === 'INBOX' ? 'INBOX' : quote(folder.name)} (${shown.join(' ')})\r\n`);
  return 'OK Status completed.';
}

function statusValue(folder: Folder, key: string): number {
  switch (key) {
    case 'MESSAGES':
      return folder.messages.length;
    case 'UIDNEXT':
      return folder.uidNext;
    case 'UIDVALIDITY':
      return folder.uidValidity;
    case 'UNSEEN':
      return folder.messages.filter(({ flags }) => !flags.has('\\Seen')).length;
    case 'SIZE':
      return folder.bytes;
    default:
      return 0;
  }
}

/** Mailbox, then flags and a date if given, then the message. */
async function append({ mailbox, uidplus }: ImapSession, args: readonly Value[]): Promise<string> {
  const name = textOf(args[0]);
  const raw = textOf(args.at(-1));
  if (name === undefined || raw === undefined || args.length < 2) return BAD;
  const folder = mailbox.folder(name);
  if (folder === undefined) return `NO [TRYCREATE] Mailbox doesn't exist: ${name}`;
  let flags: string[] = [];
  let internalDate = new Date();
  for (const option of args.slice(1, -1)) {
    if (option.kind === 'list') flags = option.items.map(item => textOf(item) ?? '').filter(flag => flag !== '');
    else internalDate = parseImapDate(option.text) ?? internalDate;
  }
  const message = folder.append(raw, { flags, internalDate });
  return uidplus ? `OK [APPENDUID ${folder.uidValidity} ${message.uid}] Append completed.` : 'OK Append completed.';
}
