// Certificates on disk and the days that they have left.

import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { printable } from '../../model/printable.ts';
import type { Gathering, Look } from '../check.ts';
import { deadText } from '../reach.ts';
import { readOr } from '../source.ts';

const DAY_MS = 86_400_000;

/** Those of host.cfg by their names, and those that the servers' configuration names by their paths. */
export function lookAtCertificates(look: Look, found: readonly string[], gathered: Gathering): void {
  const own = look.config.files.certificates;
  const named = new Set(own.map(({ path }) => path));
  const all = [
    ...own.map(each => ({ ...each, level: 'critical' as const })),
    // A server that runs has long read its own: it is the next start that fails.
    ...found.filter(path => !named.has(path)).map(path => ({ name: path, path, level: 'warning' as const })),
  ];
  for (const { name, path, level } of all) {
    const dead = look.deadOn(path);
    if (dead !== undefined) {
      gathered.missing.push({ what: `certificate ${path}`, why: deadText(dead) });
      continue;
    }
    const read = readOr(join(look.root, path));
    if ('code' in read) {
      if (read.code === 'EACCES')
        gathered.missing.push({
          what: `certificate ${path}`,
          why: 'this user may not read it',
          remedy: 'a certificate is no secret: only its key must be; or run check_files as root',
        });
      else
        gathered.findings.push({
          level,
          subject: `certificate:${name}`,
          text: `certificate ${path} cannot be read: ${read.code === 'ENOENT' ? 'it is missing' : read.code}`,
        });
      continue;
    }
    const certificate = firstOf(read.text);
    if (certificate === undefined) {
      gathered.findings.push({
        level,
        subject: `certificate:${name}`,
        text: `${path} holds no certificate that can be read`,
      });
      continue;
    }
    const { validFrom, validTo, subject } = certificate;
    gathered.add({ [`files.certificate_days:${name}`]: Math.floor((Date.parse(validTo) - look.at) / DAY_MS) });
    if (Date.parse(validFrom) > look.at)
      gathered.findings.push({
        level: 'critical',
        subject: `certificate:${name}`,
        text: `certificate ${path} (${printable(subject ?? '', 60)}) is not valid before ${printable(validFrom, 40)}`,
      });
  }
}

/** The first in the file is the server's own; the chain follows. */
function firstOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem)?.[0] ?? '');
  } catch {
    return undefined;
  }
}
