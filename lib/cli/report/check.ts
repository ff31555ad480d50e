// What is wrong with the report's part of the config: [report] of alarms.cfg, the formats that it names, and those of the site's own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Site } from '../../model/site.ts';
import { loadReportConfig } from '../../report/config.ts';
import { checkFormat } from '../../report/formats.ts';
import type { Problem } from '../../site/problem.ts';
import { didYouMean } from '../../site/table/nearest.ts';
import { reportFormats } from './report.ts';

/** @param site undefined when site.cfg has errors */
export async function reportProblems(dir: string, site: Site | undefined): Promise<readonly Problem[]> {
  const formats = await reportFormats();
  const broken = [...formats.byName.values()].flatMap(format => checkFormat(format));
  const file = join(dir, 'alarms.cfg');
  if (!existsSync(file)) return [...formats.problems, ...broken];
  const { config, problems } = await loadReportConfig(dir, site);
  const unknown = [config?.format ?? [], config?.attach ?? []].flat().filter(name => !formats.byName.has(name));
  return [
    ...problems,
    ...unknown.map(
      (name): Problem => ({
        file,
        line: 1,
        severity: 'error',
        text: `[report] names the format '${name}', which there is not${didYouMean(name, formats.byName.keys())}`,
        remedy: 'healthmon report formats lists them',
      }),
    ),
    ...formats.problems,
    ...broken,
  ];
}
