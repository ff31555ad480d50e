// The daily HTML in a real browser: at 600 pixels and on a telephone, in light and in dark, with pictures and without. Screenshots go to
// $HEALTHMON_SCREENS, else to a folder of their own below the system's one for temporary files.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dress, standalone } from '../../lib/report/dress.ts';
import { type Formats, loadFormats } from '../../lib/report/formats.ts';
import { type SampleName, sampleReport } from '../../lib/report/sample.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const SCREENS = process.env.HEALTHMON_SCREENS ?? join(tmpdir(), 'healthmon-screens');
const ZONE = process.env.TZ;
if (BROWSER === undefined) console.log('report in a browser: skipped, there is no chromium ("apt-get install chromium")');

let formats: Formats;
beforeAll(async () => {
  process.env.TZ = 'Europe/Berlin';
  mkdirSync(SCREENS, { recursive: true });
  formats = await loadFormats({ shipped: join(ROOT, 'reports'), plugins: join(ROOT, 'none') });
});
afterAll(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

/** What the page measures of itself; the report has no script, this copy of it does. */
const MEASURE = `<script>
const light = ([r, g, b]) => { const part = [r, g, b].map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]; };
const rgb = text => (text.match(/[0-9.]+/g) || []).map(Number);
const ground = element => { for (let at = element; at; at = at.parentElement) { const colour = rgb(getComputedStyle(at).backgroundColor); if (colour.length === 3 || colour[3] > 0) return colour; } return [255, 255, 255]; };
const poor = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join(' ').trim();
  if (own === '' || element.offsetParent === null) continue;
  const a = light(rgb(getComputedStyle(element).color)), b = light(ground(element));
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) poor.push(contrast.toFixed(1) + ' ' + own.slice(0, 40));
}
const images = [...document.images];
document.title = JSON.stringify({
  width: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  images: images.length,
  broken: images.filter(image => !image.complete || image.naturalWidth === 0).length,
  text: document.body.innerText.length,
  poor,
});
</script>`;

interface Seen {
  readonly width: number;
  readonly ground: string;
  readonly images: number;
  readonly broken: number;
  readonly text: number;
  readonly poor: readonly string[];
}

function look(name: string, html: string, { width, isDark }: { readonly width: number; readonly isDark: boolean }): Seen {
  const profile = mkdtempSync(join(tmpdir(), 'healthmon-browser-'));
  const page = join(profile, 'page.html');
  writeFileSync(page, html.replace('</body>', `${MEASURE}</body>`));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--hide-scrollbars',
    `--window-size=${width},4700`,
    `--user-data-dir=${profile}`,
    `--blink-settings=preferredColorScheme=${isDark ? 0 : 1}`,
  ];
  const { stdout } = spawnSync(
    BROWSER ?? '',
    [...flags, '--dump-dom', `--screenshot=${join(SCREENS, `${name}.png`)}`, `file://${page}`],
    { encoding: 'utf8', timeout: 60_000 },
  );
  const title = /<title>(.*?)<\/title>/s.exec(stdout)?.[1] ?? '';
  rmSync(profile, { recursive: true, force: true });
  return JSON.parse(title.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
}

async function page(sample: SampleName): Promise<string> {
  const { html = '', pictures } = await dress(sampleReport(sample, '0.1.0'), 'daily', [], formats);
  return standalone(html, pictures);
}

const views = [
  { sample: 'quiet', width: 600, isDark: false },
  { sample: 'bad', width: 600, isDark: false },
  { sample: 'bad', width: 600, isDark: true },
  { sample: 'empty', width: 600, isDark: true },
] as const;

test.skipIf(BROWSER === undefined).for(views)(
  'a $sample day at $width pixels, dark: $isDark, fits, shows every picture, and can be read',
  { timeout: 120_000 },
  async ({ sample, width, isDark }) => {
    const seen = look(`${sample}-${width}-${isDark ? 'dark' : 'light'}`, await page(sample), { width, isDark });
    expect(seen).toMatchObject({ width, broken: 0, poor: [] });
    expect(seen.images > 0).toBe(sample !== 'empty');
    expect(seen.ground).toBe(isDark ? 'rgb(14, 17, 20)' : 'rgb(238, 241, 244)');
  },
);

test.skipIf(BROWSER === undefined)('on a telephone nothing stands out at the side', { timeout: 120_000 }, async () => {
  // The browser has no narrower window than 500 pixels.
  expect(look('bad-500-light', await page('bad'), { width: 500, isDark: false })).toMatchObject({ width: 500, poor: [] });
});

test.skipIf(BROWSER === undefined)('without pictures it says the same', { timeout: 120_000 }, async () => {
  const html = await page('bad');
  const shut = html.replace(/src="data:[^"]*"/g, 'src="cid:nowhere"');
  const open = look('bad-600-pictures', html, { width: 600, isDark: false });
  const closed = look('bad-600-no-pictures', shut, { width: 600, isDark: false });
  expect(closed).toMatchObject({ width: 600, poor: [], images: open.images, broken: open.images });
  expect(closed.text).toBe(open.text);
});
