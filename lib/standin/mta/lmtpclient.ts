// The MTA's way to a store: one message to one recipient by LMTP, with Postfix's words for what went wrong.

import type { Component } from '../../model/component.ts';
import { Gone, type Wire } from '../network/wire.ts';
import { stuff } from '../store/message.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world.ts';

export interface Delivery {
  readonly outcome: 'sent' | 'deferred' | 'bounced';
  /** RFC 3463 */
  readonly status: string;
  /** The store's words, or what happened on the way to them. */
  readonly text: string;
}

interface Letter {
  readonly sender: string;
  readonly recipient: string;
  readonly raw: Buffer;
}

/** Never throws, but when the site is stopped. */
export async function deliver(world: World, from: Component, store: Store, letter: Letter): Promise<Delivery> {
  const host = world.hostName(store.component);
  let wire: Wire;
  try {
    wire = await world.dial(from, store.component, store.lmtp.port, world.waits.lmtpHangMs);
  } catch (error) {
    if (world.signal.aborted) throw error;
    return undialled(error, host, store.lmtp.port);
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    wire.destroy();
  }, world.waits.lmtpHangMs).unref();
  const stage = { doing: 'receiving the initial server greeting' };
  try {
    return await converse(wire, world.hostName(from), `${host}[127.0.0.1]`, letter, stage);
  } catch (error) {
    if (!(error instanceof Gone) || world.signal.aborted) throw error;
    const what = timedOut ? `conversation with ${host}[127.0.0.1] timed out` : `lost connection with ${host}[127.0.0.1]`;
    return { outcome: 'deferred', status: '4.4.2', text: `${what} while ${stage.doing}` };
  } finally {
    clearTimeout(timer);
    wire.end();
  }
}

function undialled(error: unknown, host: string, port: number): Delivery {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOTFOUND') {
    return {
      outcome: 'bounced',
      status: '5.4.4',
      text: `Host or domain name not found. Name service error for name=${host} type=A: Host not found`,
    };
  }
  if (typeof code === 'string' && ['ETIMEOUT', 'ESERVFAIL', 'EREFUSED'].includes(code)) {
    const text = `Host or domain name not found. Name service error for name=${host} type=A: Host not found, try again`;
    return { outcome: 'deferred', status: '4.4.3', text };
  }
  const why =
    code === 'ECONNREFUSED' ? 'Connection refused' : code === 'ECONNRESET' ? 'Connection reset by peer' : 'Connection timed out';
  return { outcome: 'deferred', status: '4.4.1', text: `connect to ${host}[127.0.0.1]:${port}: ${why}` };
}

async function converse(wire: Wire, helo: string, peer: string, letter: Letter, stage: { doing: string }): Promise<Delivery> {
  const steps: readonly (readonly [line: string, doing: string, command: string])[] = [
    ['', 'receiving the initial server greeting', ''],
    [`LHLO ${helo}`, 'performing the LHLO handshake', 'LHLO'],
    [`MAIL FROM:<${letter.sender}>`, 'sending MAIL FROM', 'MAIL FROM'],
    [`RCPT TO:<${letter.recipient}>`, 'sending RCPT TO', 'RCPT TO'],
    ['DATA', 'sending DATA command', 'DATA'],
  ];
  for (const [line, doing, command] of steps) {
    stage.doing = doing;
    if (line !== '') await wire.write(`${line}\r\n`);
    const said = await reply(wire);
    if (!/^[23]/.test(said)) return refused(said, peer, command === '' ? '' : ` (in reply to ${command} command)`);
  }
  stage.doing = 'sending end of data -- message may be sent more than once';
  await wire.write(Buffer.concat([stuff(letter.raw), Buffer.from('.\r\n')]));
  const said = await reply(wire);
  if (!said.startsWith('2')) return refused(said, peer, ' (in reply to end of DATA command)');
  await wire.write('QUIT\r\n').catch(() => {}); // it has been taken: what becomes of the connection does not matter
  return { outcome: 'sent', status: '2.0.0', text: said };
}

function refused(said: string, peer: string, reason: string): Delivery {
  const status = /^\d{3}[ -](\d\.\d+\.\d+)/.exec(said)?.[1] ?? (said.startsWith('5') ? '5.0.0' : '4.0.0');
  return { outcome: said.startsWith('5') ? 'bounced' : 'deferred', status, text: `host ${peer} said: ${said}${reason}` };
}

async function reply(wire: Wire): Promise<string> {
  for (;;) {
    const line = await wire.readLine();
    if (line[3] !== '-') return line;
  }
}
