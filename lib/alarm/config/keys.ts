// What a channel's section of alarms.cfg may hold, as plain data, so that a channel of the operator's own declares its keys in the
// same way as ours: as text, secrets, addresses, numbers, lists. From it come reading, checking, help and the values at sending.
//
// A secret never stands in the file: for a key `token` that is a secret the file has token_file, token_env or token_credential.

import { LocalProblem } from '../../model/endpoint.ts';
import type { Reporter } from '../../site/problem.ts';
import { readSecret, type SecretContext, type SecretSource } from '../../site/secret.ts';
import { credentialName, secretPath, variableName } from '../../site/site-forms.ts';
import { defaulted, type Entry, type Field, type Fields, optional, required } from '../../site/table/field.ts';
import { type Form, list, oneOf, pattern, text, truth, whole } from '../../site/table/form.ts';

interface About {
  /** What the key means; full sentences. */
  readonly help: string;
}

interface Absence {
  /** Without `default` and `optional` the key must be there. */
  readonly default?: string;
  /** What holds when it is absent, in words. */
  readonly optional?: string;
}

export type Key =
  | (About &
      Absence & {
        readonly is: 'text';
        readonly sample: string;
        readonly max?: number;
        readonly matches?: RegExp;
        /** Completes "must be"; goes with `matches`. */
        readonly wanted?: string;
        /** A phone number or a person's name at a service: shown in part only. */
        readonly isPrivate?: boolean;
      })
  | (About & Pick<Absence, 'optional'> & { readonly is: 'secret'; readonly sample: string })
  | (About &
      Absence & {
        readonly is: 'url';
        readonly sample: string /** It holds a key, so it is a secret. */;
        readonly isSecret?: boolean;
      })
  | (About & {
      readonly is: 'number';
      readonly min: number;
      readonly max: number;
      readonly unit?: string;
      readonly default: number;
    })
  | (About & { readonly is: 'flag'; readonly default: boolean })
  | (About & { readonly is: 'choice'; readonly of: readonly [string, ...string[]]; readonly default: string })
  | (About & {
      readonly is: 'list';
      readonly of: string;
      readonly sample: readonly string[];
      readonly min?: number;
      readonly optional?: string;
    });

export type Keys = Readonly<Record<string, Key>>;

/** The values of a channel's keys at the moment of sending, secrets among them: never logged, never kept. */
export type Settings<K extends Keys = Keys> = { readonly [N in keyof K]: ValueOf<K[N]> };

type ValueOf<T extends Key> = T extends { readonly is: 'number' }
  ? number
  : T extends { readonly is: 'flag' }
    ? boolean
    : T extends { readonly is: 'list' }
      ? readonly string[]
      : T extends { readonly optional: string }
        ? string | undefined
        : string;

const SOURCES = ['file', 'env', 'credential'] as const;

/** The keys as the table of alarms.cfg has them. */
export function fieldsOf(keys: Keys): Fields {
  const fields: Record<string, Field> = {};
  for (const [name, key] of Object.entries(keys)) {
    if (key.is === 'secret') Object.assign(fields, secretFields(name, key.help, key.sample));
    else if (key.is === 'url') Object.assign(fields, urlFields(name, key));
    else fields[name] = plainField(key);
  }
  return fields;
}

function plainField(key: Exclude<Key, { readonly is: 'secret' | 'url' }>): Field {
  switch (key.is) {
    case 'text': {
      const form = textForm(key);
      return withAbsence(form, key);
    }
    case 'number':
      return defaulted(
        whole({ min: key.min, max: key.max, ...(key.unit === undefined ? {} : { unit: key.unit }) }),
        key.default,
        {
          help: key.help,
        },
      );
    case 'flag':
      return defaulted(truth(), key.default, { help: key.help });
    case 'choice':
      return defaulted(oneOf<string>(...key.of), key.default, { help: key.help });
    case 'list': {
      const form = list(text('a text in double quotes', { max: 4096 }), {
        of: key.of,
        ...(key.min === undefined ? {} : { min: key.min }),
      });
      return key.optional === undefined
        ? required(form, { help: key.help, sample: key.sample })
        : optional(form, { help: key.help, otherwise: key.optional, sample: key.sample });
    }
    default:
      return key satisfies never;
  }
}

function textForm({ matches, wanted, max, isPrivate }: Extract<Key, { readonly is: 'text' }>): Form<string> {
  const hidden = isPrivate === true ? { isHidden: true } : {};
  if (matches !== undefined) return pattern(wanted ?? 'a text in double quotes', matches, hidden);
  return text(wanted ?? 'a text in double quotes', { ...hidden, ...(max === undefined ? {} : { max }) });
}

function withAbsence(form: Form<string>, key: About & Absence & { readonly sample: string }): Field {
  const { help, sample } = key;
  if (key.default !== undefined) return defaulted(form, key.default, { help });
  if (key.optional !== undefined) return optional(form, { help, otherwise: key.optional, sample });
  return required(form, { help, sample });
}

