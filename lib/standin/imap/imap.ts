// A store's IMAP server after the log-in (RFC 3501, with IDLE, LITERAL+, ID, NAMESPACE, SPECIAL-USE, UIDPLUS, UNSELECT, MOVE):
// reads commands, enters their phases, and hands them to the commands on folders and on messages.

import type { PhaseName } from '../../model/dialog.ts';
import type { Visit } from '../network/visit.ts';
import type { Mailbox } from '../store/mailbox.ts';
import type { Command } from './command.ts';
import { FOLDER_COMMANDS } from './folders.ts';
import { logout, nextCommand, respond } from './login.ts';
import { MESSAGE_COMMANDS } from './messages.ts';
import type { Handler, ImapSession } from './session.ts';

export const IMAP_PHASES: Readonly<Record<string, PhaseName>> = {
  CAPABILITY: 'capability',
  LIST: 'list',
  LSUB: 'list',
  STATUS: 'list',
  SELECT: 'select',
  EXAMINE: 'select',
  NOOP: 'noop',
  CHECK: 'noop',
  IDLE: 'idle',
  SEARCH: 'search',
  'UID SEARCH': 'search',
  FETCH: 'fetch',
  'UID FETCH': 'fetch',
  STORE: 'store',
  'UID STORE': 'store',
  EXPUNGE: 'expunge',
  'UID EXPUNGE': 'expunge',
  LOGOUT: 'quit',
};

export const IMAP_REFUSED = 'NO [SERVERBUG] Internal error occurred. Refer to server log for more information.';
/** Commands by number; others' numbers must not change while they are answered. */
const BY_NUMBER = new Set(['FETCH', 'STORE', 'SEARCH']);

export function capabilitiesAfterLogin(uidplus: boolean): string {
  const names = [
    'IMAP4rev1',
    'SASL-IR',
    'LOGIN-REFERRALS',
    'ID',
    'ENABLE',
    'IDLE',
    'LITERAL+',
    'NAMESPACE',
    'CHILDREN',
    'UNSELECT',
    'SPECIAL-USE',
    'MOVE',
  ];
  return [...names, ...(uidplus ? ['UIDPLUS'] : [])].join(' ');
}

/** Serves until LOGOUT or until the client has left. The caller has said that the log-in was good. */
export async function imapSession(visit: Visit, mailbox: Mailbox, uidplus: boolean): Promise<void> {
  const session: ImapSession = { visit, mailbox, uidplus, view: undefined };
  for (;;) {
    const command = await nextCommand(visit);
    if (command === undefined) continue;
    if (command.name === 'LOGOUT') {
      await logout(visit, command.tag);
      return;
    }
    await carryOut(session, command);
  }
}

async function carryOut(session: ImapSession, command: Command): Promise<void> {
  const { visit } = session;
  const { tag, name } = command;
  const handler = HANDLERS[name] ?? FOLDER_COMMANDS[name] ?? MESSAGE_COMMANDS[name];
  if (handler === undefined) return respond(visit, tag, `BAD Error in IMAP command ${name}: Unknown command.`);
  const phase = IMAP_PHASES[name];
  if (phase !== undefined) {
    const refusal = await visit.enter(phase, IMAP_REFUSED);
    if (refusal !== undefined) return respond(visit, tag, refusal);
  }
  const outcome = await handler(session, command);
  const news = session.view?.news(!BY_NUMBER.has(name)) ?? '';
  const instead = phase === undefined ? undefined : await visit.enter(phase, IMAP_REFUSED, true);
  if (instead !== undefined) return respond(visit, tag, instead);
  await visit.say(`${news}${tag} ${outcome}\r\n`);
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  async CAPABILITY({ visit, uidplus }) {
    await visit.say(`* CAPABILITY ${capabilitiesAfterLogin(uidplus)}\r\n`);
    return 'OK Capability completed.';
  },
  async ID({ visit }) {
    await visit.say('* ID ("name" "Dovecot")\r\n');
    return 'OK ID completed.';
  },
  async ENABLE({ visit }) {
    await visit.say('* ENABLED\r\n');
    return 'OK Enabled.';
  },
  async NOOP() {
    return 'OK NOOP completed.';
  },
  async CHECK() {
    return 'OK Check completed.';
  },
  async IDLE(session) {
    await idle(session);
    return 'OK Idle completed.';
  },
};

/** RFC 2177; news are held back for `idleMs`, as Dovecot does to tell several at once. */
async function idle({ visit, view }: ImapSession): Promise<void> {
  const { world } = visit.door;
  await visit.say('+ idling\r\n');
  let changed: () => void = () => {};
  let change = new Promise<void>(resolve => {
    changed = resolve;
  });
  const unwatch = view?.folder.watch(() => changed());
  let over = false;
  const done = visit.readLine().finally(() => {
    over = true;
  });
  const doneQuietly = done.then(
    () => {},
    () => {},
  );
  try {
    // what happened between the last command and now
    const missed = view?.news(true) ?? '';
    if (missed !== '') await visit.say(missed);
    for (;;) {
      await Promise.race([change, doneQuietly]);
      if (over) break;
      await Promise.race([world.pause(world.waits.idleMs), doneQuietly]);
      change = new Promise(resolve => {
        changed = resolve;
      });
      const news = view?.news(true) ?? '';
      if (news !== '' && !over) await visit.say(news);
    }
    await done;
  } finally {
    unwatch?.();
  }
}
