// One run at a time. The lock is a socket in Linux' abstract name space: the kernel lets go of it when its holder dies, however it
// dies, so there is nothing to take over and nothing to clean. Beside it lies a note of who holds it, for people.
//
// The socket's name comes from a random text in the state folder that only we can read: nobody else can hold it by accident, and a
// name that is taken while the note names no live process is told as what it is.
//
// Known: abstract names belong to a network name space. Two containers that share one state folder do not see each other's lock.
// Elsewhere than on Linux a lock file with process id and start time serves, whose take-over has a race of microseconds.

import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { NotWritten, reason } from './append.ts';
import { makeFolder } from './folder.ts';
import { type Holder, ownerOf } from './owner.ts';
import { removeQuietly, replaceUnforced } from './replace.ts';

export type Taken = { readonly held: true; readonly release: () => void } | { readonly held: false; readonly holder?: Holder };

/**
 * Takes the lock, or says who has it; never waits.
 *
 * @param name a file name's worth of text: `run`, `account-ims1`
 * @param what for people: the command that holds it
 * @throws {NotWritten} when the state folder has never been used and cannot be now
 */
export async function takeLock(state: string, name: string, what: string): Promise<Taken> {
  const folder = join(state, 'lock');
  const note = join(folder, `${name.replace(/[^A-Za-z0-9._-]/g, '_')}.json`);
  const mine: Holder = { pid: process.pid, since: Date.now(), what };
  if (process.platform !== 'linux') return takeFile(note, mine);

  const socket = `healthmon-${createHash('sha256')
    .update(`${placeKey(folder)}\n${name}`)
    .digest('hex')
    .slice(0, 40)}`;
  const server = await listen(`\0${socket}`);
  if (server === undefined) {
    const holder = (await noteOf(note)) ?? ownerOf(`@${socket}`) ?? readHolder(note);
    return { held: false, ...(holder === undefined ? {} : { holder }) };
  }
  server.unref();
  try {
    replaceUnforced(note, `${JSON.stringify(mine)}\n`);
  } catch (error) {
    // The note is for people; the socket is the lock, and a full disk does not keep it from being held.
    if (!(error instanceof NotWritten)) {
      server.close();
      throw error;
    }
    removeQuietly(note);
  }
  return {
    held: true,
    release: () => {
      removeQuietly(note);
      server.close();
    },
  };
}

/** Whether the process that the note names still runs. */
export function isAlive(holder: Pick<Holder, 'pid'>): boolean {
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function listen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy());
    server.once('error', error => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new NotWritten(name.slice(1), reason(error)));
    });
    server.listen(name, () => resolve(server));
  });
}

/** Random text of this state folder, made by whoever comes first. */
function placeKey(folder: string): string {
  const file = join(folder, 'place');
  const read = () => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  const there = read();
  if (there !== '') return there;
  const beside = `${file}.${process.pid}.new`;
  try {
    makeFolder(folder);
    writeFileSync(beside, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
    linkSync(beside, file);
  } catch (error) {
    if (read() === '') throw new NotWritten(file, reason(error));
  } finally {
    removeQuietly(beside);
  }
  return read();
}

/**
 * Who has just taken the lock writes the note a moment later: until then it is missing, or names the one before. One that was stopped in
 * between never does.
 */
async function noteOf(note: string): Promise<Holder | undefined> {
  for (let tries = 0; tries < 10; tries += 1) {
    const holder = readHolder(note);
    if (holder !== undefined && isAlive(holder)) return holder;
    await setTimeout(20);
  }
  return undefined;
}

function readHolder(note: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(note, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, since, what } = value as Record<string, unknown>;
    return typeof pid === 'number' && typeof since === 'number' && typeof what === 'string' ? { pid, since, what } : undefined;
  } catch {
    return undefined;
  }
}

function takeFile(note: string, mine: Holder): Taken {
  const holder = readHolder(note);
  if (holder !== undefined && isAlive(holder)) return { held: false, holder };
  rmSync(note, { force: true });
  try {
    makeFolder(join(note, '..'));
    writeFileSync(note, `${JSON.stringify(mine)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const other = readHolder(note);
    if (other !== undefined) return { held: false, holder: other };
    throw new NotWritten(note, reason(error));
  }
  return { held: true, release: () => rmSync(note, { force: true }) };
}
