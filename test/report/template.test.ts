// Templates: what is wrong with one is told with file, line, column and the nearest known name, before it is rendered; and none sees
// anything but the report.

import { expect, test } from 'vitest';
import { REPORT } from '../../lib/report/data.ts';
import { checkFormat } from '../../lib/report/format-check.ts';
import type { Format } from '../../lib/report/formats.ts';
import { BLOCKS, HELPERS } from '../../lib/report/helpers.ts';
import { BrokenFormat, renderReport } from '../../lib/report/render.ts';
import { sampleReport } from '../../lib/report/sample.ts';
import type { Shape } from '../../lib/report/shape.ts';
import { formatProblems } from '../../lib/site/problem.ts';

function formatOf(text: string, over: { html?: string; partials?: Record<string, string> } = {}): Format {
  const { html, partials = {} } = over;
  return {
    name: 'mine',
    about: '',
    origin: 'plugin',
    folder: '/nowhere',
    ...(html === undefined ? { text: { file: 'mine.hbs', text } } : { html: { file: 'mine.hbs', text: html } }),
    partials: new Map(Object.entries(partials).map(([name, each]) => [name, { file: `${name}.hbs`, text: each }])),
    extension: 'txt',
    media: 'text/plain',
  };
}

const BAD = sampleReport('bad', '0.1.0');
/** Without columns, which have a test of their own. */
const told = (format: Format) =>
  formatProblems(checkFormat(format))
    .replace(/error: column \d+: /g, 'error: ')
    .split('\n');

async function rendered(text: string, over?: Parameters<typeof formatOf>[1]): Promise<string> {
  const { text: plain, html } = await renderReport(formatOf(text, over), BAD, () => 'cid:1');
  return plain ?? html ?? '';
}

test.for([
  ['{{whole.total.p59}}', "mine.hbs:1: error: there is no field 'p59' in 'whole.total': did you mean 'p50'?"],
  ['\n\n  {{#each pahts}}{{/each}}', "mine.hbs:3: error: there is no field 'pahts' here: did you mean 'paths'?"],
  ['{{#if wohle.trips}}{{/if}}', "mine.hbs:1: error: there is no field 'wohle' here: did you mean 'whole'?"],
  ['{{#each paths}}{{lable}}{{/each}}', "mine.hbs:1: error: there is no field 'lable' here: did you mean 'label'?"],
  ['{{#each paths as |p|}}{{p.lable}}{{/each}}', "mine.hbs:1: error: there is no field 'lable' in 'p': did you mean 'label'?"],
  ['{{paths.label}}', "mine.hbs:1: error: 'paths' is a list: 'label' is a field of its items"],
  ['{{paths}}', "mine.hbs:1: error: 'paths' is a list"],
  ['{{#each whole}}{{/each}}', 'mine.hbs:1: error: #each goes through a list: found something with parts'],
  ['{{compare.before.trips}}', "mine.hbs:1: error: 'compare.before' may be null: null when that period has no trips"],
  [
    '{{#unless compare.before}}{{compare.before.trips}}{{/unless}}',
    "mine.hbs:1: error: 'compare.before' may be null: null when that period has no trips",
  ],
  ['{{spam whole.trips}}', "mine.hbs:1: error: there is no helper 'spam': did you mean 'span'?"],
  ['{{span "x"}}', "mine.hbs:1: error: 'span' wants a number here: found text"],
  ['{{span}}', "mine.hbs:1: error: 'span' takes 1 values: found 0"],
  ['{{#whole}}{{/whole}}', "mine.hbs:1: error: there is no block 'whole'"],
  ['{{log "x"}}', "mine.hbs:1: error: there is no helper 'log'"],
  ['{{lookup this "x"}}', "mine.hbs:1: error: there is no helper 'lookup'"],
  ['{{constructor}}', "mine.hbs:1: error: there is no field 'constructor' here"],
  ['{{__proto__.polluted}}', "mine.hbs:1: error: there is no field '__proto__' here"],
  ['{{whole.toString}}', "mine.hbs:1: error: there is no field 'toString' in 'whole'"],
  ['{{@root.process.env}}', "mine.hbs:1: error: there is no field 'process' here"],
  ['{{@index}}', "mine.hbs:1: error: there is no '@index' here"],
  ['{{../site}}', "mine.hbs:1: error: '../' leads out of the report"],
  ['{{> missing}}', "mine.hbs:1: error: there is no partial 'missing'"],
  ['{{> (upper site.name)}}', 'mine.hbs:1: error: a partial is called by its name'],
  ['{{#*inline "x"}}{{/inline}}', 'mine.hbs:1: error: inline partials are not taken'],
  ['{{#if whole.trips}}', 'mine.hbs:1: error: the template ends inside a block: a {{/...}} is missing'],
  ['a\nb {{#if whole.trips}}c{{/each}}', "mine.hbs:2: error: if doesn't match each"],
  ['{{whole.trips', 'mine.hbs:1: error: cannot read what stands between the braces'],
  ['{{"x"}}', 'mine.hbs:1: error: a text or number stands alone between braces'],
  ['{{chart @root ""}}', "mine.hbs:1: error: 'chart' has no use in a text: it is for HTML"],
] as const)('%s is told', ([text, message]) => {
  expect(told(formatOf(text))[0]).toBe(message);
});

