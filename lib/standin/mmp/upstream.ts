// A proxy's way to a store: open its door, secure the connection if the store asks for that, log the user in. Then the connection
// is the user's.

import type { Component } from '../../model/component.ts';
import type { Account } from '../accounts.ts';
import type { Door } from '../network/door.ts';
import { Gone, type Wire } from '../network/wire.ts';
import { ACCOUNT_UNAVAILABLE, type LoginRefusal } from '../store/logins.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world.ts';

/** A session that is logged in. */
export interface Upstream {
  readonly wire: Wire;
  /** What the store said to the log-in; IMAP's without the tag. */
  readonly welcome: string;
}

const TAG = 'P1';

export function openPop(
  world: World,
  from: Component,
  store: Store,
  account: Account,
  secret: string,
): Promise<Upstream | LoginRefusal> {
  return open(world, from, store.pop3, async wire => {
    const banner = await wire.readLine();
    if (!banner.startsWith('+OK')) return ACCOUNT_UNAVAILABLE;
    if (store.pop3.security === 'starttls') {
      await wire.write('STLS\r\n');
      if (!(await wire.readLine()).startsWith('+OK')) return ACCOUNT_UNAVAILABLE;
      await wire.secureClient(world.hostName(store.component));
    }
    await wire.write(`AUTH PLAIN ${plain(account.uid, secret)}\r\n`);
    const answer = await wire.readLine();
    return answer.startsWith('+OK') ? { wire, welcome: answer } : { pop3: answer, imap: '' };
  });
}

export function openImap(
  world: World,
  from: Component,
  store: Store,
  account: Account,
  secret: string,
): Promise<Upstream | LoginRefusal> {
  return open(world, from, store.imap, async wire => {
    const banner = await wire.readLine();
    if (!banner.startsWith('* OK')) return ACCOUNT_UNAVAILABLE;
    if (store.imap.security === 'starttls') {
      const answer = await command(wire, 'STARTTLS');
      if (!answer.startsWith('OK')) return ACCOUNT_UNAVAILABLE;
      await wire.secureClient(world.hostName(store.component));
    }
    const answer = await command(wire, `AUTHENTICATE PLAIN ${plain(account.uid, secret)}`);
    return answer.startsWith('OK') ? { wire, welcome: answer } : { pop3: '', imap: answer };
  });
}

/** @throws the dialling's error, or Gone when the store ended the connection or did not answer in time */
async function open(
  world: World,
  from: Component,
  door: Door,
  converse: (wire: Wire) => Promise<Upstream | LoginRefusal>,
): Promise<Upstream | LoginRefusal> {
  const wire = await world.dial(from, door.component, door.port, world.waits.proxyHangMs);
  const timer = setTimeout(() => wire.destroy(), world.waits.proxyHangMs).unref();
  try {
    if (door.security === 'tls') await wire.secureClient(world.hostName(door.component));
    const outcome = await converse(wire);
    if (!('wire' in outcome)) wire.end();
    return outcome;
  } catch (error) {
    wire.destroy();
    throw error instanceof Gone ? new Gone(`no session at the store: ${error.message}`) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The tagged answer, without its tag. */
async function command(wire: Wire, text: string): Promise<string> {
  await wire.write(`${TAG} ${text}\r\n`);
  for (;;) {
    const line = await wire.readLine();
    if (line.startsWith(`${TAG} `)) return line.slice(TAG.length + 1);
    if (line.startsWith('* BYE')) throw new Gone(line);
  }
}

function plain(user: string, secret: string): string {
  return Buffer.from(`\0${user}\0${secret}`).toString('base64');
}
