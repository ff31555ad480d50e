// Looks at this host by the daemon: as often as host.cfg says, by the command that cron would start.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type LookSchedule, scheduleLooks } from '../../lib/cli/host/schedule.ts';

let place: string;
let schedule: LookSchedule | undefined;
let said: string[];

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-looks-'));
  mkdirSync(join(place, 'etc'));
  said = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await schedule?.stop();
  rmSync(place, { recursive: true, force: true });
});

async function scheduled(every: string, command?: readonly [string, ...string[]]): Promise<void> {
  const program = join(place, 'look.mjs');
  writeFileSync(
    program,
    `import { appendFileSync } from 'node:fs';
appendFileSync(${JSON.stringify(join(place, 'calls'))}, process.argv.slice(2).join(' ') + '\\n');
console.log('disk full');`,
  );
  writeFileSync(join(place, 'etc/host.cfg'), every);
  const places = { config: join(place, 'etc'), state: join(place, 'var') };
  schedule = await scheduleLooks(places, line => said.push(line), command ?? [process.execPath, program]);
}

const soon = <T>(poll: () => T) => vi.waitFor(poll, { timeout: 10_000, interval: 20 });
const calls = () => (existsSync(join(place, 'calls')) ? readFileSync(join(place, 'calls'), 'utf8').trimEnd().split('\n') : []);

/** Two seconds before a quarter past. */
function almost(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: new Date('2026-11-22T06:14:58').getTime() });
}

test('a look is made in its minute, and what it prints is told', async () => {
  almost();
  await scheduled('[host]\nevery = 5\n');
  await vi.advanceTimersByTimeAsync(3000);
  vi.useRealTimers();
  await soon(() => expect(said).toEqual(['hostcheck: disk full']));
  expect(calls()).toEqual([`hostcheck --config ${join(place, 'etc')} --state ${join(place, 'var')}`]);
});

test('without a word in host.cfg the daemon does not look; once it is asked to, it does', async () => {
  almost();
  await scheduled('');
  await vi.advanceTimersByTimeAsync(3000);
  vi.setSystemTime(new Date('2026-11-22T06:29:58'));
  writeFileSync(join(place, 'etc/host.cfg'), '[host]\nevery = 15\n');
  await schedule?.renew();
  await vi.advanceTimersByTimeAsync(3000);
  vi.useRealTimers();
  await soon(() => expect(calls()).toHaveLength(1));
});

test('a host.cfg that cannot be used, and a program that is not there, are said, and the daemon goes on', async () => {
  almost();
  await scheduled('[host]\nevery = 5\n', [join(place, 'nothing')]);
  writeFileSync(join(place, 'etc/host.cfg'), 'nonsense');
  await schedule?.renew();
  expect(said.splice(0)).toEqual([expect.stringContaining('Cannot use ')]);
  await vi.advanceTimersByTimeAsync(3000);
  vi.useRealTimers();
  await soon(() => expect(said).toEqual([expect.stringMatching(/^hostcheck cannot be started: .*ENOENT/)]));
});