test('three braces have no place in HTML', () => {
  expect(told(formatOf('', { html: '<p>{{{site.name}}}</p>' }))[0]).toBe(
    'mine.hbs:1: error: three braces write text as it is into HTML',
  );
});

test('a problem has its column, and in a partial the partial’s own place', () => {
  const [inPartial] = checkFormat(
    formatOf('{{#each paths}}{{> row}}{{/each}}', { partials: { row: '\n  {{trips}} {{tirps}}' } }),
  );
  expect(inPartial).toMatchObject({ file: 'row.hbs', line: 2, column: 15 });
  expect(inPartial?.text).toBe("column 15: there is no field 'tirps' here: did you mean 'trips'?");
  const [syntax] = checkFormat(formatOf('abc\ndef {{#if}}x{{/if}}'));
  expect(syntax).toMatchObject({ line: 2 });
  const [open] = checkFormat(formatOf('abc\n  {{#each paths}} {{/if}}'));
  expect(open).toMatchObject({ line: 2, column: 6 });
});

test('a partial that includes itself is told, not followed for ever', () => {
  expect(told(formatOf('{{> a}}', { partials: { a: '{{> b}}', b: '{{> a}}' } }))[0]).toMatch(/partial '[ab]' includes itself$/);
});

test('all problems come at once', () => {
  expect(checkFormat(formatOf('{{a}} {{b}}\n{{c}}')).map(({ line, column }) => [line, column])).toEqual([
    [1, 3],
    [1, 9],
    [2, 3],
  ]);
});

