// check_rndtrip -r as its users meet it: a state folder, an alarms.cfg, a relay that may be down.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { localDay } from '../../lib/record/day.ts';
import { journalFile } from '../../lib/record/journal.ts';
import { dayAfter, reportedDay } from '../../lib/report/period.ts';
import { sampleLines } from '../../lib/report/sample.ts';
import { type Ended, startCommand } from '../cli/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ZONE = process.env.TZ;
let place: string;
let state: string;
let config: string;
let letters: { to: string; raw: string }[];
let relay: SMTPServer | undefined;

beforeAll(() => {
  process.env.TZ = 'UTC';
});
afterAll(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'healthmon-r-'));
  state = join(place, 'var');
  config = join(place, 'etc');
  letters = [];
  mkdirSync(join(state, 'journal'), { recursive: true });
  mkdirSync(config);
  for (const name of ['site.cfg', 'sequence.cfg']) writeFileSync(join(config, name), readFileSync(join(ROOT, 'etc', name)));
});
afterEach(async () => {
  await closeRelay();
  rmSync(place, { recursive: true, force: true });
});

const day = () => reportedDay(Date.now());

function records(of: string, sample: 'quiet' | 'bad' = 'bad'): void {
  writeFileSync(
    journalFile(state, of),
    sampleLines(sample, of)
      .map(line => `${line}\n`)
      .join(''),
  );
}

function run(...args: string[]): Promise<Ended> {
  return startCommand('check_rndtrip', ['-r', ...args], {
    TZ: 'UTC',
    HEALTHMON_CONFIG: config,
    HEALTHMON_STATE: state,
    HEALTHMON_PLUGINS: join(place, 'plugins'),
  }).ended;
}

