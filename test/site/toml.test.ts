// What cannot be read as TOML is told where it went wrong, with what was expected there.

import { expect, test } from 'vitest';
import { readToml } from '../../lib/site/table/toml.ts';

const FILE = (broken: string) => `# one\n[site]\nname = "x"\n${broken}\n\n[mta.a]\nhost = "h"\nports = [1, 2]\n`;
const fault = (broken: string) => {
  const read = readToml(FILE(broken));
  return 'fault' in read
    ? [read.fault.place.line, read.fault.text.replace('cannot read as TOML: ', ''), read.fault.remedy ?? '']
    : [];
};

test.each([
  ['deliver = = 5', 4, 'expected a value', /a number, true, false, a text/],
  ['= 5', 4, 'expected a key', /KEY = VALUE/],
  ['deliver 5', 4, 'expected "=" after the key', /KEY = VALUE/],
  ['deliver =', 4, 'expected a value after "=" on the same line', /^$/],
  ['deliver = 5 6', 4, 'there is more on the line after the value', /one key and its value a line/],
  ['deliver = 5,', 4, 'there is more on the line after the value', /one key and its value a line/],
  ['to = abc', 4, 'unexpected character', /a text stands in double quotes/],
  ['to = "abc', 4, 'the text is not closed', /on the same line/],
  ['[store.b', 4, 'the name of a section is not closed', /"\]" on the same line/],
  ['[store.b # far', 4, 'the name of a section is not closed', /"\]" on the same line/],
  ['list = [1, 2', 4, 'the list that begins here is not closed', /ends with "\]"/],
  ['list = [\n  1,\n  2', 4, 'the list that begins here is not closed', /ends with "\]"/],
  ['list = [\n  1 2\n]', 5, 'expected a comma or "]" after a value of a list', /^$/],
] as const)('%j', (broken, line, text, remedy) => {
  const [atLine, said, how] = fault(broken);
  expect([atLine, said]).toEqual([line, text]);
  expect(how).toMatch(remedy);
});
