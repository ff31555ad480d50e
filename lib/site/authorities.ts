// The site's own certificate authorities: files of PEM certificates, named by ca_file, read once each.

import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { printable } from '../model/printable.ts';
import type { Place, Reporter } from './problem.ts';
import { reason } from './secret-problem.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Where a ca_file is named. */
interface AuthorityUse {
  readonly path: string;
  readonly place: Place;
}

/**
 * The certificates of every file that is named, as PEM, by the path as it stands in the config. A file that cannot be read or
 * holds none is an error at the place of its first use; a certificate that has expired by `at` is a warning.
 */
export function readAuthorities(dir: string, uses: readonly AuthorityUse[], at: number, report: Reporter): Map<string, string> {
  const pems = new Map<string, string>();
  for (const { path, place } of uses.filter((use, i) => uses.findIndex(other => other.path === use.path) === i)) {
    const pem = readPem(resolve(dir, path), { place, at, report });
    if (pem !== undefined) pems.set(path, pem);
  }
  return pems;
}

function readPem(path: string, { place, at, report }: { place: Place; at: number; report: Reporter }): string | undefined {
  const wrong = (why: string, remedy?: string): undefined => {
    report.error(place, `cannot use ca_file ${printable(path)}: ${why}`, remedy);
  };
  let text: string;
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return wrong('it is not a regular file');
    if (facts.size > MAX_BYTES) return wrong(`it has ${facts.size} bytes, more than ${MAX_BYTES}`);
    text = readFileSync(path, 'latin1');
  } catch (error) {
    return wrong(reason(error));
  }
  // Only the certificates are handed on: a key that stands in the same file has no business in our memory.
  const blocks: readonly string[] = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0)
    return wrong('expected PEM certificates, found none', 'from DER: openssl x509 -inform der -in FILE -out ca.pem');
  for (const block of blocks) {
    const certificate = parsed(block);
    if (certificate === undefined) return wrong(`certificate ${blocks.indexOf(block) + 1} in it cannot be read`);
    const { subject, validTo } = certificate;
    if (Date.parse(validTo) < at)
      report.warning(
        place,
        `a certificate in ca_file ${printable(path)} has expired on ${validTo}: ${printable(subject.replaceAll('\n', ', '), 100)}`,
      );
  }
  return `${blocks.join('\n')}\n`;
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
