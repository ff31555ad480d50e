// Core files that were not there at the last look: a daemon has crashed. @see core(5)

import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Gathering, Look } from '../check.ts';
import { queuePlaces } from '../queues/places.ts';
import { namesIn } from '../queues/walk.ts';
import { kept, textOf } from '../source.ts';
import { sizeText } from '../words.ts';

/** `core`, `core.1234`, `smtpd.core`, systemd's `core.smtpd.0.….zst`, Apport's `_usr_sbin_slapd.0.crash`. */
const NAME = /^core(?:\.|$)|\.core(?:\.|$)|\.crash$/;
const MOST = 1000;

/** @returns the core files that there are, to be known next time */
export function lookForCores(look: Look, gathered: Gathering): readonly string[] {
  const before = kept(look.before, 'cores');
  const known = new Set(Array.isArray(before) ? before : []);
  const there: string[] = [];
  let fresh = 0;
  for (const folder of folders(look)) {
    for (const name of namesIn(join(look.root, folder))) {
      if (!NAME.test(name) || there.length >= MOST) continue;
      const path = join(folder, name);
      const facts = statSync(join(look.root, path), { throwIfNoEntry: false });
      if (facts?.isFile() !== true) continue;
      // The same name again is another crash.
      const key = `${path} ${Math.floor(facts.mtimeMs)}`;
      there.push(key);
      if (!Array.isArray(before) || known.has(key)) continue;
      fresh += 1;
      gathered.findings.push({
        level: 'warning',
        subject: `core:${path}`,
        text: `new core file ${path} (${sizeText(facts.size)}): a program has crashed`,
        remedy: `file '${path}'; coredumpctl list`,
      });
    }
  }
  gathered.add({ 'files.cores': Array.isArray(before) ? fresh : 0 });
  return there;
}

function folders(look: Look): readonly string[] {
  const { root, config, deadOn } = look;
  const pattern = (textOf(join(root, 'proc/sys/kernel/core_pattern')) ?? '').trim();
  const named = pattern.startsWith('/') ? [dirname(pattern)] : [];
  // A relative pattern puts them where the program works: Postfix' daemons work in the queue's folder.
  const queues = queuePlaces(look).map(({ directory }) => directory);
  const usual = ['/var/crash', '/var/lib/systemd/coredump', '/var/lib/dovecot', '/run/dovecot'];
  return [...new Set([...named, ...usual, ...queues, ...config.files.cores])].filter(
    folder => folder !== '/' && deadOn(folder) === undefined,
  );
}
