// An MTA's SMTP door (RFC 5321): greets, secures, counts phases, and has smtp-server do the rest. Words are Postfix's.
//
// Commands are handed to the engine one at a time and each reply is waited for, so a client may pipeline and every command still
// has its own phase.

import type { PhaseName } from '../../model/dialog.ts';
import type { Visit } from '../network/visit.ts';
import type { Engine, EngineRoom } from './smtpengine.ts';

/** One client of an MTA. The MTA's hooks find it by its engine's number. */
export interface SmtpSession {
  readonly visit: Visit;
  readonly engine: Engine;
  helo: string;
  /** Who has logged in. */
  user: string | undefined;
  /** Set by a hook: the very reply to give, whatever the engine makes of it. */
  exact: string | undefined;
  /** The message that comes now is not to be taken. */
  veto: boolean;
}

/** What the MTA decides. */
export interface SmtpRole {
  readonly hostName: string;
  readonly engines: EngineRoom;
  readonly offersAuth: boolean;
  /** Before the banner; may take its time. */
  readonly begin: (session: SmtpSession) => Promise<void>;
  /** Before EHLO is answered; may take its time, or throw Gone to hang up. */
  readonly beforeEhlo: (session: SmtpSession) => Promise<void>;
  /** A client has come, or has left. */
  readonly attach: (session: SmtpSession) => void;
  readonly end: (session: SmtpSession) => void;
}

const PHASES: Readonly<Record<string, PhaseName>> = {
  HELO: 'ehlo',
  EHLO: 'ehlo',
  STARTTLS: 'starttls',
  AUTH: 'auth',
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
  RSET: 'rset',
  NOOP: 'noop',
  QUIT: 'quit',
};

/** How this server says no when a fault switch gives no words of its own. */
const REFUSALS: Partial<Record<PhaseName, string>> = {
  banner: '421 4.3.2 Service not available, closing channel',
  ehlo: '421 4.3.0 Error: too busy',
  starttls: '454 4.7.0 TLS not available due to local problem',
  auth: '535 5.7.8 Error: authentication failed: (reason unavailable)',
  mail: '451 4.7.1 <>: Sender address rejected: Sender deferred',
  rcpt: '450 4.2.0 <>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/standin.html',
  data: '451 4.7.1 <DATA>: Data command rejected: try again later',
  final: '451 4.3.0 Error: queue file write error',
};

const NEED_HELO = new Set(['AUTH', 'MAIL', 'RCPT', 'DATA']);
const LOCAL_PROBLEM = '451 4.3.0 Temporary local problem';

export async function serveSmtp(visit: Visit, role: SmtpRole): Promise<void> {
  const session: SmtpSession = { visit, engine: role.engines.take(), helo: '', user: undefined, exact: undefined, veto: false };
  role.attach(session);
  try {
    await role.begin(session);
    const turnedAway = await visit.enter('banner', REFUSALS.banner ?? LOCAL_PROBLEM);
    if (turnedAway === undefined) await visit.say(`220 ${role.hostName} ESMTP Postfix (Debian/GNU)\r\n`);
    else if (turnedAway !== '') return await reply(visit, turnedAway);
    await converse(session, role);
  } finally {
    role.end(session);
    session.engine.stop();
  }
}

async function converse(session: SmtpSession, role: SmtpRole): Promise<void> {
  const { visit } = session;
  for (;;) {
    const line = await visit.readLine();
    const verb = line.split(' ', 1)[0]?.toUpperCase() ?? '';
    const phase = PHASES[verb];
    if (phase === undefined || (session.helo === '' && NEED_HELO.has(verb))) {
      await reply(
        visit,
        phase === undefined ? '502 5.5.2 Error: command not recognized' : '503 5.5.1 Error: send HELO/EHLO first',
      );
      continue;
    }
    const refusal = await visit.enter(phase, aboutAddress(REFUSALS[phase] ?? LOCAL_PROBLEM, line));
    if (refusal !== undefined) {
      await reply(visit, aboutAddress(refusal, line));
      if (refusal.startsWith('421')) return;
      continue;
    }
    await carryOut(session, role, verb, line);
    if (verb === 'QUIT') return;
  }
}

