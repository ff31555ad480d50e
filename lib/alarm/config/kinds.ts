// The channels that ship, in the order in which the annotated file shows them: what needs no account first.

import type { Channel } from '../channel.ts';
import { alertmanager } from '../channels/alertmanager.ts';
import { discord } from '../channels/discord.ts';
import { exec } from '../channels/exec.ts';
import { icinga } from '../channels/icinga.ts';
import { log } from '../channels/log.ts';
import { mattermost } from '../channels/mattermost.ts';
import { nagios } from '../channels/nagios.ts';
import { ntfy } from '../channels/ntfy.ts';
import { opsgenie } from '../channels/opsgenie.ts';
import { pagerduty } from '../channels/pagerduty.ts';
import { pushover } from '../channels/pushover.ts';
import { slack } from '../channels/slack.ts';
import { sms } from '../channels/sms.ts';
import { syslog } from '../channels/syslog.ts';
import { teams } from '../channels/teams.ts';
import { telegram } from '../channels/telegram.ts';
import { twilio } from '../channels/twilio.ts';
import { webhook } from '../channels/webhook.ts';

export const KINDS: readonly Channel[] = [
  log,
  syslog,
  ntfy,
  twilio,
  sms,
  webhook,
  exec,
  slack,
  teams,
  mattermost,
  discord,
  telegram,
  pushover,
  pagerduty,
  opsgenie,
  alertmanager,
  icinga,
  nagios,
];
