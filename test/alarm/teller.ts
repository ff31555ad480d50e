// One run of the alarms as a process of its own, to be killed: `teller CONFIG STATE`. Says on stdout how far it is: `ready`, `decided`,
// `done`.

import { loadAlarms } from '../../lib/alarm/config/load.ts';
import { tellAlarms } from '../../lib/alarm/tell.ts';
import { loadSite } from '../../lib/site/load.ts';

const [config = '', state = ''] = process.argv.slice(2);
const say = (word: string) => process.stdout.write(`${word}\n`);
const { site } = await loadSite(config, { secrets: false });
const loaded = await loadAlarms(config, { plugins: config, state });
if (site === undefined || loaded?.alarms === undefined) throw new Error(JSON.stringify(loaded?.problems));
say('ready');
const { waiting } = await tellAlarms({
  alarms: loaded.alarms,
  site,
  state,
  expected: [],
  commandTail: '',
  signal: new AbortController().signal,
  say,
  onMade: () => say('decided'),
});
say(`done, ${waiting} waiting`);
process.exit(0);
