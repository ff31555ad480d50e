// alarms.cfg: the sample is what `describe` prints and is valid, and what is wrong is told with its place and its remedy.

import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Alarms, readAlarms } from '../../lib/alarm/config/load.ts';
import { alarmSample } from '../../lib/cli/config/alarm.ts';
import { OTHER_SECTIONS } from '../../lib/cli/round/tell.ts';
import { formatProblems, type Problem, reporterFor } from '../../lib/site/problem.ts';
import { folderWith } from '../site/folder.ts';

async function read(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<{ readonly alarms?: Alarms; readonly told: readonly string[] }> {
  const dir = await folderWith({ ...files });
  for (const name of Object.keys(files)) chmodSync(join(dir, name), 0o600);
  const problems: Problem[] = [];
  const options = { plugins: join(dir, 'plugins'), state: dir, env: {}, others: OTHER_SECTIONS, secrets: true };
  const { alarms } = await readAlarms(text, dir, options, { report: reporterFor('alarms.cfg', problems), problems });
  const told = formatProblems(problems)
    .replaceAll(`${dir}/`, '')
    .split('\n')
    .filter(line => line !== '');
  return alarms === undefined ? { told } : { alarms, told };
}

test('etc/alarms.cfg is what describe prints, byte for byte, with no line too long to read', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'etc', 'alarms.cfg'), 'utf8');
  expect(text).toBe(alarmSample());
  expect(text.split('\n').filter(line => line.length > 112)).toEqual([]);
});

test('the sample is valid as it stands, and says that a log wakes nobody', async () => {
  const { alarms, told } = await read(alarmSample());
  expect(told).toEqual([
    expect.stringMatching(/^alarms\.cfg:\d+: warning: all channels write to a log: nobody is woken$/),
    '    name a channel that rings somewhere: SMS, push, chat',
  ]);
  expect([...(alarms?.channels.keys() ?? [])]).toEqual(['log']);
  expect(alarms?.recipients.map(({ name, channels }) => [name, channels])).toEqual([['oncall', ['log']]]);
});

test('an empty [alarms] and none at all mean the same', async () => {
  const rest = '[log.x]\n[notify.n]\nchannels = ["x"]\n';
  const { alarms: without } = await read(rest);
  const { alarms: empty } = await read(`[alarms]\n${rest}`);
  expect(without?.policy).toEqual(empty?.policy);
  expect(without?.spacing).toEqual({ remindMs: 3_600_000, remindMostMs: 86_400_000, togetherMs: 300_000 });
});

const N = '[notify.n]\nchannels = ["x"]\n';
const PUSH = '[ntfy.x]\ntopic_env = "T"\n';
const AC = `AC${'0'.repeat(32)}`;
const TWILIO = `[twilio.x]\naccount = "${AC}"\ntoken_file = "t"\nto = "+491701234567"\n`;

