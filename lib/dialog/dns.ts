// Asking one name server directly, past this host's own resolver: whose fault is it that a name does not resolve?
//
// Node's resolver (c-ares) is the client: it asks exactly the server that it is given. Each question goes out once.

import { Resolver } from 'node:dns/promises';
import type { Component } from '../model/component.ts';
import type { Dialog, DialogRecord, Fault } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';
import type { Terms } from './line.ts';

export interface NameQuestion {
  readonly component: Component;
  /** Address of the name server. */
  readonly address: string;
  readonly port: number;
  /** The name to ask for. */
  readonly host: string;
}

/**
 * Asks for the name's addresses, IPv4 and IPv6.
 *
 * @returns the addresses; a fault of phase `query`: `timeout`, `refused-connection`, `rejected` (SERVFAIL, REFUSED), `garbled`, `missing`
 *   when the server says that there is no such name or no address to it
 */
export async function askName(
  { component, address, port, host }: NameQuestion,
  terms: Terms,
): Promise<Dialog<readonly string[]>> {
  const beganMs = terms.clock();
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(terms.deadlineMs)), tries: 1 });
  resolver.setServers([`${address.includes(':') ? `[${address}]` : address}:${port}`]);
  const cut = () => resolver.cancel();
  terms.signal.addEventListener('abort', cut, { once: true });
  const deadline = setTimeout(cut, terms.deadlineMs);
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  clearTimeout(deadline);
  terms.signal.removeEventListener('abort', cut);
  const tookMs = Math.max(0, terms.clock() - beganMs);
  const record: DialogRecord = {
    component,
    protocol: 'dns',
    host: address,
    port,
    security: 'plain',
    beganMs,
    tookMs,
    phases: [{ name: 'query', beganMs, tookMs }],
    facts: {},
    transcript: [],
  };
  const addresses = [four, six].flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > 0) return { ...record, outcome: 'answered', value: addresses };
  if (terms.signal.aborted) return { ...record, outcome: 'cut' };
  const code = worseOf(four, six);
  return { ...record, outcome: 'failed', fault: { component, protocol: 'dns', phase: 'query', ...wordsOf(code, host) } };
}

/** That there is no address takes both answers: one that did not come, or was none, might have held it. */
function worseOf(...answers: readonly PromiseSettledResult<unknown>[]): string {
  const codes = answers.map(answer => (answer.status === 'rejected' ? codeOf(answer.reason) : 'ENODATA'));
  return codes.find(code => !ABSENT.has(code)) ?? codes[0] ?? 'ENODATA';
}

const ABSENT: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

function codeOf(reason: unknown): string {
  return reason instanceof Error && 'code' in reason ? String(reason.code) : 'EBADRESP';
}

function wordsOf(code: string, host: string): Pick<Fault, 'kind' | 'text' | 'lasting'> {
  const name = printable(host, 100);
  switch (code) {
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return { kind: 'timeout', text: `did not answer a question for ${name}`, lasting: 'transient' };
    case 'ECONNREFUSED':
      return { kind: 'refused-connection', text: `refused a question for ${name}: nothing listens there`, lasting: 'unknown' };
    case 'ENOTFOUND':
    case 'ENODATA':
      return { kind: 'missing', text: `says that there is no ${name}`, lasting: 'permanent' };
    case 'EBADRESP':
      return { kind: 'garbled', text: `answers a question for ${name} with what is no answer`, lasting: 'transient' };
    default:
      return {
        kind: 'rejected',
        text: `answers ${printable(code.replace(/^E/, ''), 30)} to a question for ${name}`,
        lasting: 'transient',
      };
  }
}
