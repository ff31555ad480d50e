// IMAP before the log-in (RFC 3501 section 6.1 and 6.2, RFC 2971, RFC 4959): what a store and a proxy do alike.

import type { Visit } from '../network/visit.ts';
import {
  type Credentials,
  type LoginRefusal,
  PLAINTEXT_REFUSED,
  readPlain,
  readXoauth2,
  WRONG_PASSWORD,
  XOAUTH2_CHALLENGE,
} from '../store/logins.ts';
import { BadCommand, type Command, readCommand, textOf } from './command.ts';

type ImapAccept<T> = (credentials: Credentials) => Promise<{ readonly session: T } | LoginRefusal>;

/**
 * Greets, secures and asks who it is.
 *
 * @param accept judges a log-in; the success itself is left for the caller to say, behind the tag that comes back
 * @returns undefined when the client has left without one
 */
export async function imapLogin<T>(
  visit: Visit,
  banner: string,
  accept: ImapAccept<T>,
): Promise<{ tag: string; session: T } | undefined> {
  const turnedAway = await visit.enter('banner', '* BYE Service not available, try again later');
  if (turnedAway === undefined) await visit.say(`* OK [CAPABILITY ${capabilities(visit)}] ${banner}\r\n`);
  else if (turnedAway !== '') {
    await visit.say(`${turnedAway}\r\n`);
    return undefined;
  }
  for (;;) {
    const command = await nextCommand(visit);
    if (command === undefined) continue;
    if (command.name === 'LOGOUT') {
      await logout(visit, command.tag);
      return undefined;
    }
    if (command.name !== 'LOGIN' && command.name !== 'AUTHENTICATE') {
      await beforeLogin(visit, command);
      continue;
    }
    const outcome = await judge(visit, command, accept);
    if ('session' in outcome) return { tag: command.tag, session: outcome.session };
    await respond(visit, command.tag, outcome.imap);
    if (outcome.ends) return undefined;
  }
}

/** The next command, or undefined when what came was none; the client has then been told so. */
export async function nextCommand(visit: Visit): Promise<Command | undefined> {
  try {
    return await readCommand(visit);
  } catch (error) {
    if (!(error instanceof BadCommand)) throw error;
    await visit.say(`${error.tag} BAD Error in IMAP command received by server: ${error.message}.\r\n`);
    return undefined;
  }
}

/** `OK …`, `NO …`, `BAD …` behind the tag; an untagged reply as it stands; nothing when something has been said already. */
export async function respond(visit: Visit, tag: string, reply: string): Promise<void> {
  if (reply !== '') await visit.say(reply.startsWith('*') ? `${reply}\r\n` : `${tag} ${reply}\r\n`);
}

export async function logout(visit: Visit, tag: string): Promise<void> {
  const refusal = await visit.enter('quit', 'NO Cannot log out');
  if (refusal !== undefined) await respond(visit, tag, refusal);
  else await visit.say(`* BYE Logging out\r\n${tag} OK Logout completed.\r\n`);
}

/** What Dovecot's log-in process does with the commands that need none. */
async function beforeLogin(visit: Visit, { tag, name }: Command): Promise<void> {
  switch (name) {
    case 'CAPABILITY': {
      const refusal = await visit.enter('capability', 'NO Not available');
      if (refusal !== undefined) return respond(visit, tag, refusal);
      return visit.say(
        `* CAPABILITY ${capabilities(visit)}\r\n${tag} OK Pre-login capabilities listed, post-login capabilities have more.\r\n`,
      );
    }
    case 'ID':
      return visit.say(`* ID ("name" "Dovecot")\r\n${tag} OK ID completed.\r\n`);
    case 'NOOP':
      return visit.say(`${tag} OK NOOP completed.\r\n`);
    case 'STARTTLS': {
      if (!visit.offersTls) return visit.say(`${tag} BAD TLS support isn't enabled.\r\n`);
      const refusal = await visit.enter('starttls', 'NO [UNAVAILABLE] TLS is not available.');
      if (refusal !== undefined) return respond(visit, tag, refusal);
      await visit.say(`${tag} OK Begin TLS negotiation now.\r\n`);
      return visit.startTls();
    }
    default:
      return visit.say(`${tag} BAD Error in IMAP command received by server.\r\n`);
  }
}

function capabilities(visit: Visit): string {
  const names = ['IMAP4rev1', 'SASL-IR', 'LOGIN-REFERRALS', 'ID', 'ENABLE', 'IDLE', 'LITERAL+'];
  if (visit.offersTls) names.push('STARTTLS');
  names.push(...(visit.mayLogIn ? ['AUTH=PLAIN', 'AUTH=LOGIN', 'AUTH=XOAUTH2'] : ['LOGINDISABLED']));
  return names.join(' ');
}

async function judge<T>(visit: Visit, command: Command, accept: ImapAccept<T>): Promise<{ readonly session: T } | LoginRefusal> {
  if (!visit.mayLogIn) return PLAINTEXT_REFUSED;
  const credentials = command.name === 'LOGIN' ? loginOf(command) : await sasl(visit, command);
  if (credentials === undefined) return { pop3: '', imap: 'BAD Error in IMAP command received by server.' };
  const refusal = await visit.enter('auth', WRONG_PASSWORD.imap);
  if (refusal !== undefined) return { pop3: '', imap: refusal };
  const outcome = await accept(credentials);
  if (outcome === WRONG_PASSWORD && credentials.mechanism === 'xoauth2') {
    await visit.say(`+ ${XOAUTH2_CHALLENGE}\r\n`);
    await visit.readLine();
  }
  return outcome;
}

function loginOf({ args }: Command): Credentials | undefined {
  const user = textOf(args[0]);
  const secret = textOf(args[1]);
  return user === undefined || secret === undefined ? undefined : { user: utf8(user), secret: utf8(secret), mechanism: 'login' };
}

async function sasl(visit: Visit, { args }: Command): Promise<Credentials | undefined> {
  const mechanism = textOf(args[0])?.toUpperCase();
  const ask = async (challenge: string) => {
    await visit.say(`+ ${challenge}\r\n`);
    return visit.readLine();
  };
  const initial = textOf(args[1]);
  if (mechanism === 'PLAIN') return readPlain(initial ?? (await ask('')));
  if (mechanism === 'XOAUTH2') return readXoauth2(initial ?? (await ask('')));
  if (mechanism !== 'LOGIN') return undefined;
  const user = Buffer.from(initial ?? (await ask('VXNlcm5hbWU6')), 'base64').toString('utf8');
  return { user, secret: Buffer.from(await ask('UGFzc3dvcmQ6'), 'base64').toString('utf8'), mechanism: 'login' };
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