test.for<readonly [name: string, text: string, told: readonly (string | RegExp)[], files?: Readonly<Record<string, string>>]>([
  [
    'a channel that is not there',
    '[exec.phone]\ncommand = ["/bin/true"]\n[notify.n]\nchannels = ["phoen", "phone", "x"]\n',
    [
      "alarms.cfg:4: error: 'channels' in [notify.n] names unknown channel 'phoen': did you mean 'phone'?",
      "alarms.cfg:4: error: 'channels' in [notify.n] names unknown channel 'x'",
      '    known channels: phone',
    ],
  ],
  [
    'mail',
    `[email.y]\nto = "boss@example.net"\n[exec.x]\ncommand = ["/bin/true"]\n${N}`,
    [
      'alarms.cfg:1: error: there is no mail channel, because mail is what may be down: found [email]',
      '    take one that does not need the mail site: push, SMS, chat, a program; healthmon config describe alarms.cfg shows them',
    ],
  ],
  [
    'a channel that nobody uses',
    `[log.y]\n[exec.x]\ncommand = ["/bin/true"]\n${N}`,
    ['alarms.cfg:1: warning: [log.y] is used by nobody: no [notify.NAME] has it among its channels'],
  ],
  [
    'two channels of one name',
    `[ntfy.x]\ntopic_file = "s"\n[exec.x]\ncommand = ["/bin/true"]\n${N}`,
    ['alarms.cfg:3: error: [exec.x] has the name of another channel, [ntfy.x] in line 1', '    rename one of them'],
    { s: 'x' },
  ],
  [
    'an unknown kind of channel',
    `[slak.x]\n${N}`,
    [
      'alarms.cfg:1: error: unknown section [slak]: did you mean [slack.NAME]?',
      /names unknown channel 'x'/,
      '    there are no channels yet',
    ],
  ],
  [
    'a secret in the file',
    `[ntfy.x]\ntopic = "nobody-guesses-this"\n${N}`,
    [
      "alarms.cfg:2: error: a secret must not stand in this file: found 'topic' in [ntfy.x]",
      /^ {4}write it into a file of its own .*topic_file = "secrets\/NAME"$/,
    ],
  ],
  [
    'a secret in two places',
    `[ntfy.x]\ntopic_env = "A"\ntopic_file = "b"\n${N}`,
    [/must have one of topic_file, topic_env, topic_credential: found /, '    keep one of them', /no such file/, /make it/],
  ],
  [
    'a secret in none',
    `[ntfy.x]\n${N}`,
    ['alarms.cfg:1: error: [ntfy.x] has none of topic_file, topic_env, topic_credential: expected one of them', /add a line/],
  ],
  ['a secret that is not there', PUSH + N, [/\[ntfy\.x\]: Cannot .*variable T/, /./]],
  [
    'a count that is none',
    `[alarms]\nfailed = "3 of 2"\n[exec.x]\ncommand = ["/bin/true"]\n${N}`,
    [/:2: error: .*a count such as "2 of 3"/],
  ],
  [
    'quiet hours that are none',
    `[exec.x]\ncommand = ["/bin/true"]\n${N}quiet = ["22-7"]\n`,
    [/:5: error: .*quiet hours such as/],
  ],
  [
    'loud without quiet',
    `[exec.x]\ncommand = ["/bin/true"]\n${N}loud = ["failed"]\n`,
    ["alarms.cfg:5: warning: 'loud' in [notify.n] has no use without 'quiet'"],
  ],
  [
    'nobody who is told at once',
    `[exec.x]\ncommand = ["/bin/true"]\n${N}after = 15\n`,
    ["alarms.cfg:3: warning: every [notify.NAME] has 'after': nobody is told at once"],
  ],
  ['nobody at all', '[log.x]\n', [/used by nobody/, 'alarms.cfg:1: warning: there is no [notify.NAME]: nobody is told anything']],
  [
    'a number that is none',
    `${TWILIO.replace('+49170', '0170')}from = "x"\n${N}`,
    [/:4: error: .*a number in E\.164 form/],
    { t: 'x' },
  ],
  [
    'twilio without a sender',
    TWILIO + N,
    ['alarms.cfg:1: error: [twilio.x] has none of from, messaging_service: expected one of them'],
    { t: 'x' },
  ],
  [
    'twilio with two senders',
    `${TWILIO}from = "Mail"\nmessaging_service = "MG${'0'.repeat(32)}"\n${N}`,
    [
      'alarms.cfg:6: error: [twilio.x] must have one of from, messaging_service: found from, messaging_service',
      '    keep one of them',
    ],
    { t: 'x' },
  ],
  [
    'a heartbeat without an address',
    `[exec.x]\ncommand = ["/bin/true"]\n${N}[heartbeat.h]\n`,
    [/\[heartbeat\.h\] has none of url, url_file/, /add a line/],
  ],
])('%s is told', async ([, text, told, files]) => {
  const problems = (await read(text, files)).told;
  expect(problems).toEqual(told.map(line => (typeof line === 'string' ? line : expect.stringMatching(line))));
});

test('what is told of a wrong value never shows a phone number, a key or an address with one in it', async () => {
  const { told } = await read(
    `[twilio.x]\naccount = "canary-1"\ntoken_file = "t"\nto = "canary-2"\nfrom = "canary-3 is too long for that"\nurl = "canary-4"\n[ntfy.y]\ntopic = "canary-5"\nurl = "htp://user:canary-6@x"\n${N}`,
    { t: 'x' },
  );
  expect(told.length).toBeGreaterThan(6);
  expect(told.join('\n')).not.toContain('canary');
});
