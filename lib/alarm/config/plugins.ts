// Channels of the operator's own: plugins/alarm_channels/KIND/channel.mjs, loaded when alarms.cfg has a section [KIND.NAME].

import { existsSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printable } from '../../model/printable.ts';
import type { Channel } from '../channel.ts';

export type LoadedPlugin = { readonly channel: Channel } | { readonly problem: string } | undefined;

/**
 * The channel of that kind; undefined when there is no such folder. A file that others than us and root could have changed is not run.
 *
 * @param folder that of all channels: plugins/alarm_channels
 */
export async function loadPlugin(folder: string, kind: string): Promise<LoadedPlugin> {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(kind)) return undefined;
  const file = ['channel.mjs', 'channel.js'].map(name => join(folder, kind, name)).find(each => existsSync(each));
  if (file === undefined) return undefined;
  const open = [file, dirname(file)].find(place => isOpen(statSync(place)));
  if (open !== undefined) return { problem: `${open} can be changed by others than us and root: chmod go-w` };
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    const found = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
    return isChannel(found, kind)
      ? { channel: found }
      : { problem: `${file} exports no channel of kind ${kind} by default (plugins/README.md)` };
  } catch (error) {
    return { problem: `${file} cannot be loaded: ${printable(error instanceof Error ? error.message : String(error), 200)}` };
  }
}

function isOpen({ mode, uid }: Stats): boolean {
  const us = process.getuid?.();
  return (us !== undefined && uid !== 0 && uid !== us) || (mode & 0o022) !== 0;
}

function isChannel(value: unknown, kind: string): value is Channel {
  if (typeof value !== 'object' || value === null) return false;
  const { kind: own, help, docs, takes, keys, sample, leadsTo, bring } = value as Partial<Channel>;
  return (
    own === kind &&
    typeof help === 'string' &&
    typeof docs === 'string' &&
    (takes === 'all' || takes === 'each') &&
    typeof keys === 'object' &&
    typeof sample === 'object' &&
    typeof leadsTo === 'function' &&
    typeof bring === 'function'
  );
}
