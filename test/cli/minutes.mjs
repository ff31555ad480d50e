// Loaded into a command before its own code (node --import): its clock on the wall stands at minutes that the test turns. What waits for
// a full minute goes off when the test says so (SIGUSR2), and then at once; all other timers, and spans, are as they are.
//
// $MINUTES names a file that holds the time, epoch ms, at which the command's clock is to begin; it is written when a minute is turned,
// so that a process that is started later begins where this one is.

import { readFileSync, writeFileSync } from 'node:fs';

const MINUTE_MS = 60_000;
/** Between the look at the clock and the timer that is set by it. */
const SLACK_MS = 20;
const file = process.env.MINUTES;
const RealDate = Date;
const realSetTimeout = globalThis.setTimeout;
let off = Number(readFileSync(file, 'utf8')) - RealDate.now();
const waiting = new Map();

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + off);
    else super(...args);
  }
  static now() {
    return RealDate.now() + off;
  }
};

globalThis.setTimeout = (work, ms, ...args) => {
  const past = (Date.now() + ms) % MINUTE_MS;
  if (!(ms > 0 && past <= SLACK_MS)) return realSetTimeout(work, ms, ...args);
  // It keeps the process, and can be cleared; it never goes off by itself.
  const timer = realSetTimeout(() => {}, 2 ** 31 - 1);
  waiting.set(timer, () => work(...args));
  return timer;
};
const realClearTimeout = globalThis.clearTimeout;
globalThis.clearTimeout = timer => {
  waiting.delete(timer);
  realClearTimeout(timer);
};

process.on('SIGUSR2', () => {
  off += MINUTE_MS - (Date.now() % MINUTE_MS);
  writeFileSync(file, String(Date.now()));
  for (const [timer, work] of [...waiting]) {
    clearTimeout(timer);
    work();
  }
});
