// Good dialogs, step by step, as real servers hold them: the ground that every fault is tried on.

import { openImap } from '../../lib/dialog/imap.ts';
import type { Terms } from '../../lib/dialog/line.ts';
import { openPop3, type Shown } from '../../lib/dialog/pop3.ts';
import { submit } from '../../lib/dialog/smtp.ts';
import type { Dialog } from '../../lib/model/dialog.ts';
import type { Endpoint, Security } from '../../lib/model/endpoint.ts';
import type { Step } from './peer.ts';

export interface Play {
  readonly protocol: 'smtp' | 'pop3' | 'imap';
  readonly security: Security;
  readonly steps: readonly Step[];
  /** A refusal in the protocol's own way, for any step; a function of what was asked where the answer bears its tag. */
  readonly refusal: (step: Step) => string;
  /** What our side says to the endpoint, as a whole. */
  readonly run: (endpoint: Endpoint, terms: Terms) => Promise<Dialog<unknown>>;
}

const ENVELOPE = { from: 'probe@peer.test', to: 'probe@peer.test', id: 'abc' };
const MESSAGE = Buffer.from('Subject: hello\r\n\r\nfirst\r\n.second\r\n');

const SMTP_OPEN: Step[] = [
  { phase: 'banner', say: '220 peer.test ESMTP\r\n' },
  { phase: 'ehlo', hear: /^EHLO /, say: '250-peer.test\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250-SIZE 1000000\r\n250 DSN\r\n' },
];
const SMTP_REST: Step[] = [
  { phase: 'auth', hear: /^AUTH PLAIN /, say: '235 2.7.0 ok\r\n' },
  { phase: 'mail', hear: /^MAIL FROM:<probe@peer\.test> SIZE=\d+ RET=HDRS ENVID=abc$/, say: '250 2.1.0 ok\r\n' },
  { phase: 'rcpt', hear: /^RCPT TO:<probe@peer\.test>$/, say: '250 2.1.5 ok\r\n' },
  { phase: 'data', hear: /^DATA$/, say: '354 go on\r\n' },
  { phase: 'final', hear: /^\.$/, say: '250 2.0.0 Ok: queued as 4ABC\r\n' },
  { phase: 'quit', hear: /^QUIT$/, say: '221 2.0.0 bye\r\n' },
];

const POP3_OPEN: Step[] = [{ phase: 'banner', say: '+OK ready\r\n' }];
const POP3_REST: Step[] = [
  { phase: 'capability', hear: /^CAPA$/, say: '+OK\r\nUIDL\r\nTOP\r\nUSER\r\nSASL PLAIN XOAUTH2\r\n.\r\n' },
  { phase: 'auth', hear: /^AUTH PLAIN$/, say: '+ \r\n' },
  { phase: 'auth', hear: /^[A-Za-z0-9+/=]+$/, say: '+OK logged in\r\n' },
  { phase: 'list', hear: /^UIDL$/, say: '+OK\r\n1 first\r\n2 second\r\n.\r\n' },
  { phase: 'top', hear: /^TOP 2 0$/, say: '+OK\r\nSubject: x\r\n\r\n.\r\n' },
  { phase: 'retr', hear: /^RETR 2$/, say: '+OK 20 octets\r\nSubject: x\r\n\r\n..dot\r\n.\r\n' },
  { phase: 'dele', hear: /^DELE 2$/, say: '+OK\r\n' },
  { phase: 'quit', hear: /^QUIT$/, say: '+OK bye\r\n' },
];

