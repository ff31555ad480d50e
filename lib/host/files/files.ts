// check_files: files as they must be, new core files, logs since the last look, configuration, maps and certificates.

import { type Check, Gathering } from '../check.ts';
import { countText } from '../words.ts';
import { lookAtCertificates } from './certificates.ts';
import { lookForCores } from './cores.ts';
import { lookAtLogs } from './logs.ts';
import { lookAtSettings } from './settings.ts';
import { lookAtWanted, mountsOf } from './wanted.ts';

export const files: Check = {
  name: 'files',
  async look(look) {
    const gathered = new Gathering();
    await lookAtWanted(look, gathered, mountsOf(look.root));
    const cores = lookForCores(look, gathered);
    const logs = await lookAtLogs(look, gathered);
    const { answers, certificates } = await lookAtSettings(look, gathered);
    lookAtCertificates(look, certificates, gathered);
    return gathered.sample(summary(look.config.files.files.length, gathered), { cores, logs, answers });
  },
};

function summary(wanted: number, { figures, findings }: Gathering): string {
  const names = Object.keys(figures);
  const days = names.filter(name => name.startsWith('files.certificate_days:')).map(name => figures[name] ?? 0);
  const logs = names.filter(name => name.startsWith('files.quiet_s:')).length;
  const parts = [countText(wanted, 'file'), countText(logs, 'log'), countText(days.length, 'certificate')];
  if (days.length > 0) parts[2] += `, the nearest end in ${countText(Math.min(...days), 'day')}`;
  return `${parts.join(', ')}; ${findings.length === 0 ? 'all as it should be' : countText(findings.length, 'finding')}`;
}
