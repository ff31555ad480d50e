// Another time for a command: by libfaketime where it is installed or can be fetched, which moves the clock of the whole process, OpenSSL
// included; else by moving what JavaScript takes for the time.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../lib/cli/context.ts';
import type { LaunchOptions } from './product.ts';

export interface Clock {
  /** `libfaketime`, or `Date only` with the reason. */
  readonly by: string;
  /** What makes a command read its clock from `file`, which holds how many seconds it is off: `+3600`. */
  options(file: string): Pick<LaunchOptions, 'env' | 'mishap'>;
}

/** @param mayFetch whether the Debian package may be downloaded, into a folder of the project; nothing is installed */
export function fakeClock(mayFetch: boolean): Clock {
  const library = installed() ?? cached() ?? (mayFetch ? fetched() : undefined);
  if (library === undefined)
    return {
      by: 'Date only (libfaketime is not there: apt-get install libfaketime)',
      options: file => ({ mishap: { clock: file } }),
    };
  return {
    by: 'libfaketime',
    options: file => ({
      env: {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        // Otherwise timers of Node go off at the wrong time, as no clock that is set makes them.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    }),
  };
}

const folder = () => join(projectRoot(), 'node_modules', '.cache', 'healthmon-faketime');

function installed(): string | undefined {
  return libraryBelow('/usr/lib');
}

function cached(): string | undefined {
  return libraryBelow(join(folder(), 'usr', 'lib'));
}

function libraryBelow(place: string): string | undefined {
  if (!existsSync(place)) return undefined;
  return readdirSync(place)
    .map(name => join(place, name, 'faketime', 'libfaketime.so.1'))
    .find(file => existsSync(file));
}

function fetched(): string | undefined {
  const place = folder();
  try {
    mkdirSync(place, { recursive: true });
    execFileSync('apt-get', ['-q', 'download', 'libfaketime'], { cwd: place, stdio: 'ignore', timeout: 60_000 });
    const [file = ''] = readdirSync(place).filter(name => name.endsWith('.deb'));
    execFileSync('dpkg', ['-x', join(place, file), place], { stdio: 'ignore' });
    rmSync(join(place, file));
    return cached();
  } catch {
    return undefined;
  }
}