const CAPABILITIES = 'IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN AUTH=XOAUTH2 SASL-IR';
/** Tags count up from h1; `offset` is how many commands went before. */
const imapRest = (offset: number): Step[] => {
  const tag = (n: number) => `h${n + offset}`;
  const FIELDS = 'BODY[HEADER.FIELDS (X-HEALTHMON-TOKEN)]';
  return [
    { phase: 'auth', hear: /AUTHENTICATE PLAIN /, say: `${tag(1)} OK [CAPABILITY ${CAPABILITIES}] in\r\n` },
    {
      phase: 'select',
      hear: /SELECT "INBOX"/,
      say: `* 1 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 5] n\r\n${tag(2)} OK [READ-WRITE] done\r\n`,
    },
    { phase: 'noop', hear: /NOOP/, say: `* 2 EXISTS\r\n* 1 RECENT\r\n${tag(3)} OK done\r\n` },
    { phase: 'search', hear: /UID SEARCH UID 5:\*/, say: `* SEARCH 5\r\n${tag(4)} OK done\r\n` },
    {
      phase: 'fetch',
      hear: /UID FETCH 5 /,
      say: `* 2 FETCH (UID 5 INTERNALDATE "22-Nov-2026 01:02:03 +0000" RFC822.SIZE 20 FLAGS (\\Recent) ${FIELDS} {26}\r\nX-Healthmon-Token: abc\r\n\r\n)\r\n${tag(5)} OK done\r\n`,
    },
    { phase: 'fetch', hear: /UID FETCH 5 \(UID BODY/, say: `* 2 FETCH (UID 5 BODY[]<0> {4}\r\nbody)\r\n${tag(6)} OK done\r\n` },
    { phase: 'store', hear: /UID STORE 5/, say: `${tag(7)} OK done\r\n` },
    { phase: 'expunge', hear: /UID EXPUNGE 5/, say: `* 2 EXPUNGE\r\n${tag(8)} OK done\r\n` },
    { phase: 'idle', hear: /IDLE/, say: '+ idling\r\n', tag: tag(9) },
    { phase: 'idle', hear: /DONE/, say: `${tag(9)} OK done\r\n` },
  ];
};

async function walkPop3(endpoint: Endpoint, terms: Terms): Promise<Dialog<unknown>> {
  const opened = await openPop3(endpoint, terms);
  if (opened.outcome !== 'answered') return opened;
  const session = opened.value;
  const steps = [
    () => session.list(terms),
    async () => unlessRefused(await session.top(2, 0, 0, terms)),
    () => session.retrieve(2, 1000, terms),
    () => session.remove([2], terms),
    () => session.quit(terms),
  ];
  return inTurn(steps, opened);
}

/** A message that is not shown, as the fault that it is when it should be there. */
function unlessRefused(top: Dialog<Shown>): Dialog<unknown> {
  if (top.outcome !== 'answered' || 'text' in top.value) return top;
  const { value, ...record } = top;
  return { ...record, outcome: 'failed', fault: value.refused };
}

async function walkImap(endpoint: Endpoint, terms: Terms): Promise<Dialog<unknown>> {
  const opened = await openImap(endpoint, 'INBOX', terms);
  if (opened.outcome !== 'answered') return opened;
  const session = opened.value;
  const steps = [
    () => session.noop(terms),
    () => session.fresh(terms),
    () => session.envelopes([5], ['X-Healthmon-Token'], terms),
    () => session.read(5, '', 1000, terms),
    () => session.remove([5], terms),
    () => session.idle(20, terms),
  ];
  try {
    return await inTurn(steps, opened);
  } finally {
    session.close();
  }
}

/** The last of them, or the first that did not end well. */
async function inTurn(steps: readonly (() => Promise<Dialog<unknown>>)[], opened: Dialog<unknown>): Promise<Dialog<unknown>> {
  let last = opened;
  for (const step of steps) {
    last = await step();
    if (last.outcome !== 'answered') return last;
  }
  return last;
}

const submitOne = (endpoint: Endpoint, terms: Terms) => submit(endpoint, 'client.test', ENVELOPE, MESSAGE, terms);
const tagged = (step: Step) => step.tag ?? /^(h\d+) OK/m.exec(step.say)?.[1] ?? '';

export const PLAYS: readonly Play[] = [
  {
    protocol: 'smtp',
    security: 'plain',
    steps: [...SMTP_OPEN, ...SMTP_REST],
    refusal: () => '554 5.7.1 not today\r\n',
    run: submitOne,
  },
  {
    protocol: 'smtp',
    security: 'starttls',
    steps: [
      SMTP_OPEN[0] as Step,
      { phase: 'ehlo', hear: /^EHLO /, say: '250-peer.test\r\n250 STARTTLS\r\n' },
      { phase: 'starttls', hear: /^STARTTLS$/, say: '220 go ahead\r\n', upgrade: true },
      SMTP_OPEN[1] as Step,
      ...SMTP_REST,
    ],
    refusal: () => '454 4.7.0 not today\r\n',
    run: submitOne,
  },
  {
    protocol: 'pop3',
    security: 'plain',
    steps: [...POP3_OPEN, ...POP3_REST],
    refusal: () => '-ERR [SYS/TEMP] not today\r\n',
    run: walkPop3,
  },
  {
    protocol: 'pop3',
    security: 'starttls',
    steps: [
      ...POP3_OPEN,
      { phase: 'capability', hear: /^CAPA$/, say: '+OK\r\nSTLS\r\n.\r\n' },
      { phase: 'starttls', hear: /^STLS$/, say: '+OK go ahead\r\n', upgrade: true },
      ...POP3_REST,
    ],
    refusal: () => '-ERR not today\r\n',
    run: walkPop3,
  },
  {
    protocol: 'imap',
    security: 'plain',
    steps: [{ phase: 'banner', say: `* OK [CAPABILITY ${CAPABILITIES}] ready\r\n` }, ...imapRest(0)],
    refusal: step => (step.phase === 'banner' ? '* BYE not today\r\n' : `${tagged(step)} NO [UNAVAILABLE] not today\r\n`),
    run: walkImap,
  },
  {
    protocol: 'imap',
    security: 'starttls',
    steps: [
      { phase: 'banner', say: '* OK ready\r\n' },
      { phase: 'capability', hear: /^h1 CAPABILITY$/, say: '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\nh1 OK done\r\n' },
      { phase: 'starttls', hear: /^h2 STARTTLS$/, say: 'h2 OK go ahead\r\n', upgrade: true },
      { phase: 'capability', hear: /^h3 CAPABILITY$/, say: `* CAPABILITY ${CAPABILITIES}\r\nh3 OK done\r\n` },
      ...imapRest(3),
    ],
    refusal: step => (step.phase === 'banner' ? '* BYE not today\r\n' : `${tagged(step)} BAD not today\r\n`),
    run: walkImap,
  },
];
