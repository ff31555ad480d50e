// A store's LMTP server (RFC 2033): takes mail for its own users, one answer per recipient after the dot. Dovecot's words.

import type { PhaseName } from '../../model/dialog.ts';
import type { Visit } from '../network/visit.ts';
import { unstuff } from './message.ts';

/** What the store says of a recipient, and does with a message. */
interface LmtpStore {
  /** A refusal, or undefined when the recipient is welcome. */
  readonly welcome: (address: string) => Promise<string | undefined>;
  /** The answer for this recipient. */
  readonly deliver: (letter: { address: string; sender: string; from: string; raw: Buffer }) => Promise<string>;
}

interface Transaction {
  /** The name in LHLO. */
  from: string;
  sender: string | undefined;
  recipients: string[];
}

const REFUSED = '451 4.3.0 Internal error occurred. Refer to server log for more information.';

export async function serveLmtp(visit: Visit, hostName: string, store: LmtpStore): Promise<void> {
  const turnedAway = await visit.enter('banner', '421 4.3.2 Service not available');
  if (turnedAway === undefined) await visit.say(`220 ${hostName} Dovecot (Debian) ready.\r\n`);
  else if (turnedAway !== '') return reply(visit, turnedAway);
  const transaction: Transaction = { from: '', sender: undefined, recipients: [] };
  for (;;) {
    const line = await visit.readLine();
    const verb = line.slice(0, 4).toUpperCase();
    const phase = phaseOf(verb);
    if (phase === undefined) {
      await reply(visit, '502 5.5.2 Unknown command');
      continue;
    }
    const refusal = await visit.enter(phase, REFUSED);
    if (refusal === undefined) await carryOut(visit, hostName, store, transaction, verb, line);
    else await reply(visit, refusal);
    if (verb === 'QUIT') return;
  }
}

function phaseOf(verb: string): PhaseName | undefined {
  const phases: Readonly<Record<string, PhaseName>> = {
    LHLO: 'ehlo',
    STAR: 'starttls',
    MAIL: 'mail',
    RCPT: 'rcpt',
    DATA: 'data',
    RSET: 'rset',
    NOOP: 'noop',
    QUIT: 'quit',
  };
  return phases[verb];
}

async function carryOut(
  visit: Visit,
  hostName: string,
  store: LmtpStore,
  transaction: Transaction,
  verb: string,
  line: string,
): Promise<void> {
  const address = /<([^>]*)>/.exec(line)?.[1];
  switch (verb) {
    case 'LHLO': {
      transaction.from = line.slice(5).trim();
      const features = ['8BITMIME', 'ENHANCEDSTATUSCODES', 'PIPELINING', ...(visit.offersTls ? ['STARTTLS'] : [])];
      return reply(
        visit,
        [hostName, ...features].map((text, i, all) => `250${i === all.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
      );
    }
    case 'STAR':
      if (!visit.offersTls) return reply(visit, '502 5.5.1 TLS is not supported.');
      await reply(visit, '220 2.0.0 Begin TLS negotiation now.');
      return visit.startTls();
    case 'MAIL':
      if (address === undefined) return reply(visit, '501 5.5.4 Invalid FROM: Invalid path');
      transaction.sender = address;
      transaction.recipients = [];
      return reply(visit, '250 2.1.0 OK');
    case 'RCPT': {
      if (transaction.sender === undefined) return reply(visit, '503 5.5.1 MAIL needed first');
      if (address === undefined || address === '') return reply(visit, '501 5.5.4 Invalid TO: Invalid path');
      const unwelcome = await store.welcome(address);
      if (unwelcome === undefined) transaction.recipients.push(address);
      return reply(visit, unwelcome ?? '250 2.1.5 OK');
    }
    case 'DATA':
      return data(visit, store, transaction);
    case 'RSET':
      transaction.sender = undefined;
      transaction.recipients = [];
      return reply(visit, '250 2.0.0 OK');
    case 'QUIT':
      return reply(visit, '221 2.0.0 Bye');
    default:
      return reply(visit, '250 2.0.0 OK');
  }
}

async function data(visit: Visit, store: LmtpStore, transaction: Transaction): Promise<void> {
  const { from, sender, recipients } = transaction;
  if (sender === undefined || recipients.length === 0) return reply(visit, '503 5.5.1 RCPT needed first');
  await reply(visit, '354 OK');
  const raw = unstuff(await visit.readDotted());
  for (const address of recipients) {
    const refusal = await visit.enter('final', REFUSED);
    const answer = refusal ?? (await store.deliver({ address, sender, from, raw }));
    const instead = await visit.enter('final', REFUSED, true);
    await reply(visit, instead ?? answer);
  }
  transaction.sender = undefined;
  transaction.recipients = [];
}

async function reply(visit: Visit, text: string): Promise<void> {
  if (text !== '') await visit.say(`${text}\r\n`);
}
