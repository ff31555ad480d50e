// Cases of the protocols that talk in lines: a good dialog step by step, and one step that goes wrong.

import type { Protocol } from '../../lib/model/endpoint.ts';
import { type Mischief, type PeerOptions, type Step, startPeer } from '../dialog/peer.ts';
import { PLAYS } from '../dialog/scripts.ts';
import { type Case, type Client, deadlineOf, type Wanted } from './case.ts';

const LMTP: readonly Step[] = [
  { phase: 'banner', say: '220 peer.test LMTP\r\n' },
  { phase: 'ehlo', hear: /^LHLO /, say: '250-peer.test\r\n250 PIPELINING\r\n' },
  { phase: 'mail', hear: /^MAIL FROM:<probe@peer\.test>$/, say: '250 2.1.0 ok\r\n' },
  { phase: 'rcpt', hear: /^RCPT TO:<probe@peer\.test>$/, say: '250 2.1.5 ok\r\n' },
  { phase: 'rset', hear: /^RSET$/, say: '250 2.0.0 ok\r\n' },
  { phase: 'quit', hear: /^QUIT$/, say: '221 2.0.0 bye\r\n' },
];
const LMTP_STARTTLS: readonly Step[] = [
  LMTP[0] as Step,
  { phase: 'ehlo', hear: /^LHLO /, say: '250-peer.test\r\n250 STARTTLS\r\n' },
  { phase: 'starttls', hear: /^STARTTLS$/, say: '220 go ahead\r\n', upgrade: true },
  ...LMTP.slice(1),
];

/** What goes wrong, at the first step of that name or at the n-th. */
export interface Turn {
  readonly name: string;
  /** Phase, or phase and how often it has come before; nothing goes wrong when absent. */
  readonly at?: string | readonly [string, number];
  /** In place of the answer; the peer plays no further. */
  readonly does?: Mischief;
  /** In place of the answer; the dialog goes on. */
  readonly says?: string | ((usual: string) => string);
  readonly client?: Partial<Client>;
  readonly options?: Omit<PeerOptions, 'wrong'>;
  readonly deadlineMs?: number;
  readonly heavy?: boolean;
  readonly noSecret?: boolean;
  readonly wanted: Wanted;
}

export function stepsOf(protocol: Protocol, security: Client['security']): readonly Step[] {
  const upgraded = security === 'starttls';
  if (protocol === 'lmtp') return upgraded ? LMTP_STARTTLS : LMTP;
  const play = PLAYS.find(each => each.protocol === protocol && (each.security === 'starttls') === upgraded);
  if (play === undefined) throw new Error(`no play for ${protocol}`);
  return play.steps;
}

export function textCase(protocol: Protocol, turn: Turn): Case {
  const client: Client = { protocol, security: 'plain', ...turn.client };
  const usual = stepsOf(protocol, client.security);
  const index = turn.at === undefined ? -1 : indexOf(usual, turn.at);
  const { says, does } = turn;
  const steps = usual.map((step, i) =>
    i === index && says !== undefined ? { ...step, say: typeof says === 'string' ? says : says(step.say) } : step,
  );
  const options: PeerOptions = {
    ...(client.security === 'tls' ? { tlsFirst: true } : {}),
    ...turn.options,
    ...(index >= 0 && does !== undefined ? { wrong: { step: index, mischief: does } } : {}),
  };
  const { name, wanted, heavy, noSecret } = turn;
  return {
    name,
    client,
    deadlineMs: turn.deadlineMs ?? (heavy === true ? 3000 : deadlineOf(wanted)),
    start: () => startPeer(steps, options),
    wanted,
    ...(heavy === undefined ? {} : { heavy }),
    ...(noSecret === undefined ? {} : { noSecret }),
  };
}

function indexOf(steps: readonly Step[], at: string | readonly [string, number]): number {
  const [phase, n] = typeof at === 'string' ? [at, 0] : at;
  const found = steps.flatMap((step, index) => (step.phase === phase ? [index] : []))[n];
  if (found === undefined) throw new Error(`no step ${phase} ${n}`);
  return found;
}
