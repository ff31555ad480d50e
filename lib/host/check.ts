// What a check of a mail host is: a function that looks once and gives what it saw. It judges only what is wrong by its nature (a
// daemon that is gone, a file that should be there); whether a figure is too high is decided by the limits, in judge.ts.
//
// A check reads only, keeps nothing on disk itself, and never waits longer than its deadline for any one source.

import type { CheckName, Figures, HostFinding, Missing, Ranked } from '../model/reading.ts';
import type { HostConfig } from './config.ts';
import type { Run } from './program.ts';
import type { DeadOn } from './reach.ts';
import type { Mount } from './sys/mounts.ts';

/** What a check is given. */
export interface Look {
  /** Now, epoch ms. */
  readonly at: number;
  /** `/`; another folder in tests. Files are read below it; how full a file system is, is asked by its own path. */
  readonly root: string;
  readonly config: HostConfig;
  /** The mount that does not answer and that a path leads to: such a path is not to be touched. */
  readonly deadOn: DeadOn;
  /** All mounts that do not answer. */
  readonly dead: readonly Mount[];
  /** Runs a program, without a shell and with a deadline. */
  readonly run: Run;
  readonly sleep: (ms: number) => Promise<void>;
  /** What this check gave as `keep` last time; undefined the first time, or when it could not be read. */
  readonly before: unknown;
}

export interface Sample {
  readonly figures: Figures;
  readonly findings: readonly HostFinding[];
  readonly missing: readonly Missing[];
  readonly tops: Readonly<Record<string, readonly Ranked[]>>;
  /** The state of things in one line, for when nothing is wrong. */
  readonly text: string;
  /** Given back as `before` next time; JSON. */
  readonly keep: unknown;
}

export interface Check {
  readonly name: CheckName;
  readonly look: (look: Look) => Promise<Sample>;
}

/** A sample while it is being put together from several sources. */
export class Gathering {
  readonly figures: Record<string, number> = {};
  readonly findings: HostFinding[] = [];
  readonly missing: Missing[] = [];
  readonly tops: Record<string, readonly Ranked[]> = {};

  /** Takes figures that are numbers; what is undefined is left out. */
  add(figures: Readonly<Record<string, number | undefined>>): void {
    for (const [name, value] of Object.entries(figures)) {
      if (value !== undefined && Number.isFinite(value)) this.figures[name] = value;
    }
  }

  sample(text: string, keep: unknown): Sample {
    const { figures, findings, missing, tops } = this;
    return { figures, findings, missing, tops, text, keep };
  }
}
