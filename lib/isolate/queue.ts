// Where in its MTA's queue is the message? Asked by a command that the operator has configured (on this host, or over their own ssh),
// by the queue id from the reply to DATA.

import { spawn } from 'node:child_process';
import type { Component } from '../model/component.ts';
import type { QueueWord } from '../model/evidence.ts';
import { printable } from '../model/printable.ts';
import type { QueueAccess } from '../model/site.ts';

/** A queue of a million messages prints more; ours is young and is looked for in what fits. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface QueueQuestion {
  readonly mta: Component;
  readonly access: QueueAccess | undefined;
  readonly queueId: string | undefined;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** Never throws: a command that fails is an answer of its own. */
export async function askQueue({ mta, access, queueId, withinMs, signal }: QueueQuestion): Promise<QueueWord> {
  const unasked = (text: string): QueueWord => ({ mta, found: 'unasked', text });
  if (access === undefined) return unasked('site.cfg says no way to ask for the queue');
  if (queueId === undefined) return unasked('the MTA named no queue id when it took the message');
  const reader = new QueueReader(access.flavour, queueId);
  const ended = await runCommand(access.command, reader, withinMs, signal);
  if (ended !== undefined) return unasked(`the queue of ${mta} could not be asked: ${ended}`);
  const found = reader.result();
  return found === undefined
    ? { mta, found: 'gone', text: `${queueId} is not in the queue of ${mta} any more` }
    : {
        mta,
        found: found.queue,
        ...(found.reason === undefined ? {} : { reason: found.reason }),
        text: `${queueId} is in the ${found.queue} queue of ${mta}${found.reason === undefined ? '' : `: ${found.reason}`}`,
      };
}

interface InQueue {
  readonly queue: 'active' | 'incoming' | 'deferred' | 'hold';
  readonly reason?: string;
}

/** Reads a listing line by line and keeps what it says of one message. */
class QueueReader {
  readonly #flavour: QueueAccess['flavour'];
  readonly #id: string;
  #found: InQueue | undefined;
  #mine = false;
  #rest = '';

  constructor(flavour: QueueAccess['flavour'], id: string) {
    this.#flavour = flavour;
    this.#id = id;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  result(): InQueue | undefined {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
    return this.#found;
  }

  #line(line: string): void {
    switch (this.#flavour) {
      case 'postfix':
        this.#found ??= postfixLine(line, this.#id);
        break;
      case 'exim':
        // ` 3h  1.2K 1tE3mF-0002xY-0A <from@x>`, with `*** frozen ***` where somebody or something has stopped it
        if (line.includes(` ${this.#id} `))
          this.#found = line.includes('*** frozen ***') ? { queue: 'hold', reason: 'frozen' } : { queue: 'deferred' };
        break;
      case 'sendmail': {
        // `6AM2j9EU027784*   5 Sun Nov 22 02:45 <from@x>`, then indented `(Deferred: Connection refused by x)`
        const head = /^(\S+?)([*X-]?)\s+\d+ \w{3} \w{3}/.exec(line);
        if (head !== null) {
          this.#mine = head[1] === this.#id;
          if (this.#mine) this.#found = { queue: head[2] === '*' ? 'active' : 'deferred' };
        } else if (this.#mine && this.#found !== undefined) {
          const reason = /^\s+(?:\d?BIT\w*\s+)?\((.+)\)\s*$/.exec(line)?.[1];
          if (reason !== undefined) this.#found = { queue: 'deferred', reason: printable(reason, 300) };
        }
        break;
      }
      default:
        this.#flavour satisfies never;
    }
  }
}

/** One line of `postqueue -j`. @see postqueue(1), JSON OBJECT FORMAT */
function postfixLine(line: string, id: string): InQueue | undefined {
  if (!line.includes(`"${id}"`)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { queue_id, queue_name, recipients } = value as Record<string, unknown>;
    if (queue_id !== id) return undefined;
    const queue = (['active', 'incoming', 'deferred', 'hold'] as const).find(name => name === queue_name) ?? 'deferred';
    const first: unknown = Array.isArray(recipients) ? recipients[0] : undefined;
    const reason = typeof first === 'object' && first !== null && 'delay_reason' in first ? first.delay_reason : undefined;
    return { queue, ...(typeof reason === 'string' ? { reason: printable(reason, 300) } : {}) };
  } catch {
    return undefined;
  }
}

/** @returns why it did not work; undefined when it did */
function runCommand(
  command: readonly string[],
  reader: QueueReader,
  withinMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [file, ...args] = command;
  if (file === undefined) return Promise.resolve('the command is empty');
  return new Promise(resolve => {
    // Its own process group, so that what it has started ends with it.
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: {
        PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: process.env.HOME ?? '/',
        LANG: 'C',
        SSH_AUTH_SOCK: process.env.SSH_AUTH_SOCK ?? '',
      },
    });
    let bytes = 0;
    let complaint = '';
    let over: string | undefined;
    const end = (why: string) => {
      over ??= why;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // already gone
      }
    };
    const timer = setTimeout(() => end(`no answer in ${Math.round(withinMs / 1000)} s`), withinMs);
    const cut = () => end('told to stop');
    signal.addEventListener('abort', cut, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      bytes += text.length;
      if (bytes > MOST_BYTES) end('the listing is too large');
      else reader.take(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 400) complaint += text;
    });
    const done = (why: string | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      resolve(why);
    };
    child.on('error', error => done(printable(error.message, 200)));
    child.on('close', status =>
      done(
        over ??
          (status === 0
            ? undefined
            : `${printable(file, 60)} ended with status ${status}: ${printable(complaint.trim().split('\n')[0] ?? '', 200)}`),
      ),
    );
  });
}
