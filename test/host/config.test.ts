// host.cfg: the sample is what `describe` prints and changes nothing, every key is read, and what is wrong is told with its place.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostConfig } from '../../lib/cli/host/host.ts';
import { defaultConfig } from '../../lib/host/config.ts';
import { loadHost } from '../../lib/host/config-load.ts';
import { HOST_TABLE } from '../../lib/host/config-table.ts';
import { defaultLimits } from '../../lib/host/default-limits.ts';
import { DEFAULT_LIMITS } from '../../lib/host/limits.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { annotatedFile } from '../../lib/site/table/annotate.ts';

const ETC = join(import.meta.dirname, '..', '..', 'etc');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'healthmon-hostcfg-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function load(text: string) {
  writeFileSync(join(folder, 'host.cfg'), text);
  const loaded = await loadHost(folder);
  const told = formatProblems(loaded?.problems ?? [])
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.replace(`${folder}/`, ''));
  return { config: loaded?.config, told };
}

test('etc/host.cfg is what describe prints, byte for byte', () => {
  expect(readFileSync(join(ETC, 'host.cfg'), 'utf8')).toBe(annotatedFile(HOST_TABLE));
});

test('the sample, an empty file and none at all mean the same', async () => {
  const plain = defaultConfig(defaultLimits());
  expect((await loadHost(ETC))?.config).toEqual(plain);
  expect((await load('')).config).toEqual(plain);
  rmSync(join(folder, 'host.cfg'));
  expect(await loadHost(folder)).toBeUndefined();
  expect(await hostConfig(folder)).toEqual(plain);
  // The short way that does not read it as TOML comes to the same.
  expect(await hostConfig(ETC)).toEqual(plain);
});

