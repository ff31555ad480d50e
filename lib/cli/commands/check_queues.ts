// check_queues: its face. The work is in ../host.ts and in lib/host.

import { runCheck } from '../host/host.ts';

void runCheck(
  'queues',
  "Counts the messages of this host's mail queues: how many, how old, whose, how fast they leave. Writes the row of qmonitor.log.",
  `
From crontab ("healthmon crontab --host" prints these lines with absolute paths):
  */5 * * * *  /opt/healthmon/bin/check_queues

Examples:
  check_queues -v
  check_queues --nagios --no-record`,
);
