// The generic part: any TOML file from one table. It is shown here with a table that has nothing to do with mail sites, as
// another room would bring its own.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatProblems, inOrder, type Problem, reporterFor } from '../../lib/site/problem.ts';
import { annotatedFile, tomlText } from '../../lib/site/table/annotate.ts';
import { defaulted, type FileTable, optional, required, section } from '../../lib/site/table/field.ts';
import { list, oneOf, text, truth, whole } from '../../lib/site/table/form.ts';
import { didYouMean, nearest } from '../../lib/site/table/nearest.ts';
import { readTable, record } from '../../lib/site/table/read.ts';
import { readToml } from '../../lib/site/table/toml.ts';

const GATE = section({
  shape: 'once',
  isRequired: true,
  help: 'When to speak up.',
  fields: {
    after: defaulted(whole({ min: 1, max: 10 }), 3, { help: 'Failures before an alarm.' }),
    quiet: defaulted(truth(), false, { help: 'Whether to say nothing.' }),
  },
  samples: [{ set: {} }],
});

const CHANNEL = section({
  shape: 'named',
  help: 'Where alarms go.',
  fields: {
    kind: required(oneOf('mail', 'page'), { help: 'What it is.', sample: 'mail' }),
    to: required(list(text('an address'), { min: 1, of: 'addresses' }), { help: 'Who gets it.', sample: ['a@example.com'] }),
    hours: optional(record({ from: required(whole({ min: 0, max: 23 }), { help: 'First hour.', sample: 8 }) }), {
      help: 'When.',
      otherwise: 'always',
      sample: { from: 8 },
    }),
  },
  samples: [{ name: 'ops', set: { kind: 'mail', to: ['ops@example.com'] } }],
  rules(entry, report) {
    if (entry.draft.kind === 'page' && entry.draft.hours === undefined)
      report.warning(entry.place, `${entry.label} pages by night`);
  },
});

const TABLE: FileTable<{ gate: typeof GATE; channel: typeof CHANNEL }> = {
  intro: '# alarms.cfg',
  sections: { gate: GATE, channel: CHANNEL },
};

function read(source: string) {
  const problems: Problem[] = [];
  const report = reporterFor('alarms.cfg', problems);
  const toml = readToml(source);
  if ('fault' in toml) throw new Error(toml.fault.text);
  const contents = readTable(TABLE, toml.root, report);
  return { contents, told: formatProblems(inOrder(problems)).split('\n') };
}

test('readTable() gives typed values with defaults', () => {
  const { contents, told } = read('[gate]\nafter = 5\n[channel.ops]\nkind = "page"\nto = ["x"]\nhours = { from = 8 }\n');
  expect(told).toEqual(['']);
  const [gate] = contents.gate;
  const [channel] = contents.channel;
  const after: number | undefined = gate?.values?.after;
  const hour: number | undefined = channel?.values?.hours?.from;
  expect({ after, hour, quiet: gate?.values?.quiet, to: channel?.values?.to, name: channel?.name }).toEqual({
    after: 5,
    hour: 8,
    quiet: false,
    to: ['x'],
    name: 'ops',
  });
});

test('readTable() runs the rules of a section, and gives no values where something is wrong', () => {
  const { contents, told } = read('[gate]\nquiet = 1\n[channel.ops]\nkind = "page"\nto = []\n');
  expect(told).toEqual([
    "alarms.cfg:2: error: 'quiet' in [gate] must be true or false: found 1",
    'alarms.cfg:3: warning: [channel.ops] pages by night',
    "alarms.cfg:5: error: 'to' in [channel.ops] must be a list of addresses, at least 1: found 0",
  ]);
  expect(contents.gate[0]?.values).toBeUndefined();
  expect(contents.gate[0]?.draft).toEqual({ after: 3 });
});

