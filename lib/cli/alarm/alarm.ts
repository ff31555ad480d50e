// `healthmon alarm`: test, list or status.

import { didYouMean } from '../../site/table/nearest.ts';
import { Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import type { ListOptions } from './list.ts';

const WHAT = ['test', 'list', 'status'];

export async function runAlarm(options: ListOptions, args: readonly string[], terminal: Terminal): Promise<number> {
  const [what = '', ...rest] = args;
  if (what === 'test') return (await import('./test.ts')).runTest(options, rest, terminal);
  if (rest.length > 0) throw new Stop(`"alarm ${what}" takes no further words`);
  if (what === 'list') return (await import('./list.ts')).runList(options, terminal);
  if (what === 'status') return (await import('./status.ts')).runStatus(options, terminal);
  throw new Stop(`expected "test", "list" or "status", not "${what}"${didYouMean(what, WHAT)}`);
}
