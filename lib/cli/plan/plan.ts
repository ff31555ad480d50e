// `healthmon plan`: what the sequence covers, how soon a failure is noticed, what could not be told apart, what it costs. With --write:
// a sequence that covers everything, see write.ts.

import { isWhole, planOf } from '../../plan/plan.ts';
import { loadConfig, placesOf, Stop } from '../context.ts';
import type { Terminal } from '../terminal.ts';
import { planForMachines } from './json.ts';
import { planText } from './text.ts';
import { runWrite, type WriteOptions } from './write.ts';

export async function runPlan(
  options: WriteOptions & { readonly config?: string; readonly write?: string | true },
  terminal: Terminal,
): Promise<number> {
  const { config } = placesOf(options);
  if (options.write !== undefined) return runWrite(config, options.write === true ? undefined : options.write, options, terminal);
  const { interval, perMinute, force } = options;
  const ofWrite = Object.entries({ '--interval': interval, '--per-minute': perMinute, '--force': force });
  for (const [name, value] of ofWrite)
    if (value !== undefined) throw new Stop(`${name} says how to make a sequence: it needs --write`);
  const { site, sequence } = await loadConfig(config);
  const plan = planOf(site, sequence);
  if (options.json === true) terminal.out(JSON.stringify(planForMachines(plan, site, sequence)));
  else terminal.out(planText(plan, site, terminal.colours, terminal.columns));
  return isWhole(plan) ? 0 : 1;
}
