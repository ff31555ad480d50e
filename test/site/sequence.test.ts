// sequence.cfg line by line: what is taken, and that what is written comes back. What is refused stands in bad/.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatProblems, type Problem, reporterFor } from '../../lib/site/problem.ts';
import { formatSequence, parseSequence } from '../../lib/site/sequence.ts';

function parse(text: string | Buffer) {
  const problems: Problem[] = [];
  const entries = parseSequence(Buffer.from(text), reporterFor('sequence.cfg', problems));
  return { entries: entries.map(({ places: _, ...entry }) => entry), told: formatProblems(problems) };
}

const ENTRY = { minute: 5, account: 'ims1', mta: 'ssmtp01', mmp: 'smux01' };

test.for([
  ['as in the seed', '05 DMSG -u ims1 -s ssmtp01 -p smux01\n'],
  ['without a line end', '05 DMSG -u ims1 -s ssmtp01 -p smux01'],
  ['with CRLF', '05 DMSG -u ims1 -s ssmtp01 -p smux01\r\n'],
  ['with tabs', '05\tDMSG\t-u\tims1\t-s\tssmtp01\t-p\tsmux01\n'],
  ['with blanks around', '   05  DMSG  -u  ims1  -s  ssmtp01  -p  smux01 \t \n'],
  ['with blanks before CRLF', '05 DMSG -u ims1 -s ssmtp01 -p smux01  \r\n'],
  ['with a byte order mark', '\u{feff}05 DMSG -u ims1 -s ssmtp01 -p smux01\n'],
  ['with the options in another order', '05 DMSG -p smux01 -u ims1 -s ssmtp01\n'],
  ['with a remark behind', '05 DMSG -u ims1 -s ssmtp01 -p smux01 # -m imap "quotes\n'],
  ['with a remark close behind', '05 DMSG -u ims1 -s ssmtp01 -p smux01\t#\n'],
])('parseSequence() takes an entry %s', ([, text]) => {
  expect(parse(text ?? '')).toEqual({ entries: [{ ...ENTRY, line: 1 }], told: '' });
});

test('parseSequence() counts lines through remarks and empty lines', () => {
  const text = '# <minute> DMSG\r\n\r\n  # -u nobody \x07\n\n05 DMSG -u ims1 -s ssmtp01 -p smux01 -m imap\n\n';
  expect(parse(text)).toEqual({ entries: [{ ...ENTRY, mailbox: 'imap', line: 5 }], told: '' });
});

test('parseSequence() does not mind what encoding a remark is in', () => {
  const text = Buffer.concat([
    Buffer.from([0x23, 0xe4, 0xff, 0x0a]),
    Buffer.from('05 DMSG -u ims1 -s ssmtp01 -p smux01 #'),
    Buffer.from([0xfc]),
  ]);
  expect(parse(text)).toEqual({ entries: [{ ...ENTRY, line: 2 }], told: '' });
});

test('parseSequence() takes a remark after a byte order mark', () => {
  expect(parse('\u{feff}# x\n')).toEqual({ entries: [], told: '' });
});

test('parseSequence() tells every bad line, and keeps the good ones', () => {
  const { entries, told } = parse('61 DMSG -u a -s b -p c\n05 DMSG -u ims1 -s ssmtp01 -p smux01\n10 DMSG -u a\n');
  expect(entries).toEqual([{ ...ENTRY, line: 2 }]);
  expect(told.split('\n').filter(line => !line.startsWith(' '))).toEqual([
    "sequence.cfg:1: error: expected a minute from 00 to 59: found '61'",
    'sequence.cfg:3: error: the entry has no -s <mta>, -p <mmp>',
  ]);
});

test('parseSequence() tells each thing that is wrong with one line', () => {
  const { told } = parse('x DMSF -u -m pop -q 1\n');
  expect(told.split('\n').filter(line => !line.startsWith(' '))).toEqual([
    "sequence.cfg:1: error: expected a minute from 00 to 59: found 'x'",
    "sequence.cfg:1: error: unknown word 'DMSF': did you mean 'DMSG'?",
    'sequence.cfg:1: error: expected an account after -u: found -m',
    "sequence.cfg:1: error: expected pop3 or imap after -m: found 'pop': did you mean 'pop3'?",
    "sequence.cfg:1: error: unknown word '-q'",
  ]);
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
const entry = fc.record(
  {
    minute: fc.integer({ min: 0, max: 59 }),
    account: name,
    mta: name,
    mmp: name,
    mailbox: fc.constantFrom('pop3' as const, 'imap' as const),
  },
  { requiredKeys: ['minute', 'account', 'mta', 'mmp'] },
);

test('parseSequence() reads back whatever formatSequence() writes', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), entries => {
      const numbered = entries.map((one, i) => ({ ...one, line: i + 1 }));
      expect(parse(formatSequence(numbered))).toEqual({ entries: numbered, told: '' });
    }),
    { numRuns: 500 },
  );
});

test('formatSequence() writes the grammar of the seed', () => {
  expect(
    formatSequence([
      { ...ENTRY, line: 1 },
      { ...ENTRY, minute: 55, mailbox: 'pop3', line: 2 },
    ]),
  ).toBe('05 DMSG -u ims1 -s ssmtp01 -p smux01\n55 DMSG -u ims1 -s ssmtp01 -p smux01 -m pop3\n');
});
