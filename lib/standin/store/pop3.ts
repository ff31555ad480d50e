// A store's POP3 server after the log-in (RFC 1939): one locked maildrop, seen as it was when the session began.

import type { PhaseName } from '../../model/dialog.ts';
import type { Visit } from '../network/visit.ts';
import type { Folder, Mailbox, StoredMessage } from './mailbox.ts';
import { split, stuff } from './message.ts';
import { answer, parse, popCapabilities } from './pop3login.ts';

export const POP_PHASES: Readonly<Record<string, PhaseName>> = {
  STAT: 'list',
  LIST: 'list',
  UIDL: 'list',
  TOP: 'top',
  RETR: 'retr',
  DELE: 'dele',
  RSET: 'rset',
  NOOP: 'noop',
  QUIT: 'quit',
};

export const POP_REFUSED = '-ERR [SYS/TEMP] Internal error occurred. Refer to server log for more information.';

interface Maildrop {
  readonly folder: Folder;
  readonly messages: readonly StoredMessage[];
  readonly deleted: Set<number>;
}

/**
 * Serves until QUIT or until the client has left. The caller has locked the mailbox and said that the log-in was good.
 * Deletions are carried out at QUIT and at no other end (RFC 1939 section 6).
 */
export async function popSession(visit: Visit, mailbox: Mailbox): Promise<void> {
  const folder = mailbox.inbox;
  const drop: Maildrop = { folder, messages: folder.messages, deleted: new Set() };
  for (;;) {
    const { verb, argument } = parse(await visit.readLine());
    if (verb === 'CAPA') {
      await popCapabilities(visit, true);
      continue;
    }
    const phase = POP_PHASES[verb];
    if (phase === undefined) {
      await answer(visit, '-ERR Unknown command.');
      continue;
    }
    const refusal = await visit.enter(phase, POP_REFUSED);
    if (refusal !== undefined) {
      await answer(visit, refusal);
      continue;
    }
    const said = carryOut(drop, verb, argument);
    const instead = await visit.enter(phase, POP_REFUSED, true);
    if (instead !== undefined) await answer(visit, instead);
    else await visit.say(said);
    if (verb === 'QUIT') return;
  }
}

function carryOut(drop: Maildrop, verb: string, argument: string): string | Buffer {
  switch (verb) {
    case 'STAT': {
      const left = present(drop);
      return `+OK ${left.length} ${left.reduce((sum, { message }) => sum + message.raw.length, 0)}\r\n`;
    }
    case 'LIST':
      return listing(
        drop,
        argument,
        message => String(message.raw.length),
        left => `+OK ${left} messages:`,
      );
    case 'UIDL':
      return listing(
        drop,
        argument,
        message => uidl(drop.folder, message),
        () => '+OK',
      );
    case 'TOP':
      return top(drop, argument);
    case 'RETR':
      return withMessage(drop, argument, message => multiline(`+OK ${message.raw.length} octets`, message.raw));
    case 'DELE':
      return withMessage(drop, argument, message => {
        drop.deleted.add(message.uid);
        return '+OK Marked to be deleted.\r\n';
      });
    case 'RSET':
      drop.deleted.clear();
      return '+OK\r\n';
    case 'QUIT':
      drop.folder.remove(drop.deleted);
      return drop.deleted.size === 0 ? '+OK Logging out.\r\n' : '+OK Logging out, messages deleted.\r\n';
    default:
      return '+OK\r\n';
  }
}

function present(drop: Maildrop): { number: number; message: StoredMessage }[] {
  return drop.messages.map((message, i) => ({ number: i + 1, message })).filter(({ message }) => !drop.deleted.has(message.uid));
}

function listing(
  drop: Maildrop,
  argument: string,
  show: (message: StoredMessage) => string,
  head: (left: number) => string,
): string | Buffer {
  if (argument !== '') return withMessage(drop, argument, (message, number) => `+OK ${number} ${show(message)}\r\n`);
  const left = present(drop);
  return `${head(left.length)}\r\n${left.map(({ number, message }) => `${number} ${show(message)}\r\n`).join('')}.\r\n`;
}

function withMessage(
  drop: Maildrop,
  argument: string,
  then: (message: StoredMessage, number: number) => string | Buffer,
): string | Buffer {
  if (!/^\d+$/.test(argument.trim())) return '-ERR Invalid message number.\r\n';
  const number = Number(argument);
  const message = drop.messages[number - 1];
  if (message === undefined) return `-ERR There's no message ${number}.\r\n`;
  return drop.deleted.has(message.uid) ? '-ERR Message is deleted.\r\n' : then(message, number);
}

function top(drop: Maildrop, argument: string): string | Buffer {
  const [number = '', lines = ''] = argument.split(' ');
  if (!/^\d+$/.test(lines)) return '-ERR Invalid line count.\r\n';
  return withMessage(drop, number, message => {
    const { header, body } = split(message.raw);
    const wanted = body.toString('latin1').split('\r\n').slice(0, Number(lines));
    return multiline('+OK', Buffer.concat([header, Buffer.from(wanted.map(line => `${line}\r\n`).join(''), 'latin1')]));
  });
}

function multiline(head: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head}\r\n`), stuff(content), Buffer.from('.\r\n')]);
}

/** Dovecot's default, `%08Xu%08Xv`. */
function uidl(folder: Folder, message: StoredMessage): string {
  return `${message.uid.toString(16).padStart(8, '0')}${folder.uidValidity.toString(16).padStart(8, '0')}`;
}
