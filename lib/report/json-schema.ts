// The JSON Schema of the report, for those who read the JSON. Pure. @see JSON Schema 2020-12

import { REPORT, SCHEMA } from './data.ts';
import type { Shape } from './shape.ts';

/** The schema as text, ending in a line end: what lies in reports/schema.json. */
export function schemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:healthmon:${SCHEMA}`,
    title: 'A report of healthmon',
    description: 'Times are epoch milliseconds, spans are milliseconds. What is not known is null, never absent.',
    ...schemaOf(REPORT),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf(shape: Shape): Record<string, unknown> {
  const about = shape.about === '' ? {} : { description: shape.about };
  switch (shape.kind) {
    case 'text':
      return { type: 'string', ...(shape.among === undefined ? {} : { enum: shape.among }), ...about };
    case 'number':
      return { type: 'number', ...about };
    case 'truth':
      return { type: 'boolean', ...about };
    case 'list':
      return { type: 'array', ...about, items: schemaOf(shape.of) };
    case 'maybe':
      return { anyOf: [schemaOf(shape.of), { type: 'null' }], ...about };
    case 'object': {
      const fields = Object.entries(shape.fields);
      return {
        type: 'object',
        ...about,
        properties: Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field)])),
        required: fields.map(([name]) => name),
        additionalProperties: false,
      };
    }
    default:
      return shape satisfies never;
  }
}
