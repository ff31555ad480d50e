// Ways of looking at the lab, for its tests: each says in words what a client sees at one place, or what becomes of a message.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Box, readAll, submit } from './dialogs.ts';
import { doorsToAnswer, shutDoors } from './doors.ts';
import { Faults } from './faults/place.ts';
import type { Lab } from './lab.ts';
import { run, sleep } from './run.ts';

export type Look = (lab: Lab) => Promise<string>;

type Port = 25 | 465 | 587;

/** Hands a message for ims1 in: the MTA's `250`, or `auth: 535 ...`. */
export function mta(name: string, port: Port = 587, limitMs = 700): Look {
  return lab => words(submit(lab, { to: `mta/${name}`, port, limitMs }));
}

/** The same at the balancer. */
export function balancedMta(limitMs = 3000): Look {
  return lab => words(submit(lab, { to: 'balancer/smtp', limitMs }));
}

/** Reads a mailbox: `read 2`, or `auth: -ERR ...`. */
export function box(at: Box['at'], protocol: Box['protocol'], account = 'ims1', limitMs = 700): Look {
  return lab => words(readAll(lab, { at, protocol, account, limitMs }).then(messages => `read ${messages.length}`));
}

/** What the lab's name server says of a host. */
export function lookup(name: string): Look {
  return async lab => (await run(lab.inside(['getent', 'ahostsv4', lab.site.hostOf(name)]), { anyStatus: true })).stdout;
}

/** What is wrong with the doors of a component, as far as a bare knock tells. */
export function doors(component: string): Look {
  return async lab => {
    const all = doorsToAnswer(lab.site, new Faults()).filter(({ machine }) => machine.component === component);
    return (await shutDoors(lab.site, all, 1000)).join('\n');
  };
}

/** Sends one message and says what becomes of it: `arrived after 40 ms (1 of them): ...`, `bounced ...`, `waits in hold`. */
export function through(name: string, account = 'ims1', limitMs = 900): Look {
  return async lab => {
    const mark = `trip.${Date.now()}.${Math.round(Math.random() * 1e6)}`;
    const began = Date.now();
    const accepted = await words(
      submit(lab, { to: `mta/${name}`, recipient: lab.site.account(account).address, subject: mark, limitMs: 2000 }),
    );
    const id = /queued as (\w+)/.exec(accepted)?.[1];
    if (id === undefined) return accepted;
    for (;;) {
      const took = Date.now() - began;
      const found = marked(lab.maildir(account), mark);
      if (found.length > 0) {
        await sleep(30); // for a second one
        return `arrived after ${took} ms (${marked(lab.maildir(account), mark).length} of them): ${found[0]}`;
      }
      if (marked(join(lab.maildir(account), '.Junk'), mark).length > 0) return 'junked';
      const bounce = marked(lab.maildir('sender'), mark).find(text => text.includes('multipart/report'));
      if (bounce !== undefined) return `bounced ${bounce}`;
      if (took < 40) {
        await sleep(5);
        continue;
      }
      const queued = (await lab.mtaQueue(name)).find(message => message.queue_id === id);
      if (queued?.queue_name === 'hold') return 'waits in hold';
      const reason = queued?.recipients[0]?.delay_reason;
      if (reason !== undefined) return `waits in ${queued?.queue_name}: ${reason}`;
      if (took > limitMs) return queued === undefined ? 'nowhere' : `waits in ${queued.queue_name} without a reason`;
      await sleep(20);
    }
  };
}

/** The text of a message with that subject, waited for. */
export async function arrival(lab: Lab, account: string, subject: string): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const found = marked(lab.maildir(account), `Subject: ${subject}\n`)[0];
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error(`${subject} did not arrive`);
}

function marked(maildir: string, mark: string): string[] {
  return ['new', 'cur']
    .map(part => join(maildir, part))
    .filter(folder => existsSync(folder))
    .flatMap(folder => readdirSync(folder).map(file => join(folder, file)))
    .flatMap(file => (existsSync(file) ? [readFileSync(file, 'utf8')] : []))
    .filter(text => text.includes(mark));
}

async function words(work: Promise<string>): Promise<string> {
  return work.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
}
