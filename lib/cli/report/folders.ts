// Where formats of reports come from.

import { join } from 'node:path';
import { type Formats, loadFormats } from '../../report/formats.ts';
import { projectRoot } from '../context.ts';

/** The shipped formats, and those of the site's own. */
export function reportFormats(): Promise<Formats> {
  return loadFormats({ shipped: join(projectRoot(), 'reports'), plugins: pluginsFolder() });
}

/** Only those of the site's own. */
export function ownFormats(): Promise<Formats> {
  return loadFormats({ plugins: pluginsFolder() });
}

/** $HEALTHMON_PLUGINS, else plugins/ of the project. */
export function pluginsFolder(): string {
  return process.env.HEALTHMON_PLUGINS ?? join(projectRoot(), 'plugins');
}
