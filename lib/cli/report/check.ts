// What is wrong with the report's part of the config: [report] of alarms.cfg, the formats and the channel that it names, and the formats
// of the site's own.
// The formats that ship are not the user's to mend; they are checked with the program, and again before each is rendered.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from '../../model/site.ts';
import type { Mention } from '../../report/config.ts';
import type { Formats } from '../../report/formats.ts';
import { type Problem, reporterFor } from '../../site/problem.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { placesOf } from '../context.ts';
import { ownFormats, reportFormats } from './folders.ts';

/** @param site undefined when site.cfg has errors, or a secret of it cannot be read */
export async function reportProblems(dir: string, site: Site | undefined): Promise<readonly Problem[]> {
  const file = join(dir, 'alarms.cfg');
  if (!existsSync(file)) return formatProblems(await ownFormats());
  const [{ loadReportConfig }, { loadSite }] = await Promise.all([
    import('../../report/config.ts'),
    import('../../site/load.ts'),
  ]);
  // The relay is looked for in site.cfg: secrets that are missing there are no fault of this section, and told elsewhere.
  const { problems, mentions } = await loadReportConfig(dir, site ?? (await loadSite(dir, { secrets: false })).site);
  const formats = await reportFormats();
  const unknown: Problem[] = [];
  const report = reporterFor(file, unknown);
  for (const { name, place } of mentions.filter(({ what }) => what === 'format')) {
    if (!formats.byName.has(name))
      report.error(
        place,
        `[report] names the format '${name}', which there is not${didYouMean(name, formats.byName.keys())}`,
        'healthmon report formats lists them',
      );
  }
  const fallback = mentions.find(({ what }) => what === 'channel');
  return [
    ...problems,
    ...unknown,
    ...(fallback === undefined ? [] : await channelProblems(dir, fallback)),
    ...(await formatProblems(formats)),
  ];
}

/** While other sections have errors, these come first: which channels there are is not known then. */
async function channelProblems(dir: string, { name, place }: Mention): Promise<readonly Problem[]> {
  const [{ ALARMS_FILE, loadAlarms }, { alarmOptions }] = await Promise.all([
    import('../../alarm/config/load.ts'),
    import('../round/tell.ts'),
  ]);
  const channels = (await loadAlarms(dir, alarmOptions(placesOf({}))))?.alarms?.channels;
  const problems: Problem[] = [];
  if (channels !== undefined && !channels.has(name))
    reporterFor(join(dir, ALARMS_FILE), problems).error(
      place,
      `[report] names the channel '${name}', which this file does not have${didYouMean(name, channels.keys())}`,
      'healthmon config describe alarms.cfg shows how channels are written',
    );
  return problems;
}

/** Descriptions that are wrong, and templates of the site's own that cannot be rendered on every report. */
async function formatProblems({ byName, problems }: Formats): Promise<readonly Problem[]> {
  const own = [...byName.values()].filter(({ origin }) => origin === 'plugin');
  if (own.length === 0) return problems;
  const { checkFormat } = await import('../../report/format-check.ts');
  return [...problems, ...own.flatMap(format => checkFormat(format))];
}