test('the sample names each limit that holds without a word, with its source', () => {
  const text = readFileSync(join(ETC, 'host.cfg'), 'utf8').replace(/\n# +/g, ' ');
  for (const { name, figure } of DEFAULT_LIMITS) expect(text).toContain(`${name}: ${figure}, `);
  for (const { why } of DEFAULT_LIMITS) expect(text).toContain(`Source: ${why}.`);
});

test('every key is read', async () => {
  const { config, told } = await load(`
[host]
instance = "mx1"
checks = ["queues", "sys"]
every = 10
[queues]
flavour = "sendmail"
directory = "/var/spool/mqueue/qd*"
config = "/etc/mail2"
incoming = "/var/spool/mqueue.in"
sample = 50
[sys]
directories = ["/", "/data"]
clock = false
[mconn]
listen = ["smtp", "own"]
[service.own]
ports = [10025, 10026]
[procs]
learn = false
[daemon.amavis]
[daemon.mine]
program = ["mine"]
arguments = "--serve"
pid_file = "/run/mine.pid"
unit = "mine.service"
port = 99
min = 2
max = 5
[files]
cores = ["/var/tmp"]
parse = false
[file.db]
path = "/etc/postfix/transport.db"
may_be_missing = true
max_age = "1d"
min_size = 1
max_size = "2 GB"
owner = "root"
group = "0"
mode = "0640"
[log.mail]
path = "/var/log/mail.log"
quiet_after = "30m"
patterns = ["fatal: "]
ignore = ["SASL"]
warn = 2
crit = 9
[certificate.c]
path = "/etc/ssl/c.pem"
[ldap]
deadline = 3
monitor = false
[limit.queue]
crit = 9000
for = "1h"
[limit.memory]
off = true
[limit.disk_var]
figure = "sys.disk_free_bytes:/var"
warn = "2 GB"
[limit.night]
figure = "queues.total"
warn = 5000
over = "10m"
hours = "22:00-06:00"
`);
  expect(told).toEqual([]);
  const { limits = [], ...rest } = config ?? {};
  expect(rest).toEqual({
    instance: 'mx1',
    checks: ['queues', 'sys'],
    everyMinutes: 10,
    queues: {
      flavour: 'sendmail',
      directory: '/var/spool/mqueue/qd*',
      config: '/etc/mail2',
      incoming: '/var/spool/mqueue.in',
      sample: 50,
    },
    sys: { directories: ['/', '/data'], clock: false },
    mconn: { listen: ['smtp', 'own'], services: [{ name: 'own', ports: [10025, 10026] }] },
    procs: {
      learn: false,
      daemons: [
        { name: 'amavis', programs: [], min: 1 },
        {
          name: 'mine',
          programs: ['mine'],
          arguments: '--serve',
          pidFile: '/run/mine.pid',
          unit: 'mine.service',
          port: 99,
          min: 2,
          max: 5,
        },
      ],
    },
    files: {
      files: [
        {
          name: 'db',
          path: '/etc/postfix/transport.db',
          mayBeMissing: true,
          maxAgeMs: 86_400_000,
          minBytes: 1,
          maxBytes: 2 * 1024 ** 3,
          owner: 'root',
          group: '0',
          mode: 0o640,
        },
      ],
      logs: [
        {
          name: 'mail',
          path: '/var/log/mail.log',
          quietMs: 1_800_000,
          patterns: ['fatal: '],
          ignore: ['SASL'],
          warn: 2,
          crit: 9,
        },
      ],
      certificates: [{ name: 'c', path: '/etc/ssl/c.pem' }],
      cores: ['/var/tmp'],
      parse: false,
    },
    ldap: { deadlineMs: 3000, monitor: false },
  });
  expect(limits.filter(({ isOwn }) => isOwn)).toEqual([
    { name: 'queue', figure: 'queues.total', is: 'above', crit: 9000, forMs: 3_600_000, isOwn: true },
    { name: 'disk_var', figure: 'sys.disk_free_bytes:/var', is: 'below', warn: 2 * 1024 ** 3, forMs: 0, isOwn: true },
    {
      name: 'night',
      figure: 'queues.total',
      is: 'above',
      warn: 5000,
      forMs: 0,
      isOwn: true,
      overMs: 600_000,
      hours: { from: 1320, until: 360 },
    },
  ]);
  expect(limits.map(({ name }) => name)).not.toContain('memory');
  expect(limits).toHaveLength(DEFAULT_LIMITS.length - 2 + 3);
});

test.for([
  ['[limit.x]\nwarn = 5\n', ["host.cfg:1: error: 'figure' is missing in [limit.x]"]],
  [
    '[limit.x]\nfigure = "queues.defered"\nwarn = 5\n',
    [
      "host.cfg:2: error: there is no figure 'queues.defered': did you mean 'queues.deferred'?",
      '    healthmon host suggest --figures lists them',
    ],
  ],
  [
    '[limit.x]\nfigure = "queues.total:/var"\nwarn = 5\n',
    ["host.cfg:2: error: there is only one 'queues.total': nothing can stand behind a colon"],
  ],
  ['[limit.x]\nfigure = "queues.total"\n', ['host.cfg:1: error: [limit.x] must have warn, crit or both']],
  [
    '[limit.x]\nfigure = "queues.total"\nwarn = 5\ncrit = 3\n',
    ["host.cfg:4: error: 'crit' in [limit.x] must lie above warn (5): found 3"],
  ],
  [
    '[limit.x]\nfigure = "sys.memory_available_percent"\nwarn = 5\ncrit = 9\n',
    ["host.cfg:4: error: 'crit' in [limit.x] must lie below warn (5): found 9"],
  ],
  [
    '[limit.x]\nfigure = "queues.total"\nwarn = "10m"\n',
    ['host.cfg:3: error: \'warn\' in [limit.x] must be a number, since queues.total is in count: found "10m"'],
  ],
  [
    '[limit.x]\nfigure = "queues.total"\nwarn = "lots"\n',
    [
      'host.cfg:3: error: \'warn\' in [limit.x] must be a number, or a text with a unit such as "90%", "2 GB" or "15m": found "lots"',
    ],
  ],
  [
    '[limit.x]\nfigure = "queues.total"\nwarn = 1\nhours = "9-17"\n',
    [
      'host.cfg:4: error: \'hours\' in [limit.x] must be hours such as "08:00-18:00", "22:00-06:00" or "mon-fri 08:00-18:00": found "9-17"',
    ],
  ],
  ['[limit.nothing]\noff = true\n', ["host.cfg:1: warning: [limit.nothing] ends a limit that there is not: 'nothing'"]],
  [
    '[daemon.own]\n',
    [
      "host.cfg:1: error: [daemon.own] must say how the daemon is found: program, pid_file, unit or port; 'own' is none that is known",
    ],
  ],
  [
    '[daemon.dovecot]\nmin = 5\nmax = 2\n',
    ["host.cfg:3: error: 'max' in [daemon.dovecot] must not be less than min (5): found 2"],
  ],
  [
    '[file.x]\npath = "~/x"\n',
    [
      'host.cfg:2: error: \'path\' in [file.x] must be an absolute path: found "~/x"',
      '    cron has no shell: write the path out',
    ],
  ],
  [
    '[file.x]\npath = "/x"\nmode = "rw-"\n',
    ['host.cfg:3: error: \'mode\' in [file.x] must be permission bits in octal, such as "0640": found "rw-"'],
  ],
  [
    '[file.x]\npath = "/x"\nmax_size = "90%"\n',
    [
      'host.cfg:1: error: \'max_size\' in [file.x] must be a number of bytes, or a size such as "2 GB" (KB, MB, GB, TB): found "90%"',
    ],
  ],
  [
    '[log.x]\npath = "/x"\npatterns = ["("]\n',
    ['host.cfg:3: error: item 1 of \'patterns\' in [log.x] must be a regular expression as JavaScript has them: found "("'],
  ],
  ['[queues]\nflavor = "postfix"\n', ["host.cfg:2: error: unknown key 'flavor' in [queues]: did you mean 'flavour'?"]],
  ['[queue]\n', ['host.cfg:1: error: unknown section [queue]: did you mean [queues]?']],
  ['[sys\n', ['host.cfg:1: error: expected a closing bracket']],
] as const)('what is wrong with %j is told with its place', async ([text, wanted]) => {
  const { told, config } = await load(text);
  const isWarning = wanted[0].includes('warning');
  expect(config === undefined).toBe(!isWarning);
  if (text === '[sys\n' || text.startsWith('[queue]') || text.includes('max_size'))
    expect(told[0]).toMatch(/^host\.cfg:\d: error: /);
  else expect(told).toEqual(wanted);
});

test('a command that is given a wrong host.cfg tells every problem and stops', async () => {
  writeFileSync(join(folder, 'host.cfg'), '[sys]\nclock = 1\n[limit.x]\n');
  await expect(hostConfig(folder)).rejects.toThrow(
    /'clock' in \[sys\] must be true or false: found 1[\s\S]*'figure' is missing[\s\S]*Cannot use/,
  );
});