test.for([
  ['{{whole.trips}} {{period.from}}', '281 2026-11-21'],
  ['{{#with whole}}{{trips}} {{../period.from}} {{@root.period.to}}{{/with}}', '281 2026-11-21 2026-11-21'],
  ['{{#each grid.mmps}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', 'smux01,smux02'],
  [
    '{{#each grid.rows as |row i|}}{{i}}{{row.mta}} {{#each row.cells}}{{row.mta}}{{mmp}} {{/each}}{{/each}}',
    '0ssmtp01 ssmtp01smux01 ssmtp01smux02 ',
  ],
  ['{{#if compare.before}}{{compare.before.trips}}{{/if}}', '288'],
  ['{{#with compare.before}}{{trips}}{{/with}}', '288'],
  ['{{#unless compare.usual}}none{{else}}{{compare.usual.days}}{{/unless}}', '4'],
  ['{{#each incidents}}{{#if notices}}{{#each notices}}{{event}} {{/each}}{{/if}}{{/each}}', 'raised cleared '],
  ['{{incidents.length}} {{add incidents.length 1}}', '4 5'],
  ['{{#if (and (gt whole.failed 0) (eq verdict.state "failed"))}}bad{{/if}}', 'bad'],
  ['{{#if (or (gt 0 whole.failed) (not whole.ok))}}a{{else if whole.slow}}b{{/if}}', 'b'],
  ['{{> head title=site.name}}', 'Example Mail 281'],
  ['{{left "abcdef" 4}}|{{right 7 4}}|{{left site.name 14}}|', 'abc~|   7|Example Mail  |'],
  ['{{left "🙂🙂🙂" 2}}|{{right "🙂" 3}}|', '🙂~|  🙂|'],
  ['{{wrap "aa bb cc" 5 2}}', 'aa bb\n  cc'],
  ['{{csv "=1+1"}} {{csv "a,b"}} {{csv "say \\"x\\""}} {{csv 5}}', '\'=1+1 "a,b" "say ""x""" 5'],
  ['{{percentRange 0.945 0.985}} {{percent 0.5 0}} {{fixed 1.25 1}} {{fixed 3}}', '94.5 to 98.5 % 50 % 1.3 3'],
  ['{{change 112 100}} {{change 97 100}} {{change 1 0}} {{change 5 5}}', '+12 % -3 % from none the same'],
  ['{{part 0.001 100}} {{part 0.5 560}} {{part 0 100}}', '1 280 0'],
] as const)('%s gives %s', async ([text, wanted]) => {
  expect((await rendered(text, { partials: { head: '{{title}} {{whole.trips}}' } })).startsWith(wanted)).toBe(true);
});

test('HTML is escaped by its place, text is left as it is', async () => {
  const odd = { ...BAD, site: { ...BAD.site, name: `<b title="x">'{{7}}'&` } };
  const html = await renderReport(formatOf('', { html: '<p title="{{site.name}}">{{site.name}}</p>' }), odd, () => '');
  expect(html.html).toBe(
    '<p title="&lt;b title&#x3D;&quot;x&quot;&gt;&#x27;{{7}}&#x27;&amp;">&lt;b title&#x3D;&quot;x&quot;&gt;&#x27;{{7}}&#x27;&amp;</p>',
  );
  const text = await renderReport(formatOf('{{site.name}}'), odd, () => '');
  expect(text.text).toBe(`<b title="x">'{{7}}'&`);
});

test('the text of a picture is escaped, and the picture is handed to the gallery', async () => {
  const pictures: number[] = [];
  const { html } = await renderReport(
    formatOf('', { html: '{{chart @root "a\'<\'b"}}{{#each paths}}{{sparkline trend 1000 label}}{{/each}}' }),
    BAD,
    ({ png }) => `cid:${pictures.push(png.length)}`,
  );
  expect(html).toContain('<img src="cid:1" width="520" height="132" alt="a&#x27;&lt;&#x27;b" style="display:block;border:0">');
  expect(pictures).toHaveLength(25);
});

test('a template cannot change the report, nor see more of it than its fields', async () => {
  const report = sampleReport('quiet', '0.1.0');
  const before = JSON.stringify(report);
  await renderReport(formatOf('{{json this}}'), report, () => '');
  expect(JSON.stringify(report)).toBe(before);
});

test('a format that does not pass is not rendered at all', async () => {
  await expect(rendered('good {{nope}}')).rejects.toThrow(BrokenFormat);
  await expect(rendered('good {{nope}}')).rejects.toThrow(
    /^Cannot use the format "mine":\nmine\.hbs:1: error: column 8: there is no field 'nope' here/,
  );
});

test('no helper bears the name of a field, or {{name}} could mean two things', () => {
  const names = new Set<string>();
  const collect = (shape: Shape): void => {
    if (shape.kind === 'list' || shape.kind === 'maybe') collect(shape.of);
    if (shape.kind !== 'object') return;
    for (const [name, field] of Object.entries(shape.fields)) {
      names.add(name);
      collect(field);
    }
  };
  collect(REPORT);
  expect([...names].filter(name => Object.hasOwn(HELPERS, name) || BLOCKS.has(name))).toEqual([]);
});
