// Options of the small checks, as a table: parsed by Node's own parser, `--help` made from the same table. These checks run every few
// minutes on every host, where commander's 15 ms of start-up are a good part of the whole.

import { parseArgs } from 'node:util';
import { Stop } from './context.ts';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands for its value in the help; absent: it has none. */
  readonly value?: string;
  readonly help: string;
}

/** What was given: true for a flag without a value, the text for one with a value. */
export type Given = Readonly<Record<string, string | boolean | undefined>>;

export interface Usage {
  readonly command: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  /** What the arguments are called, where there may be some: `[log...]`. */
  readonly rest?: string;
  /** Behind the options: examples, exit status. */
  readonly after: string;
}

const HELP: Flag = { name: 'help', short: 'h', help: 'show this help' };

/**
 * Reads the arguments. `given.help` is set when help is asked for.
 *
 * @throws {Stop} for what is unknown, incomplete or too much
 */
export function parseFlags(usage: Usage, args: readonly string[]): { readonly given: Given; readonly rest: readonly string[] } {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const { name, short, value } of [...usage.flags, HELP]) {
    options[name] = { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: usage.rest !== undefined });
    return { given: values, rest: positionals };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new Stop(`${usage.command}: ${why}; "${usage.command} --help" shows what there is`);
  }
}

export function helpText({ command, about, flags, rest, after }: Usage): string {
  const lines = [...flags, HELP].map(({ name, short, value, help }) => {
    const left = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`;
    return { left, help };
  });
  const width = Math.max(...lines.map(({ left }) => left.length)) + 2;
  return `Usage: ${command} [options]${rest === undefined ? '' : ` ${rest}`}

${about}

Options:
${lines.map(({ left, help }) => `  ${left.padEnd(width)}${help}`).join('\n')}
${after}`;
}