test.for(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'readTable() knows no section or key by the name %s',
  name => {
    const { told } = read(
      `[gate]\n${name} = 1\n[${name}]\nx = 1\n[channel.ops]\nkind = "mail"\nto = ["x"]\nhours = { ${name} = 1, from = 1 }\n`,
    );
    expect(told.filter(line => !line.startsWith(' '))).toEqual([
      `alarms.cfg:2: error: unknown key '${name}' in [gate]`,
      `alarms.cfg:3: error: unknown section [${name}]`,
      `alarms.cfg:8: error: unknown key '${name}' in 'hours' in [channel.ops]`,
    ]);
  },
);

test('reporterFor() lets no text through that could write to a terminal, or without end', () => {
  const problems: Problem[] = [];
  reporterFor('x.cfg', problems).error({ line: 1, column: 2 }, `\x1b[2J${'x'.repeat(10_000)}`, 'a\nb');
  expect(problems).toEqual([
    { file: 'x.cfg', line: 1, column: 2, severity: 'error', text: `\\x1b[2J${'x'.repeat(590)}...`, remedy: 'a\\x0ab' },
  ]);
});

test('annotatedFile() is valid by its own table', () => {
  const { told } = read(annotatedFile(TABLE));
  expect(told).toEqual(['']);
});

test('annotatedFile() explains keys with their values and defaults', () => {
  expect(annotatedFile(TABLE)).toBe(`# alarms.cfg


#-------------------------------------------------------------------------------------------------------------
# When to speak up.

[gate]
# Failures before an alarm.
#   Value: a whole number from 1 to 10. Default: 3.
#after = 3

# Whether to say nothing.
#   Value: true or false. Default: false.
#quiet = false


#-------------------------------------------------------------------------------------------------------------
# Where alarms go.

[channel.ops]
# What it is.
#   Value: "mail" or "page". Required.
kind = "mail"

# Who gets it.
#   Value: a list of addresses. Required.
to = ["ops@example.com"]

# When.
#   Value: a small table. Default: always.
#     from  First hour. Value: a whole number from 0 to 23. Required.
#hours = { from = 8 }
`);
});

test('tomlText() writes texts that TOML reads back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), words => {
      const toml = readToml(`x = ${tomlText(words)}`);
      const value = 'root' in toml ? toml.root.entries.get('x')?.value : undefined;
      expect(value).toMatchObject({ kind: 'text', text: words });
    }),
  );
  expect(tomlText('a\u{7f}b')).toBe('"a\\u007fb"');
});

test('the generic part imports nothing of the site', () => {
  const folder = join(import.meta.dirname, '..', '..', 'lib', 'site', 'table');
  const imports = readdirSync(folder).flatMap(file =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/from '([^']+)'/g)].map(match => match[1]),
  );
  const allowed = /^(?:\.\/[a-z]+\.ts|\.\.\/problem\.ts|\.\.\/\.\.\/model\/printable\.ts|valibot|toml-eslint-parser)$/;
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter(from => !allowed.test(from ?? ''))).toEqual([]);
});

test.for([
  ['prot', ['host', 'port'], 'port'],
  ['Port', ['host', 'port'], 'port'],
  ['hsot', ['host', 'port'], 'host'],
  ['passwordfile', ['password_file', 'password_env'], 'password_file'],
  ['directory/ldpa1', ['directory/ldap1', 'directory/ldap2'], 'directory/ldap1'],
  ['ims', ['ims1', 'ims2'], 'ims1'],
  ['x', ['y'], undefined],
  ['colour', ['host', 'port'], undefined],
  ['', ['a'], undefined],
  ['a'.repeat(100_000), ['host'], undefined],
] as const)('nearest() takes %j for one of %j', ([found, known, name]) => {
  expect(nearest(found, known)).toBe(name);
});

test('didYouMean() is empty when nothing is near', () => {
  expect([didYouMean('prot', ['port']), didYouMean('zzz', ['port'])]).toEqual([": did you mean 'port'?", '']);
});
