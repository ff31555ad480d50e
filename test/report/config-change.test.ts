// What a report knows of changes of the config: noted by the next run.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noteConfigChange } from '../../lib/cli/round/config-change.ts';
import { localDay } from '../../lib/record/day.ts';
import { dayPeriod } from '../../lib/report/period.ts';
import { readRecords } from '../../lib/report/read.ts';

test('a change of site.cfg, sequence.cfg or alarms.cfg is noted once, the first look is none', () => {
  const place = mkdtempSync(join(tmpdir(), 'healthmon-change-'));
  const [config, state] = [join(place, 'etc'), join(place, 'var')];
  mkdirSync(config);
  mkdirSync(state);
  const write = (name: string, text: string) => writeFileSync(join(config, name), text);
  const note = () => noteConfigChange({ config, state }, line => expect(line).toBe(''));
  const day = localDay(Date.now());
  const noted = () =>
    readRecords({ state, period: dayPeriod(day), until: Number.POSITIVE_INFINITY }).events.map(
      ({ event, text }) => `${event}: ${text}`,
    );
  write('site.cfg', 'a');
  note();
  note();
  expect(noted()).toEqual([]);
  write('site.cfg', 'b');
  write('sequence.cfg', 's');
  note();
  note();
  expect(noted()).toEqual(['config changed: site.cfg (sha256 ca978112 -> 3e23e816), sequence.cfg (sha256 none -> 043a7187)']);
  write('alarms.cfg', 'x');
  note();
  expect(noted()[1]).toBe('config changed: alarms.cfg (sha256 none -> 2d711642)');
  // What an older version remembered has no alarms.cfg: that it is looked at now is no change of it.
  const place2 = join(state, 'config.json');
  const { 'alarms.cfg': _, ...older } = JSON.parse(readFileSync(place2, 'utf8'));
  writeFileSync(place2, JSON.stringify(older));
  note();
  expect(noted()).toHaveLength(2);
  rmSync(place, { recursive: true });
});
