// Reads and checks a config folder as a whole: site.cfg, sequence.cfg, what they name, and, when asked, every secret.
// All problems of all files come at once; the site is there only when none of them is an error.

import { join, resolve } from 'node:path';
import type { Sequence } from '../model/sequence.ts';
import type { Site } from '../model/site.ts';
import { readAuthorities } from './authorities.ts';
import { buildSite } from './build.ts';
import { checkCautions } from './cautions.ts';
import { takeInventory } from './inventory.ts';
import { inOrder, type Problem, type Reporter, reporterFor } from './problem.ts';
import { decodeUtf8, readConfigFile } from './read-text.ts';
import { checkReferences } from './references.ts';
import { checkSecrets } from './secret-source.ts';
import { type PlacedEntry, parseSequence } from './sequence.ts';
import { checkCoverage, checkSequence } from './sequence-check.ts';
import { SITE_TABLE, type SiteContents } from './site-table.ts';
import { readTable } from './table/read.ts';
import { readToml } from './table/toml.ts';

interface LoadOptions {
  /** Whether to read every secret now, to see that it can be had; otherwise they are read only when they are used. */
  readonly secrets: boolean;
  /** Where password_env, CREDENTIALS_DIRECTORY and a command's PATH, HOME and LANG come from; the process' own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Now, epoch ms; for certificates and maintenance that are over. */
  readonly at?: number;
  /** How long a password_command may take, ms; 10 s when absent. */
  readonly commandMs?: number;
  /** Reads site.cfg alone, for whoever is about to write sequence.cfg; the sequence is then empty. */
  readonly withoutSequence?: boolean;
}

interface LoadedSite {
  /** Both are there when no problem is an error, and neither otherwise. */
  readonly site?: Site;
  readonly sequence?: Sequence;
  /** In the order of the files and lines. */
  readonly problems: readonly Problem[];
}

/**
 * Loads the config in `dir`. Never throws for what is in the files or wrong with them.
 *
 * Secrets are not part of the result: `Login.secret` and `Site.key` read them at the moment of use.
 */
export async function loadSite(dir: string, options: LoadOptions): Promise<LoadedSite> {
  const ofSite: Problem[] = [];
  const ofSequence: Problem[] = [];
  const siteFile = reporterFor(join(dir, 'site.cfg'), ofSite);
  const sequenceFile = reporterFor(join(dir, 'sequence.cfg'), ofSequence);
  const at = options.at ?? Date.now();
  const secrets = {
    dir: resolve(dir),
    env: options.env ?? process.env,
    ...(options.commandMs === undefined ? {} : { commandMs: options.commandMs }),
  };

  const contents = readSiteFile(join(dir, 'site.cfg'), siteFile);
  const entries = options.withoutSequence === true ? [] : readSequenceFile(join(dir, 'sequence.cfg'), sequenceFile);
  if (contents === undefined) return { problems: inOrder([...ofSite, ...ofSequence]) };

  const inventory = takeInventory(contents);
  checkReferences(contents, inventory, siteFile);
  checkCautions(contents, at, siteFile);
  const authorities = readAuthorities(dir, authorityUses(contents), at, siteFile);
  if (options.secrets) await checkSecrets(contents, secrets, siteFile);
  const sequence = entries === undefined ? undefined : checkSequence(entries, contents, inventory, sequenceFile);
  // While lines of the sequence are wrong, what they would have used is not known.
  if (sequence !== undefined && sequence.length > 0 && !ofSequence.some(isError))
    checkCoverage(sequence, contents, inventory, siteFile);

  const problems = inOrder([...ofSite, ...ofSequence]);
  const site = problems.some(isError) ? undefined : buildSite(contents, { inventory, authorities, secrets });
  return { problems, ...(site === undefined || sequence === undefined ? {} : { site, sequence }) };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

function readSiteFile(path: string, report: Reporter): SiteContents | undefined {
  const file = readConfigFile(path, report, 'healthmon init DIR writes a working set of files');
  if (file === undefined) return undefined;
  if (file.isOpenToAll)
    report.warning(
      { line: 1, column: 1 },
      'anybody on this machine can change this file, and it names the programs that are run and the machines that passwords go to',
      `chmod o-w '${path}'`,
    );
  const text = decodeUtf8(file.bytes, report);
  if (text === undefined) return undefined;
  const toml = readToml(text);
  if ('root' in toml) return readTable(SITE_TABLE, toml.root, report);
  report.error(toml.fault.place, toml.fault.text, toml.fault.remedy);
  return undefined;
}

function readSequenceFile(path: string, report: Reporter): PlacedEntry[] | undefined {
  const file = readConfigFile(path, report, 'healthmon config describe sequence.cfg prints one to begin with');
  if (file === undefined) return undefined;
  let hasProblem = false;
  const entries = parseSequence(file.bytes, {
    error: (place, text, remedy) => {
      hasProblem = true;
      report.error(place, text, remedy);
    },
    warning: report.warning,
  });
  if (entries.length === 0 && !hasProblem)
    report.warning(
      { line: 1, column: 1 },
      'there is no entry: nothing is ever tested',
      'healthmon config describe sequence.cfg prints one to begin with',
    );
  return entries;
}

function authorityUses(contents: SiteContents) {
  const entries = [
    ...contents.site,
    ...contents.mta,
    ...contents.mmp,
    ...contents.store,
    ...contents.balancer,
    ...contents.directory,
  ];
  return entries.flatMap(({ draft, written, place }) =>
    draft.ca_file === undefined ? [] : [{ path: draft.ca_file, place: written.get('ca_file') ?? place }],
  );
}
