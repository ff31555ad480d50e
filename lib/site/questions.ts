// What `healthmon init` asks, as data: the command asks at a terminal or takes the answers from its options, and both are read by
// the same words. Passwords are not among the questions: they never pass through options.

import type { Security } from '../model/endpoint.ts';
import { printable } from '../model/printable.ts';
import type { InitAnswers } from './init.ts';
import { hostHint, isAddress, isDomain, isHost } from './site-forms.ts';
import { didYouMean } from './table/nearest.ts';

type Answer = { readonly answers: Partial<InitAnswers> } | { readonly problem: string };

interface Question {
  /** Also the name of the option. */
  readonly key: keyof InitAnswers;
  readonly question: string;
  /**
   * What an empty answer stands for, given the earlier answers; absent: an answer is needed. Undefined when it hangs on an
   * earlier answer that is not there.
   */
  readonly default?: (earlier: Partial<InitAnswers>) => string | undefined;
  readonly hint: string;
  /** Reads an answer; `problem` says what was expected and what was found. */
  readonly parse: (text: string, earlier: Partial<InitAnswers>) => Answer;
}

const SECURITIES: readonly Security[] = ['starttls', 'tls', 'plain'];
const PROTOCOLS = ['pop3', 'imap'] as const;

/** In the order of asking; each may look at the answers before it. */
export const QUESTIONS: readonly Question[] = [
  {
    key: 'domain',
    question: 'Mail domain of the site',
    hint: 'for example example.com',
    parse: text => (isDomain(text) ? { answers: { domain: text } } : wrong('a domain such as example.com', text)),
  },
  {
    key: 'name',
    question: 'Name of the site, for messages and reports',
    default: ({ domain }) => domain,
    hint: 'up to 100 characters',
    parse: text =>
      text !== '' && text.length <= 100 && !/[\p{Cc}\p{Surrogate}\u{2028}\u{2029}]/u.test(text)
        ? { answers: { name: text } }
        : wrong('a text of up to 100 characters', text),
  },
  {
    key: 'mtas',
    question: 'MTAs that take in mail (hosts)',
    hint: 'one or more, with blanks or commas between them',
    parse: text => hosts(text, 1, mtas => ({ mtas })),
  },
  {
    key: 'mtaLogin',
    question: 'Log in at the MTAs (SMTP AUTH, port 587)?',
    default: () => 'no',
    hint: 'yes or no; with yes, the first test account logs in',
    parse: text => {
      if (/^(?:y|yes|true)$/i.test(text)) return { answers: { mtaLogin: true } };
      return /^(?:n|no|false)$/i.test(text) ? { answers: { mtaLogin: false } } : wrong('yes or no', text);
    },
  },
  {
    key: 'stores',
    question: 'Message stores, where the mailboxes are (hosts)',
    hint: 'one or more, with blanks or commas between them',
    parse: text => hosts(text, 1, stores => ({ stores })),
  },
  {
    key: 'addresses',
    question: 'Mail address of the test account on each store, in the same order',
    default: ({ stores, domain }) =>
      domain === undefined ? undefined : stores?.map((host, i) => `${localPart(host, i)}@${domain}`).join(' '),
    hint: 'accounts that are for testing only; they must exist',
    parse: (text, { stores }) => {
      const addresses = words(text);
      const bad = addresses.find(address => !isAddress(address));
      if (bad !== undefined) return wrong('a mail address', bad);
      const count = stores?.length ?? addresses.length;
      return addresses.length === count && count > 0
        ? { answers: { addresses } }
        : wrong(`${count} ${count === 1 ? 'address' : 'addresses, one for each store'}`, String(addresses.length));
    },
  },
  {
    key: 'mmps',
    question: 'MMPs (POP and IMAP proxies) through which users read their mail (hosts)',
    default: () => '',
    hint: 'none: the mailboxes are read at the stores themselves',
    parse: text => hosts(/^(?:none|-)$/i.test(text) ? '' : text, 0, mmps => ({ mmps })),
  },
  {
    key: 'protocols',
    question: 'Protocols by which mail is read',
    default: () => 'pop3 imap',
    hint: 'pop3, imap or both',
    parse: text => {
      const asked = words(text.toLowerCase().replace(/\bboth\b/, PROTOCOLS.join(' ')));
      const bad = asked.find(word => !PROTOCOLS.some(protocol => protocol === word));
      if (bad !== undefined || asked.length === 0) return wrong('pop3, imap or both', bad ?? '', PROTOCOLS);
      return { answers: { protocols: PROTOCOLS.filter(protocol => asked.includes(protocol)) } };
    },
  },
  {
    key: 'security',
    question: 'How connections are protected',
    default: () => 'starttls',
    hint: 'starttls, tls (from the first byte) or plain (never; passwords can be read on the way)',
    parse: text => {
      const security = SECURITIES.find(one => one === text.toLowerCase());
      return security === undefined ? wrong('starttls, tls or plain', text, SECURITIES) : { answers: { security } };
    },
  },
];

/** Everything that is needed, or what is wrong with which answer; an answer that is not given is the question's default. */
export function readAnswers(
  given: Readonly<Partial<Record<keyof InitAnswers, string>>>,
):
  | { readonly answers: InitAnswers }
  | { readonly problems: readonly { readonly key: keyof InitAnswers; readonly problem: string }[] } {
  let answers: Partial<InitAnswers> = {};
  const problems: { key: keyof InitAnswers; problem: string }[] = [];
  for (const { key, default: fallback, parse, question } of QUESTIONS) {
    const text = given[key]?.trim() || fallback?.(answers);
    // A default that hangs on a wrong answer is not wrong itself.
    if (text === undefined && fallback !== undefined) continue;
    if (text === undefined) {
      problems.push({ key, problem: `no answer to: ${question}` });
      continue;
    }
    const answer = parse(text, answers);
    if ('problem' in answer) problems.push({ key, problem: answer.problem });
    else answers = { ...answers, ...answer.answers };
  }
  return isComplete(answers) && problems.length === 0 ? { answers } : { problems };
}

/** An account is usually named after its store. */
function localPart(host: string, index: number): string {
  return /^[A-Za-z][A-Za-z0-9-]*(?=\.|$)/.exec(host)?.[0] ?? `test${index + 1}`;
}

function isComplete(answers: Partial<InitAnswers>): answers is InitAnswers {
  return QUESTIONS.every(({ key }) => answers[key] !== undefined);
}

function hosts(text: string, min: number, take: (hosts: readonly string[]) => Partial<InitAnswers>): Answer {
  const names = words(text);
  const bad = names.find(name => !isHost(name));
  if (bad !== undefined) {
    const hint = hostHint(bad);
    return { problem: `expected host names: found '${printable(bad, 60)}'${hint === undefined ? '' : ` (${hint})`}` };
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return { problem: `expected each host once: found '${twice}' twice` };
  return names.length < min ? { problem: 'expected at least one host: found none' } : { answers: take(names) };
}

function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter(word => word !== '');
}

function wrong(expected: string, found: string, known: readonly string[] = []): Answer {
  return { problem: `expected ${expected}: found '${printable(found, 60)}'${didYouMean(found, known)}` };
}