async function openRelay(port = 0): Promise<number> {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', chunk => chunks.push(chunk));
      stream.on('end', () => {
        letters.push({ to: session.envelope.rcptTo[0]?.address ?? '', raw: Buffer.concat(chunks).toString('latin1') });
        callback(null, '2.0.0 queued as 4711');
      });
    },
  });
  server.on('error', () => {});
  relay = server;
  return new Promise(resolve =>
    server.listen(port, '127.0.0.1', () => {
      const address = server.server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
}

async function closeRelay(): Promise<void> {
  await new Promise(resolve => (relay === undefined ? resolve(undefined) : relay.close(() => resolve(undefined))));
  relay = undefined;
}

function alarmsCfg(port: number, more = ''): void {
  writeFileSync(
    join(config, 'alarms.cfg'),
    `[report]\nto = ["a@x.test", "b@x.test"]\nhost = "127.0.0.1"\nport = ${port}\nsecurity = "plain"\n${more}`,
  );
}

test('without alarms.cfg the report is made, kept and mailed to nobody', async () => {
  records(day());
  const { status, out, err } = await run();
  expect([status, err]).toEqual([0, '']);
  expect(out).toContain('8 of 281 trips failed');
  expect(out).toContain('mailed to nobody');
  const kept = join(state, 'report', day());
  expect(readdirSync(kept).sort()).toEqual(['report.html', 'report.json', 'report.txt']);
  expect(readFileSync(join(kept, 'report.html'), 'utf8')).toMatch(/<img src="data:image\/png;base64,/);
  expect(readFileSync(join(kept, 'report.html'), 'utf8')).not.toContain('cid:');
  expect(statSync(join(kept, 'report.txt')).mode & 0o777).toBe(0o640);
});

test('it is mailed once to everybody, as a letter that opens', async () => {
  records(day());
  alarmsCfg(await openRelay(), 'attach = ["csv"]\n');
  const { status, out } = await run();
  expect(status).toBe(0);
  expect(out).toContain('mailed to a@x.test, b@x.test over mta/127.0.0.1');
  expect(letters.map(({ to }) => to)).toEqual(['a@x.test', 'b@x.test']);
  const opened = await PostalMime.parse(letters[0]?.raw ?? '');
  expect(opened.subject).toContain('8 of 281 trips failed');
  expect(opened.text).toContain('WHAT WENT WRONG');
  expect(opened.html).toContain('<h2>What went wrong</h2>');
  expect(opened.attachments.map(({ filename }) => filename).filter(name => !name?.startsWith('picture'))).toEqual([
    `systest.log.${day()}.txt`,
    `report-${day()}.csv`,
  ]);
  const shown = [...(opened.html ?? '').matchAll(/cid:([^"]+)/g)].map(([, cid]) => `<${cid}>`);
  expect(new Set(shown)).toEqual(new Set(opened.attachments.flatMap(({ contentId }) => contentId ?? [])));
  const again = await run();
  expect(again.status).toBe(0);
  expect(again.err).toContain('makes it again');
  expect(letters).toHaveLength(2);
});

test('while the relay is down it is kept, and goes out at the next try, once', async () => {
  records(day());
  const port = await openRelay();
  alarmsCfg(port);
  await closeRelay();
  const first = await run();
  expect(first.status).toBe(1);
  expect(first.err).toContain('could not be mailed to a@x.test, b@x.test over mta/127.0.0.1');
  expect(first.err).toContain('it is tried again');
  expect(existsSync(join(state, 'report', day(), 'report.txt'))).toBe(true);
  await openRelay(port);
  expect((await run()).status).toBe(0);
  expect((await run()).status).toBe(0);
  expect(letters.map(({ to }) => to)).toEqual(['a@x.test', 'b@x.test']);
});

test('a channel is told when it could not be mailed, and where it lies, once', async () => {
  records(day());
  const port = await openRelay();
  const note = join(place, 'told');
  const told = `[exec.page]\ncommand = ["sh", "-c", 'printf "%s\\n" "$HEALTHMON_HEADLINE" "$HEALTHMON_NEXT" >> ${note}']\n[notify.oncall]\nchannels = ["page"]\n`;
  alarmsCfg(port, `fallback = "page"\n${told}`);
  await closeRelay();
  const first = await run();
  expect(first.status).toBe(1);
  expect(first.err).toContain('Channel page: delivered');
  expect((await run()).status).toBe(1);
  const text = readFileSync(note, 'utf8');
  expect(text.match(/could not be mailed to a@x\.test, b@x\.test over mta\/127\.0\.0\.1/g)).toHaveLength(1);
  expect(text).toContain(`cat ${join(state, 'report', day())}/report.txt`);
});

test('a day whose run did not happen is told and made by the next run', async () => {
  const made = join(state, 'report', 'made');
  mkdirSync(made, { recursive: true });
  const missing = [dayAfter(day(), -2), dayAfter(day(), -1)];
  writeFileSync(join(made, `${dayAfter(day(), -3)}.json`), JSON.stringify({ v: 1, madeAt: 1, format: 'daily' }));
  for (const each of missing.slice(1)) records(each, 'quiet');
  alarmsCfg(await openRelay());
  const { status, err } = await run();
  expect(status).toBe(0);
  expect(err).toContain(`Reports that were not made: ${missing.join(', ')}; they are made now`);
  expect(letters).toHaveLength(6);
  const subjects = await Promise.all(
    letters.filter(({ to }) => to === 'a@x.test').map(async ({ raw }) => (await PostalMime.parse(raw)).subject),
  );
  expect(subjects.map(subject => subject?.split(': ')[1])).toEqual([
    'nothing was tested',
    'all 288 trips good',
    'nothing was tested',
  ]);
});

test('the report of a day that is not over says so, and what finishes later is in the next one', async () => {
  const today = localDay(Date.now());
  const { out } = await run('--day', 'today', '--print');
  expect(out).toContain('The period is not over');
  expect(out).toContain(`DATE COLLECTED: ${Number(today.slice(8))} `);
});

test('an earlier report that could not be delivered is told in the next one', async () => {
  const port = await openRelay();
  alarmsCfg(port);
  await closeRelay();
  await run('--day', dayAfter(day(), -1));
  const { out } = await run('--print');
  expect(out).toMatch(/! 1 earlier report has not been delivered to everybody/);
  expect(out).toContain('a@x.test, b@x.test');
});

test('--print, --json and --out show it and leave everything as it was', async () => {
  records(day());
  alarmsCfg(await openRelay());
  const printed = await run('--print');
  expect(printed.out).toMatch(/^DATE COLLECTED: /);
  const json = await run('--json');
  expect(JSON.parse(json.out)).toMatchObject({ schema: 'healthmon-report/1', whole: { trips: 281 } });
  const file = join(place, 'report.prom');
  expect((await run('--out', file, '--format', 'prometheus')).status).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('healthmon_report_trips{site="Example Mail",state="failed"} 8');
  expect(statSync(file).mode & 0o044).toBe(0o044);
  const page = join(place, 'report.html');
  await run('--out', page);
  expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*data:image\/png/);
  expect(existsSync(join(state, 'report'))).toBe(false);
  expect(letters).toEqual([]);
});

test('a broken format does not keep the report back: it goes out in classic with the error on top', async () => {
  records(day());
  const plugins = join(place, 'plugins');
  mkdirSync(plugins);
  writeFileSync(join(plugins, 'report_formats.cfg'), '[format.mine]\ntext = "mine.hbs"\n');
  writeFileSync(join(plugins, 'mine.hbs'), 'Trips: {{whole.tirps}}\n');
  alarmsCfg(await openRelay(), 'format = "mine"\n');
  const { status, err } = await run();
  const message = `${plugins}/mine.hbs:1: error: column 10: there is no field 'tirps' in 'whole': did you mean 'trips'?`;
  expect(status).toBe(0);
  expect(err).toContain(message);
  const { text } = await PostalMime.parse(letters[0]?.raw ?? '');
  expect(text).toMatch(/^Cannot use the format "mine":/);
  expect(text).toContain('DATE COLLECTED');
});

test('a config with errors does not keep the report back either', async () => {
  records(day());
  writeFileSync(join(config, 'site.cfg'), '[site]\nname = 7\n');
  const { status, out, err } = await run('--print');
  expect(status).toBe(0);
  expect(err).toContain('the report is made without it');
  expect(out).toContain('Which paths were due is not known');
});

test('[report] with errors: the report is kept, and waits', async () => {
  records(day());
  alarmsCfg(25, 'fromat = "daily"\n');
  const { status, err } = await run();
  expect(status).toBe(1);
  expect(err).toContain("unknown key 'fromat' in [report]: did you mean 'format'?");
  expect(existsSync(join(state, 'report', day(), 'report.txt'))).toBe(true);
});

test('wrong usage is told, each with what was expected', async () => {
  const wrong = [
    [['--day', '2026-02-30'], 'expected --day YYYY-MM-DD, not "2026-02-30"'],
    [['--month', '2026'], 'expected --month YYYY-MM, not "2026"'],
    [['--day', '--week'], 'expected one of --day, --week, --month, --from with --to'],
    [['--to', '2026-01-01'], 'expected --from with --to'],
    [['--from', '2026-01-02', '--to', '2026-01-01'], 'expected --from before --to: found 2026-01-02 and 2026-01-01'],
  ] as const;
  const ended = await Promise.all(wrong.map(([args]) => run(...args, '--print')));
  expect(ended.map(({ status, err }) => [status, err.trim()])).toEqual(wrong.map(([, message]) => [3, message]));
});

test('runmonitor -r is the same command', async () => {
  records(day());
  const env = { TZ: 'UTC', HEALTHMON_CONFIG: config, HEALTHMON_STATE: state };
  const [one, other] = await Promise.all(
    ['runmonitor', 'check_rndtrip'].map(command => startCommand(command, ['-r', '--print', '--format', 'csv'], env).ended),
  );
  expect(one?.out).toBe(other?.out);
  expect(one?.out.split('\n')).toHaveLength(283);
});

test('two runs at once make one report', async () => {
  records(day());
  alarmsCfg(await openRelay());
  const ended = await Promise.all([run(), run(), run()]);
  expect(letters).toHaveLength(2);
  expect(ended.map(({ status }) => status).filter(status => status !== 0 && status !== 3)).toEqual([]);
});