/** Addresses of HTTP services. What stands there by mistake may be a key: it is not shown. */
const address: Form<string> = pattern('an address that begins with https:// or http://', isWebAddress, {
  isHidden: true,
  hint: found => (/^https?:/i.test(found) ? undefined : 'write it whole, with https:// before the host'),
});

function isWebAddress(found: string): boolean {
  try {
    const url = new URL(found);
    return (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== '';
  } catch {
    return false;
  }
}

function urlFields(name: string, key: Extract<Key, { readonly is: 'url' }>): Fields {
  if (key.isSecret === true) return secretFields(name, key.help, key.sample);
  const plain = withAbsence(address, { ...key, optional: key.optional ?? 'one of the keys below' });
  return {
    [name]: plain,
    ...secretFields(name, `The same, where the address holds a key and so is a secret.`, `secrets/${name}`),
  };
}

function secretFields(name: string, help: string, sample: string): Fields {
  return {
    [`${name}_file`]: optional(secretPath, {
      help: `${help} It stands on the first line of a file that only you can read (chmod 600); this key names the file.`,
      otherwise: 'none',
      sample,
    }),
    [`${name}_env`]: optional(variableName, {
      help: 'Instead: an environment variable that holds it.',
      otherwise: 'none',
      sample: `HEALTHMON_${name.toUpperCase()}`,
    }),
    [`${name}_credential`]: optional(credentialName, {
      help: 'Instead: a systemd credential that holds it (LoadCredential=NAME:/path in the unit).',
      otherwise: 'none',
      sample: name,
    }),
  };
}

/** Exactly one source for each secret and each address, at most one for those that may be absent. */
export function checkKeys(keys: Keys, entry: Entry<Fields>, report: Reporter): void {
  for (const [name, key] of Object.entries(keys)) {
    if (key.is !== 'secret' && key.is !== 'url') continue;
    const names = [...(key.is === 'url' && key.isSecret !== true ? [name] : []), ...SOURCES.map(source => `${name}_${source}`)];
    const written = names.filter(each => entry.written.has(each));
    const isOptional = key.optional !== undefined || ('default' in key && key.default !== undefined);
    const [first, second] = written;
    if (second !== undefined)
      report.error(
        entry.written.get(second) ?? entry.place,
        `${entry.label} must have one of ${names.join(', ')}: found ${written.join(', ')}`,
        'keep one of them',
      );
    if (first === undefined && !isOptional && !entry.hasRefusedKey)
      report.error(
        entry.place,
        `${entry.label} has none of ${names.join(', ')}: expected one of them`,
        `add a line such as: ${name}_file = "secrets/${entry.name === '' ? name : entry.name}"`,
      );
  }
}

/** What is known of a section without reading any secret: its plain values, by the channel's own key names. */
export type Draft = Readonly<Record<string, unknown>>;

/**
 * The values for sending, secrets read now.
 *
 * @returns also the secrets themselves, to be masked wherever they might show up
 * @throws {LocalProblem} when a secret cannot be had
 */
export async function settle(
  keys: Keys,
  draft: Draft,
  context: SecretContext,
): Promise<{ readonly settings: Settings; readonly secrets: readonly string[] }> {
  const settings: Record<string, string | number | boolean | readonly string[] | undefined> = {};
  const secrets: string[] = [];
  for (const [name, key] of Object.entries(keys)) {
    const source = key.is === 'secret' || key.is === 'url' ? sourceOf(draft, name) : undefined;
    if (source !== undefined) {
      const value = await readSecret(source, context);
      if (key.is === 'url' && !isWebAddress(value))
        throw new LocalProblem(
          `Cannot use what ${name}_${source.from} names: expected an address that begins with https:// or http://`,
        );
      settings[name] = value;
      secrets.push(value, ...(key.is === 'url' ? partsOf(value) : []));
      continue;
    }
    const value = plainValue(draft[name]);
    settings[name] = value ?? ('default' in key ? key.default : key.is === 'list' ? [] : undefined);
    if (key.is === 'text' && key.isPrivate === true && typeof value === 'string') secrets.push(value);
    if (key.is === 'url' && typeof value === 'string') secrets.push(...partsOf(value));
  }
  return { settings: settings as Settings, secrets };
}

function plainValue(value: unknown): string | number | boolean | readonly string[] | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** User, password, path and query of an address: where its key is. */
function partsOf(address: string): string[] {
  const url = new URL(address);
  const path = `${url.pathname}${url.search}`;
  return [decodeURIComponent(url.username), decodeURIComponent(url.password), path].filter(part => part.length > 3);
}

function sourceOf(draft: Draft, name: string): SecretSource | undefined {
  const [file, env, credential] = SOURCES.map(source => draft[`${name}_${source}`]);
  if (typeof file === 'string') return { from: 'file', path: file };
  if (typeof env === 'string') return { from: 'environment', name: env };
  return typeof credential === 'string' ? { from: 'credential', name: credential } : undefined;
}

/** Text without the secrets that it may have picked up on its way. */
export function masked(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets)
    if (secret.length > 3) out = out.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  return out;
}
