// POP3 before the log-in (RFC 1939 section 4, RFC 2449, RFC 2595, RFC 5034): what a store and a proxy do alike.

import type { Visit } from '../network/visit.ts';
import {
  type Credentials,
  type LoginRefusal,
  PLAINTEXT_REFUSED,
  readPlain,
  readXoauth2,
  WRONG_PASSWORD,
  XOAUTH2_CHALLENGE,
} from './logins.ts';

type PopAccept<T> = (credentials: Credentials) => Promise<{ readonly session: T } | LoginRefusal>;

/**
 * Greets, secures and asks who it is.
 *
 * @param accept judges a log-in; the success itself is left for the caller to say
 * @returns undefined when the client has left without one
 */
export async function popLogin<T>(visit: Visit, banner: string, accept: PopAccept<T>): Promise<T | undefined> {
  const turnedAway = await visit.enter('banner', '-ERR [SYS/TEMP] Service not available, try again later');
  if (turnedAway === undefined) await visit.say(`+OK ${banner}\r\n`);
  else if (turnedAway !== '') {
    await answer(visit, turnedAway);
    return undefined;
  }
  let user: string | undefined;
  for (;;) {
    const { verb, argument } = parse(await visit.readLine());
    switch (verb) {
      case 'CAPA':
        await popCapabilities(visit, false);
        break;
      case 'STLS':
        await startTls(visit);
        break;
      case 'QUIT':
        await answer(visit, (await visit.enter('quit', '-ERR')) ?? '+OK Logging out');
        return undefined;
      case 'USER':
        user = argument;
        await answer(visit, visit.mayLogIn ? '+OK' : PLAINTEXT_REFUSED.pop3);
        break;
      case 'PASS':
      case 'AUTH': {
        const credentials = verb === 'PASS' ? passwordOf(user, argument) : await sasl(visit, argument);
        if (credentials === undefined) {
          await answer(visit, '-ERR Authentication aborted by client.');
          break;
        }
        const outcome = await judge(visit, credentials, accept);
        if ('session' in outcome) return outcome.session;
        if (credentials.mechanism === 'xoauth2' && outcome === WRONG_PASSWORD) {
          await visit.say(`+ ${XOAUTH2_CHALLENGE}\r\n`);
          await visit.readLine();
        }
        await answer(visit, outcome.pop3);
        if (outcome.ends) return undefined;
        break;
      }
      default:
        await answer(visit, '-ERR Unknown command.');
    }
  }
}

export async function popCapabilities(visit: Visit, loggedIn: boolean): Promise<void> {
  const refusal = await visit.enter('capability', '-ERR Unknown command.');
  if (refusal !== undefined) return answer(visit, refusal);
  const names = ['CAPA', 'TOP', 'UIDL', 'RESP-CODES', 'PIPELINING', 'AUTH-RESP-CODE'];
  if (!loggedIn && visit.offersTls) names.push('STLS');
  if (visit.mayLogIn) names.push('USER', 'SASL PLAIN LOGIN XOAUTH2');
  else names.push('SASL');
  await visit.say(`+OK\r\n${names.join('\r\n')}\r\n.\r\n`);
}

export function parse(line: string): { verb: string; argument: string } {
  const blank = line.indexOf(' ');
  return blank < 0
    ? { verb: line.toUpperCase(), argument: '' }
    : { verb: line.slice(0, blank).toUpperCase(), argument: line.slice(blank + 1) };
}

/** Says it, unless something has been said already. */
export async function answer(visit: Visit, reply: string): Promise<void> {
  if (reply !== '') await visit.say(`${reply}\r\n`);
}

async function judge<T>(
  visit: Visit,
  credentials: Credentials,
  accept: PopAccept<T>,
): Promise<{ readonly session: T } | LoginRefusal> {
  if (!visit.mayLogIn) return PLAINTEXT_REFUSED;
  const refusal = await visit.enter('auth', WRONG_PASSWORD.pop3);
  return refusal === undefined ? accept(credentials) : { pop3: refusal, imap: '' };
}

async function startTls(visit: Visit): Promise<void> {
  if (!visit.offersTls) return answer(visit, '-ERR Unknown command.');
  const refusal = await visit.enter('starttls', '-ERR [SYS/TEMP] TLS is not available.');
  if (refusal !== undefined) return answer(visit, refusal);
  await visit.say('+OK Begin TLS negotiation now.\r\n');
  await visit.startTls();
}

function passwordOf(user: string | undefined, secret: string): Credentials | undefined {
  return user === undefined ? undefined : { user, secret, mechanism: 'login' };
}

async function sasl(visit: Visit, argument: string): Promise<Credentials | undefined> {
  const [mechanism = '', initial] = argument.split(' ');
  const ask = async (challenge: string) => {
    await visit.say(`+ ${challenge}\r\n`);
    return visit.readLine();
  };
  switch (mechanism.toUpperCase()) {
    case 'PLAIN':
      return readPlain(initial ?? (await ask('')));
    case 'XOAUTH2':
      return readXoauth2(initial ?? (await ask('')));
    case 'LOGIN': {
      const user = Buffer.from(initial ?? (await ask('VXNlcm5hbWU6')), 'base64').toString('utf8');
      return { user, secret: Buffer.from(await ask('UGFzc3dvcmQ6'), 'base64').toString('utf8'), mechanism: 'login' };
    }
    default:
      return undefined;
  }
}
