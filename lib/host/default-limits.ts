// The limits that hold unless host.cfg says otherwise, ready to be judged by.

import { unitOf } from './figures.ts';
import { DEFAULT_LIMITS, type DefaultLimit, type Limit } from './limits.ts';
import { parseQuantity, parseSpan } from './quantities.ts';

export function defaultLimits(): readonly Limit[] {
  return DEFAULT_LIMITS.map(asLimit);
}

function asLimit({ name, figure, is, warn, crit, for: forText, over }: DefaultLimit): Limit {
  const unit = unitOf(figure);
  const quantity = (given: number | string | undefined) => (given === undefined ? undefined : parseQuantity(given, unit));
  const [warnAt, critAt] = [quantity(warn), quantity(crit)];
  const overMs = over === undefined ? undefined : parseSpan(over);
  return {
    name,
    figure,
    is: is ?? 'above',
    forMs: parseSpan(forText ?? '0s') ?? 0,
    isOwn: false,
    ...(warnAt === undefined ? {} : { warn: warnAt }),
    ...(critAt === undefined ? {} : { crit: critAt }),
    ...(overMs === undefined ? {} : { overMs }),
  };
}
