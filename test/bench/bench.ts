// What a bench is: something of ours measured beside something that people know, in one run on one machine. Only ratios inside a
// run travel to other machines; milliseconds do not.
//
// A bench checks that all contenders did the work before it says how long they took: a wrong answer ends it with an Error.

/** One line of the table. */
export interface Row {
  readonly name: string;
  /** Of ours, with its unit. */
  readonly measured: string;
  /** Of what it is measured against; empty where there is none. */
  readonly reference: string;
  /** `0.29x`; empty where the figure is its own measure. */
  readonly ratio: string;
  /** Empty where the figure is only stated. */
  readonly goal: string;
  readonly met?: boolean;
}

export interface Bench {
  /** The word for `npm run bench -- WORD`. */
  readonly name: string;
  readonly about: string;
  /**
   * @param say what is going on, for stderr
   * @returns the lines, or why it cannot run here
   */
  readonly run: (say: (text: string) => void) => Promise<readonly Row[] | { readonly cannot: string }>;
}

/** A figure against another one of the same unit. @param most the goal: ours at most so many times the other; absent: only stated */
export function against(
  name: string,
  { ours, theirs, unit, what, most }: { ours: number; theirs: number; unit: string; what: string; most?: number },
): Row {
  const ratio = ours / theirs;
  return {
    name,
    measured: `${figure(ours)} ${unit}`,
    reference: `${figure(theirs)} ${unit} (${what})`,
    ratio: `${ratio.toFixed(2)}x`,
    goal: most === undefined ? '' : `<= ${most}x`,
    ...(most === undefined ? {} : { met: ratio <= most }),
  };
}

/** A figure with a bound of its own. */
export function bounded(
  name: string,
  { value, unit, most, least, reference }: { value: number; unit: string; most?: number; least?: number; reference?: string },
): Row {
  const goal = most !== undefined ? `<= ${most} ${unit}` : least !== undefined ? `>= ${least} ${unit}` : '';
  const met = most !== undefined ? value <= most : least !== undefined ? value >= least : undefined;
  return {
    name,
    measured: `${figure(value)} ${unit}`,
    reference: reference ?? '',
    ratio: '',
    goal,
    ...(met === undefined ? {} : { met }),
  };
}

export function tableOf(rows: readonly Row[]): string {
  const head = ['', 'measured', 'reference', 'ratio', 'goal', ''];
  const lines = rows.map(({ name, measured, reference, ratio, goal, met }) => [
    name,
    measured,
    reference,
    ratio,
    goal,
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ]);
  const widths = head.map((_, n) => Math.max(...[head, ...lines].map(line => (line[n] ?? '').length)));
  return [head, ...lines]
    .map(line =>
      line
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}