async function carryOut(session: SmtpSession, role: SmtpRole, verb: string, line: string): Promise<void> {
  const { visit } = session;
  switch (verb) {
    case 'EHLO':
    case 'HELO':
      session.helo = line.slice(5).trim();
      await role.beforeEhlo(session);
      return sayAll(visit, hello(await session.engine.command(line), visit, role));
    case 'STARTTLS':
      if (!visit.offersTls) return reply(visit, '502 5.5.1 Error: command not implemented');
      await reply(visit, '220 2.0.0 Ready to start TLS');
      await visit.startTls();
      return startAfresh(session);
    case 'AUTH':
      if (!role.offersAuth) return reply(visit, '503 5.5.1 Error: authentication not enabled');
      if (!visit.mayLogIn) return reply(visit, '538 5.7.0 Encryption required for requested authentication mechanism');
      return authenticate(session, line);
    case 'MAIL':
      return sayAll(visit, worded(session, await session.engine.command(line), '250 2.1.0 Ok'));
    case 'RCPT':
      return sayAll(visit, worded(session, await session.engine.command(line), '250 2.1.5 Ok'));
    case 'DATA':
      return data(session);
    case 'QUIT':
      return reply(visit, '221 2.0.0 Bye');
    default:
      return sayAll(visit, worded(session, await session.engine.command(line), '250 2.0.0 Ok'));
  }
}

/** RFC 3207 section 4.2: nothing that was said before TLS counts after it. Nobody can have logged in before it. */
async function startAfresh(session: SmtpSession): Promise<void> {
  session.helo = '';
  await session.engine.command('RSET');
}

/** The engine's features, as far as they hold here, in Postfix's order. */
function hello(lines: readonly string[], visit: Visit, role: SmtpRole): string[] {
  if (lines[0]?.startsWith('250') !== true || lines.length === 1) return lines.slice();
  const offered = lines.slice(1).map(line => line.slice(4));
  const size = offered.filter(feature => feature.startsWith('SIZE'));
  const auth = offered.filter(feature => feature.startsWith('AUTH') && role.offersAuth && visit.mayLogIn);
  const rest = offered.filter(feature => !/^(SIZE|AUTH|PIPELINING)/.test(feature));
  const features = [role.hostName, 'PIPELINING', ...size, ...(visit.offersTls ? ['STARTTLS'] : []), ...auth, ...rest];
  return features.map((feature, i) => `250${i === features.length - 1 ? ' ' : '-'}${feature}`);
}

async function authenticate(session: SmtpSession, line: string): Promise<void> {
  const { visit, engine } = session;
  let said = await engine.command(line);
  while (said[0]?.startsWith('334')) {
    await sayAll(visit, said);
    said = await engine.command(await visit.readLine());
  }
  await sayAll(visit, worded(session, said, '235 2.7.0 Authentication successful'));
}

async function data(session: SmtpSession): Promise<void> {
  const { visit, engine } = session;
  const said = await engine.command('DATA');
  await sayAll(visit, said);
  if (!said[0]?.startsWith('354')) return;
  await visit.enter('body', '');
  const content = await visit.readDotted();
  const refusal = await visit.enter('final', REFUSALS.final ?? LOCAL_PROBLEM);
  session.veto = refusal !== undefined;
  const taken = worded(session, await engine.content(content), undefined);
  session.veto = false;
  if (refusal !== undefined) return reply(visit, refusal);
  const instead = await visit.enter('final', REFUSALS.final ?? LOCAL_PROBLEM, true);
  if (instead !== undefined) return reply(visit, instead);
  return sayAll(visit, taken);
}

/** The hook's own words if there are any; else `success` in place of the engine's way of saying yes. */
function worded(session: SmtpSession, said: readonly string[], success: string | undefined): string[] {
  const { exact } = session;
  session.exact = undefined;
  if (exact !== undefined) return [exact];
  return success !== undefined && said[0]?.startsWith('2') ? [success] : said.slice();
}

/** Postfix names the address that it refuses. */
function aboutAddress(refusal: string, line: string): string {
  return refusal.replace('<>', `<${/<([^>]*)>/.exec(line)?.[1] ?? ''}>`);
}

async function sayAll(visit: Visit, lines: readonly string[]): Promise<void> {
  await visit.say(`${lines.join('\r\n')}\r\n`);
}

async function reply(visit: Visit, text: string): Promise<void> {
  if (text !== '') await visit.say(`${text}\r\n`);
}
