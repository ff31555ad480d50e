// The lines that start the checks: for crontab, or as systemd units. Absolute paths, the very node that runs now, nothing from PATH.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadSite } from '../site/load.ts';
import { placesOf, projectRoot } from './context.ts';
import type { Terminal } from './terminal.ts';

/** With alarms each minute: second tries, reminders and escalation go by the runs. A minute without an entry measures nothing. */
function cronMinutes(config: string, intervalMinutes: number): number {
  return existsSync(join(config, 'alarms.cfg')) ? 1 : intervalMinutes;
}

export interface CronFacts {
  readonly node: string;
  readonly root: string;
  readonly config: string;
  readonly state: string;
  readonly intervalMinutes: number;
  readonly user: string;
}

export function crontabText({ node, root, config, state, intervalMinutes }: CronFacts): string {
  const minutes = intervalMinutes === 60 ? '0' : intervalMinutes === 1 ? '*' : `*/${intervalMinutes}`;
  const line = [node, join(root, 'bin', 'check_rndtrip'), '--config', config, '--state', state].map(shellWord).join(' ');
  return `# healthmon: the round trip, on one host that reaches the whole site ("crontab -e", then paste)
# cron has PATH=/usr/bin:/bin; every path here is absolute. What goes wrong is printed, and cron mails what is printed:
# through a mail system that may be down. MAILTO="" leaves that to the alarms.
MAILTO=""
${cronSafe(`${minutes} * * * *  ${line}`)}
# the report of the day before: kept, and mailed to whom [report] of alarms.cfg names
${cronSafe(`4 0 * * *  ${line} -r --quiet`)}
`;
}

/** What every mail host runs. */
export function hostCrontabText({ node, root, config, state }: CronFacts): string {
  const tail = ['--config', config, '--state', state];
  const line = (...command: readonly string[]) => [node, ...command, ...tail].map(shellWord).join(' ');
  const alone = ['check_queues', 'check_sys', 'check_mconn', 'check_procs', 'check_files', 'check_ldap'].map(
    name => `#${cronSafe(`*/5 * * * *  ${line(join(root, 'bin', name), '--quiet')}`)}`,
  );
  return `# healthmon: the checks of this mail host, one row of qmonitor.log each five minutes ("crontab -e", then paste).
# In root's crontab every figure is there. In another user's, "healthmon hostcheck -v" says which are not, and what would allow them.
MAILTO=""
${cronSafe(`*/5 * * * *  ${line(join(root, 'bin', 'healthmon'), 'hostcheck', '--quiet')}`)}
# or one by one; check_queues writes the row
${alone.join('\n')}
`;
}

/** The same as a timer of systemd, as files. */
export function hostUnits({ node, root, config, state }: CronFacts): readonly { readonly name: string; readonly text: string }[] {
  const command = [node, join(root, 'bin', 'healthmon'), 'hostcheck', '--quiet', '--config', config, '--state', state]
    .map(unitWord)
    .join(' ');
  return [
    {
      name: 'healthmon-host.service',
      text: `[Unit]
Description=healthmon: the checks of this mail host

[Service]
Type=oneshot
ExecStart=${command}
# what the checks found is no failure of this unit: 0 ok, 1 warning, 2 critical, 3 unknown
SuccessExitStatus=1 2 3
TimeoutStartSec=300
Nice=5
# it only reads, but for its own state
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${unitWord(state)}
UMask=0027
`,
    },
    {
      name: 'healthmon-host.timer',
      text: `[Unit]
Description=healthmon: the checks of this mail host, each five minutes

[Timer]
OnCalendar=*:0/5
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
    },
  ];
}

/** The units of the daemon form, as files. */
export function systemdUnits({
  node,
  root,
  config,
  state,
  user,
}: CronFacts): readonly { readonly name: string; readonly text: string }[] {
  const command = [node, join(root, 'bin', 'check_rndtrip'), '--daemon', '--config', config, '--state', state]
    .map(unitWord)
    .join(' ');
  return [
    {
      name: 'healthmon.service',
      text: `[Unit]
Description=healthmon: round trips through the mail site
Documentation=file:${unitWord(join(root, 'README.md')).replace(/"/g, '')}
Wants=network-online.target
After=network-online.target

[Service]
User=${user}
ExecStart=${command}
ExecReload=/bin/kill -HUP $MAINPID
# SIGTERM ends after what is under way; no trip takes longer than its limits
TimeoutStopSec=300
Restart=always
RestartSec=10
# Passwords can come as credentials: password_credential = "NAME" in site.cfg, and here
#LoadCredential=NAME:/etc/healthmon/secrets/NAME
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${unitWord(state)}
ProtectHome=read-only
PrivateTmp=yes
UMask=0027

[Install]
WantedBy=multi-user.target
`,
    },
  ];
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_/.,:@%+=-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

/** In a crontab, % ends the command. @see crontab(5) */
function cronSafe(line: string): string {
  return line.replace(/%/g, '\\%');
}

/** @see systemd.service(5), "COMMAND LINES": % and $ mean something, blanks part words */
function unitWord(text: string): string {
  const escaped = text.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[A-Za-z0-9_/.,:@%+=$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/(["\\])/g, '\\$1')}"`;
}

export async function runCrontab(
  options: {
    readonly config?: string;
    readonly state?: string;
    readonly systemd?: boolean;
    readonly user?: string;
    readonly host?: boolean;
  },
  terminal: Terminal,
): Promise<number> {
  const places = placesOf(options);
  // A mail host needs no site.cfg.
  const site = options.host === true ? undefined : (await loadSite(places.config, { secrets: false })).site;
  if (site === undefined && options.host !== true)
    terminal.say(
      `The config in ${places.config} has errors ("healthmon config check" tells them); these lines are for every five minutes`,
    );
  const facts: CronFacts = {
    ...places,
    node: process.execPath,
    root: projectRoot(),
    intervalMinutes: cronMinutes(places.config, site?.intervalMinutes ?? 5),
    user: options.user ?? 'healthmon',
  };
  const isHost = options.host === true;
  if (options.systemd !== true) terminal.out((isHost ? hostCrontabText(facts) : crontabText(facts)).trimEnd());
  else
    for (const { name, text } of isHost ? hostUnits(facts) : systemdUnits(facts))
      terminal.out(`# /etc/systemd/system/${name}\n${text.trimEnd()}`);
  return 0;
}
