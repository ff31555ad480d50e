// `healthmon alarm`, `ack` and `silence`: their faces. The work is in ../alarm/.

import { type Subcommand, withConfig, withState } from './subcommand.ts';

export const alarm: Subcommand = {
  name: 'alarm',
  about:
    'Alarms: "alarm list" what is open, "alarm status" whether the chain works, "alarm test [CHANNEL]" a marked test message.',
  shape: command =>
    withState(withConfig(command))
      .argument('<what>', 'list, status or test')
      .argument('[channel...]', 'test: channels of alarms.cfg by name (default: all of them)')
      .option('--all', 'list: also what is watched and what is over')
      .option('--json', 'print it as JSON')
      .addHelpText(
        'after',
        `
Examples:
  healthmon alarm test              over every channel of alarms.cfg
  healthmon alarm test phone
  healthmon alarm list

Exit status:
  list    0 nothing is open, else by the worst that is: 1 slow, 2 failed,
          3 could not be measured
  test    0 every channel took it, 2 one did not
  status  0 the last news of every channel and heartbeat is good, 2 it is not
  each    3 usage or config`,
      ),
  run: async (options, args, terminal) => (await import('../alarm/alarm.ts')).runAlarm(options, args, terminal),
};

export const ack: Subcommand = {
  name: 'ack',
  about: 'Takes an alarm on: no more reminders and no escalation, until it is over, gets worse, or the time is up.',
  shape: command =>
    withState(withConfig(command))
      .argument('<alarm...>', 'numbers of alarms, as in the message and in "alarm list", or all')
      .option('--until <time>', 'only so long: 90m, 2h, 06:30 (default: until it is over)')
      .option('--reason <text>', 'what you are doing about it')
      .option('--by <name>', 'who you are (default: your user name)')
      .addHelpText(
        'after',
        `
Example:
  healthmon ack 17 --reason "restarting the proxy"

Exit status: 0 done; 3 usage, config, or no such alarm.`,
      ),
  run: async (options, args, terminal) => (await import('../alarm/ack.ts')).runAck(options, args, terminal),
};

export const silence: Subcommand = {
  name: 'silence',
  about: 'Tells nothing of something until a time, for a reason; what is still true then is told then. Without WHAT: lists them.',
  shape: command =>
    withState(withConfig(command))
      .argument('[what...]', 'a component, a pattern such as "mmp/*", "alarm 17", or all')
      .option('--until <time>', 'when it ends: 90m, 2h, 06:30, 2026-11-23T06:00')
      .option('--reason <text>', 'why')
      .option('--by <name>', 'who you are (default: your user name)')
      .option('--end <number>', 'end a silence early')
      .option('--json', 'list as JSON')
      .addHelpText(
        'after',
        `
Examples:
  healthmon silence mmp/smux02 --until 2h --reason "new certificate"
  healthmon silence "mmp/*" --until 06:30 --reason "network work, ticket 4711"
  healthmon silence --end 3

Exit status: 0 done, or listed; 3 usage or config.`,
      ),
  run: async (options, args, terminal) => (await import('../alarm/silence.ts')).runSilence(options, args, terminal),
};
