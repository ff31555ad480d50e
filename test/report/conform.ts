// Whether data has the shape of a report: each field there, none too many, each of its kind.

import { REPORT } from '../../lib/report/data.ts';
import type { Shape } from '../../lib/report/shape.ts';

/** What is wrong, a line each; empty when all is well. */
export function wrongWith(value: unknown, shape: Shape = REPORT, at = 'report'): string[] {
  switch (shape.kind) {
    case 'text':
      if (typeof value !== 'string') return [`${at} is no text`];
      return shape.among !== undefined && !shape.among.includes(value) ? [`${at} is "${value}"`] : [];
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? [] : [`${at} is no number`];
    case 'truth':
      return typeof value === 'boolean' ? [] : [`${at} is neither true nor false`];
    case 'maybe':
      return value === null ? [] : wrongWith(value, shape.of, at);
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((each: unknown, i) => wrongWith(each, shape.of, `${at}[${i}]`))
        : [`${at} is no list`];
    case 'object': {
      if (typeof value !== 'object' || value === null) return [`${at} is no object`];
      const found = new Map(Object.entries(value));
      return [
        ...Object.entries(shape.fields).flatMap(([name, field]) =>
          found.has(name) ? wrongWith(found.get(name), field, `${at}.${name}`) : [`${at} has no ${name}`],
        ),
        ...[...found.keys()].filter(name => !Object.hasOwn(shape.fields, name)).map(name => `${at} has ${name} too many`),
      ];
    }
    default:
      return shape satisfies never;
  }
}
