// Takes a lock and keeps it until it is killed: `holder STATE NAME`.

import { takeLock } from '../../lib/record/lock.ts';

const [state = '', name = ''] = process.argv.slice(2);
const taken = await takeLock(state, name, 'the holder of this test');
process.stdout.write(`${taken.held ? 'held' : 'refused'}\n`);
setInterval(() => {}, 1000);
