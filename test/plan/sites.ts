// Sites of any size for the arithmetic of a plan, as text and as what lib/site makes of it.

import type { Sequence } from '../../lib/model/sequence.ts';
import type { Site } from '../../lib/model/site.ts';
import { loadSite } from '../../lib/site/load.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { folderWith, KEY } from '../site/folder.ts';

export type Doors = 'both' | 'pop3' | 'imap';

export interface Shape {
  readonly mtas: number;
  /** One for each MMP: the doors that it has. */
  readonly mmps: readonly Doors[];
  /** One for each store: how many accounts are on it. */
  readonly accounts: readonly number[];
  /** In front of all MTAs, and in front of all MMPs. */
  readonly smtpBalancer?: boolean;
  readonly popBalancer?: boolean;
  /** An account beside those tested, which takes the bounces. */
  readonly bounce?: boolean;
  readonly interval?: number;
  /** Whether the stores have doors of their own. Default true. */
  readonly storeDoors?: boolean;
  /** Lines at the end of [site], and below everything. */
  readonly more?: { readonly site?: string; readonly mta?: string; readonly mmp?: string; readonly below?: string };
}

export function numbered(word: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${word}${String(n + 1).padStart(2, '0')}`);
}

/** MTAs out01…, MMPs mux01…, stores ims01… with accounts ims01, ims01-2, ims01-3…; balancers smtp and pop. */
export function siteText(shape: Shape): string {
  const { mtas, mmps, accounts, smtpBalancer, popBalancer, bounce, interval = 5, storeDoors = true, more = {} } = shape;
  const outs = numbered('out', mtas);
  const muxes = numbered('mux', mmps.length);
  const stores = numbered('ims', accounts.length);
  const members = (kind: string, names: readonly string[]) => names.map(name => `"${kind}/${name}"`).join(', ');
  const blocks = [
    `[site]\nname = "Test"\ndomain = "example.com"\ninterval = ${interval}\n${bounce === true ? 'sender = "bounce"\n' : ''}${more.site ?? ''}`,
    ...outs.map(name => `[mta.${name}]\nhost = "${name}.example.com"\n${more.mta ?? ''}`),
    ...muxes.map((name, n) => `[mmp.${name}]\n${doorLines(mmps[n] ?? 'both')}${more.mmp ?? ''}`),
    ...stores.flatMap((name, n) => [
      `[store.${name}]\naddress = "${name}@example.com"\npassword_file = "secrets/x"\n${storeDoors ? `${doorLines('both')}lmtp = {}\n` : ''}`,
      ...numbered('', accounts[n] ?? 1)
        .slice(1)
        .map(
          (_, m) =>
            `[account.${name}-${m + 2}]\nstore = "${name}"\naddress = "${name}-${m + 2}@example.com"\npassword_file = "secrets/x"\n`,
        ),
    ]),
    bounce === true ? '[account.bounce]\nstore = "ims01"\naddress = "bounce@example.com"\npassword_file = "secrets/x"\n' : '',
    smtpBalancer === true ? `[balancer.smtp]\nsmtp = {}\nmembers = [${members('mta', outs)}]\n` : '',
    popBalancer === true ? `[balancer.pop]\npop3 = {}\nimap = {}\nmembers = [${members('mmp', muxes)}]\n` : '',
    more.below ?? '',
  ];
  return blocks.join('\n');
}

function doorLines(doors: Doors): string {
  return `${doors === 'imap' ? '' : 'pop3 = {}\n'}${doors === 'pop3' ? '' : 'imap = {}\n'}`;
}

/** Loads a site with a sequence; both must be right. @returns with what was only warned of */
export async function load(
  site: Shape | string,
  sequence: string,
): Promise<{ readonly site: Site; readonly sequence: Sequence; readonly warnings: readonly string[] }> {
  const text = typeof site === 'string' ? site : siteText(site);
  const dir = await folderWith({ 'site.cfg': text, 'sequence.cfg': sequence, 'site.key': KEY, 'secrets/x': 'x\n' });
  const found = await loadSite(dir, { secrets: false });
  if (found.site === undefined || found.sequence === undefined) throw new Error(formatProblems(found.problems));
  return { site: found.site, sequence: found.sequence, warnings: found.problems.map(({ text: warning }) => warning) };
}

/** The site alone; no sequence is read. */
export async function loadShape(shape: Shape): Promise<Site> {
  const dir = await folderWith({ 'site.cfg': siteText(shape), 'site.key': KEY, 'secrets/x': 'x\n' });
  const { site, problems } = await loadSite(dir, { secrets: false, withoutSequence: true });
  if (site === undefined) throw new Error(formatProblems(problems));
  return site;
}
