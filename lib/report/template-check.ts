// Checks a template against the shape of the report before it is rendered: every field and helper in it, also in parts that the day at hand
// would not show. What passes cannot fail later on other data. Every problem has its line and column, and the nearest known name.

import { printable } from '../model/printable.ts';
import type { Place, Reporter } from '../site/problem.ts';
import { didYouMean } from '../site/table/nearest.ts';
import { REPORT } from './data.ts';
import { BLOCKS, HELPERS, type Parameter } from './helpers.ts';
import { number, object, type Shape, text, truth } from './shape.ts';
import { parsedTemplate, type Tree } from './template-syntax.ts';

export interface Source {
  /** As people know it, for messages. */
  readonly file: string;
  readonly text: string;
}

export interface CheckOptions {
  readonly isHtml: boolean;
  /** By name. */
  readonly partials: ReadonlyMap<string, Source>;
  /** Where the problems of a file go. */
  readonly reporter: (file: string) => Reporter;
}

type Node =
  | hbs.AST.MustacheStatement
  | hbs.AST.BlockStatement
  | hbs.AST.PartialStatement
  | hbs.AST.PartialBlockStatement
  | hbs.AST.ContentStatement
  | hbs.AST.CommentStatement
  | (hbs.AST.Node & { readonly type: 'Decorator' | 'DecoratorBlock' });
type Value =
  | hbs.AST.PathExpression
  | hbs.AST.SubExpression
  | hbs.AST.StringLiteral
  | hbs.AST.NumberLiteral
  | hbs.AST.BooleanLiteral
  | (hbs.AST.Node & { readonly type: 'UndefinedLiteral' | 'NullLiteral' });

/** What names mean at one place of a template. */
interface Scope {
  readonly id: number;
  readonly shape: Shape;
  readonly parent?: Scope;
  readonly params: ReadonlyMap<string, Shape>;
  readonly isEach: boolean;
  /** Paths known not to be null here, by scope and name. */
  readonly sure: ReadonlySet<string>;
}

const DEEPEST = 20;

/** Notes every problem of a template and of the partials that it uses. */
export function checkTemplate(source: Source, options: CheckOptions): void {
  const root: Scope = { id: 0, shape: REPORT, params: new Map(), isEach: false, sure: new Set() };
  new Check(options).file(source, root, 0);
}

class Check {
  readonly #options: CheckOptions;
  #report: Reporter;
  #scopes = 0;
  readonly #trees = new Map<string, Tree | undefined>();

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#report = options.reporter('');
  }

  file(source: Source, scope: Scope, depth: number): void {
    const outer = this.#report;
    this.#report = this.#options.reporter(source.file);
    if (!this.#trees.has(source.file)) this.#trees.set(source.file, parsedTemplate(source.text, this.#report));
    const tree = this.#trees.get(source.file);
    if (tree !== undefined) this.#program(tree, scope, depth);
    this.#report = outer;
  }

  #program(program: Tree | undefined, scope: Scope, depth: number): void {
    for (const statement of program?.body ?? []) this.#statement(statement as Node, scope, depth);
  }

  #statement(node: Node, scope: Scope, depth: number): void {
    switch (node.type) {
      case 'ContentStatement':
      case 'CommentStatement':
        return;
      case 'MustacheStatement':
        this.#print(node, scope);
        return;
      case 'BlockStatement':
        this.#block(node, scope, depth);
        return;
      case 'PartialStatement':
        this.#partial(node, scope, depth);
        return;
      case 'PartialBlockStatement':
      case 'Decorator':
      case 'DecoratorBlock':
        this.#error(node, 'inline partials are not taken', 'put it into a file of its own, and name that in partials');
        return;
      default:
        node satisfies never;
    }
  }

  #print(node: hbs.AST.MustacheStatement, scope: Scope): void {
    if (!node.escaped && this.#options.isHtml)
      this.#error(
        node,
        'three braces write text as it is into HTML',
        'write two braces: what comes from a config or a peer is then shown, never obeyed',
      );
    const shape = this.#called(node, scope);
    if (shape === undefined) return;
    const bare = shape.kind === 'maybe' ? shape.of : shape;
    const name = nameOf(node.path);
    if (bare.kind === 'list') this.#error(node, `'${name}' is a list`, `write {{#each ${name}}} ... {{/each}}`);
    if (bare.kind === 'object')
      this.#error(
        node,
        `'${name}' has parts: expected one of ${fieldsOf(bare).join(', ')}`,
        `write {{${name}.${fieldsOf(bare)[0] ?? ''}}}`,
      );
  }

  /** A field, or a helper with its arguments. */
  #called(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression, scope: Scope): Shape | undefined {
    const path = node.path as Value;
    if (path.type !== 'PathExpression') {
      // Handlebars would look for a field of that name.
      this.#error(path, 'a text or number stands alone between braces', 'write it without the braces');
      return undefined;
    }
    const name = path.original;
    const known =
      path.parts.length === 1 && path.depth === 0 && !path.data && Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
    if (known === undefined) {
      if (node.type === 'MustacheStatement' && node.params.length === 0 && node.hash === undefined)
        return this.#field(path, scope);
      this.#error(
        path,
        `there is no helper '${printable(name, 60)}'${didYouMean(name, Object.keys(HELPERS))}`,
        helperRemedy(name),
      );
      return undefined;
    }
    if (known.isHtmlOnly === true && !this.#options.isHtml) this.#error(path, `'${name}' has no use in a text: it is for HTML`);
    if (node.hash !== undefined) this.#error(path, `'${name}' takes no names before its values`);
    const given = node.params.length;
    const most = known.takes.length;
    if (given > most || given < most - known.optional)
      this.#error(
        path,
        `'${name}' takes ${known.optional === 0 ? most : `${most - known.optional} to ${most}`} values: found ${given}`,
        `${name}: ${known.about}`,
      );
    for (const [index, param] of node.params.entries()) {
      const wanted = known.takes[index];
      const shape = this.#value(param as Value, scope);
      if (wanted !== undefined && shape !== undefined && !fits(shape, wanted))
        this.#error(
          param,
          `'${name}' wants a ${wanted === 'any' ? 'value' : wanted} here: found ${kindText(shape)}`,
          `${name}: ${known.about}`,
        );
    }
    return known.gives === 'number' ? number('') : known.gives === 'truth' ? truth('') : text('');
  }

  #value(node: Value, scope: Scope): Shape | undefined {
    switch (node.type) {
      case 'PathExpression':
        return this.#field(node, scope);
      case 'SubExpression':
        return this.#called(node, scope);
      case 'StringLiteral':
        return text('');
      case 'NumberLiteral':
        return number('');
      case 'BooleanLiteral':
        return truth('');
      case 'UndefinedLiteral':
      case 'NullLiteral':
        return undefined;
      default:
        return node satisfies never;
    }
  }

  #block(node: hbs.AST.BlockStatement, scope: Scope, depth: number): void {
    const name = nameOf(node.path);
    if (!BLOCKS.has(name)) {
      this.#error(
        node.path,
        `there is no block '${printable(name, 60)}'${didYouMean(name, BLOCKS)}`,
        `blocks are ${[...BLOCKS].map(block => `#${block}`).join(', ')}`,
      );
      return;
    }
    const [param] = node.params;
    if (param === undefined || node.params.length > 1) {
      this.#error(node, `#${name} takes one value: found ${node.params.length}`);
      return;
    }
    const shape = this.#value(param as Value, scope);
    if (shape === undefined) return;
    const bare = shape.kind === 'maybe' ? shape.of : shape;
    const place = this.#placeOf(param as Value, scope);
    const sure: Scope = place === undefined ? scope : { ...scope, sure: new Set([...scope.sure, place]) };
    if (name === 'if' || name === 'unless') {
      this.#program(node.program, name === 'if' ? sure : scope, depth);
      this.#program(node.inverse, name === 'if' ? scope : sure, depth);
      return;
    }
    if (name === 'each' && bare.kind !== 'list') {
      this.#error(param, `#each goes through a list: found ${kindText(shape)}`);
      return;
    }
    this.#scopes += 1;
    const inner = bare.kind === 'list' && name === 'each' ? bare.of : bare;
    const [first, second] = node.program.blockParams ?? [];
    const params = new Map<string, Shape>(scope.params);
    if (first !== undefined) params.set(first, inner);
    if (second !== undefined) params.set(second, number(''));
    this.#program(
      node.program,
      { id: this.#scopes, shape: inner, parent: sure, params, isEach: name === 'each' || scope.isEach, sure: sure.sure },
      depth,
    );
    this.#program(node.inverse, scope, depth);
  }

  #partial(node: hbs.AST.PartialStatement, scope: Scope, depth: number): void {
    const name = node.name.type === 'PathExpression' ? nameOf(node.name) : undefined;
    const partial = name === undefined ? undefined : this.#options.partials.get(name);
    if (name === undefined || partial === undefined) {
      const known = [...this.#options.partials.keys()];
      this.#error(
        node,
        name === undefined
          ? 'a partial is called by its name'
          : `there is no partial '${printable(name, 60)}'${didYouMean(name, known)}`,
        known.length === 0 ? 'name its file in partials' : `partials are ${known.join(', ')}`,
      );
      return;
    }
    if (depth >= DEEPEST) {
      this.#error(node, `partial '${name}' includes itself`);
      return;
    }
    const [param] = node.params;
    const given = param === undefined ? scope.shape : this.#value(param as Value, scope);
    if (given === undefined) return;
    const bare = given.kind === 'maybe' ? given.of : given;
    const more: Record<string, Shape> = {};
    for (const pair of node.hash?.pairs ?? []) {
      const shape = this.#value(pair.value as Value, scope);
      if (shape !== undefined) more[pair.key] = shape;
    }
    const shape = Object.keys(more).length === 0 ? bare : object({ ...(bare.kind === 'object' ? bare.fields : {}), ...more });
    this.#scopes += 1;
    this.file(partial, { id: this.#scopes, shape, parent: scope, params: new Map(), isEach: false, sure: scope.sure }, depth + 1);
  }

  /** What a path leads to; undefined after a problem has been noted. */
  #field(path: hbs.AST.PathExpression, scope: Scope): Shape | undefined {
    const start = this.#start(path, scope);
    if (start === undefined) return undefined;
    let { shape } = start;
    let key = start.key;
    let said = start.said;
    for (const part of start.parts) {
      if (shape.kind === 'maybe') {
        if (!start.sure.has(key)) {
          this.#error(
            path,
            `'${said}' may be null: ${shape.about.replace(/\.$/, '').toLowerCase()}`,
            `write {{#if ${said}}} ... {{/if}} around it`,
          );
          return undefined;
        }
        shape = shape.of;
      }
      const next: Shape | undefined =
        shape.kind === 'object' && Object.hasOwn(shape.fields, part)
          ? shape.fields[part]
          : shape.kind === 'list' && part === 'length'
            ? number('')
            : undefined;
      if (next === undefined) {
        this.#unknown(path, part, said, shape);
        return undefined;
      }
      shape = next;
      key = `${key}.${part}`;
      said = said === '' ? part : `${said}.${part}`;
    }
    return shape;
  }

  #unknown(path: hbs.AST.PathExpression, part: string, said: string, shape: Shape): void {
    const shown = printable(part, 60);
    if (shape.kind === 'list') {
      this.#error(
        path,
        `'${said}' is a list: '${shown}' is a field of its items`,
        `write {{#each ${said}}} {{${shown}}} {{/each}}`,
      );
      return;
    }
    if (shape.kind !== 'object') {
      this.#error(path, `'${said === '' ? 'this' : said}' is a ${kindText(shape)} and has no field '${shown}'`);
      return;
    }
    const known = fieldsOf(shape);
    const guess = didYouMean(part, [...known, ...Object.keys(HELPERS)]);
    const where = said === '' ? 'here' : `in '${said}'`;
    this.#error(
      path,
      `there is no field '${shown}' ${where}${guess}`,
      guess === '' ? `known ${where}: ${known.join(', ')}` : undefined,
    );
  }

  #start(
    path: hbs.AST.PathExpression,
    scope: Scope,
  ): { shape: Shape; parts: readonly string[]; key: string; said: string; sure: ReadonlySet<string> } | undefined {
    const [first = '', ...rest] = path.parts;
    if (path.data) {
      if (first === 'root') return { shape: REPORT, parts: rest, key: '0', said: '', sure: scope.sure };
      const shape = !scope.isEach
        ? undefined
        : first === 'index'
          ? number('')
          : first === 'first' || first === 'last'
            ? truth('')
            : undefined;
      if (shape !== undefined) return { shape, parts: rest, key: `@${first}`, said: `@${first}`, sure: scope.sure };
      this.#error(
        path,
        `there is no '@${printable(first, 60)}'${scope.isEach ? '' : ' here'}`,
        '@root is the whole report; inside #each there are @index, @first and @last',
      );
      return undefined;
    }
    let from: Scope | undefined = scope;
    for (let up = 0; up < path.depth; up += 1) from = from?.parent;
    if (from === undefined) {
      this.#error(path, "'../' leads out of the report");
      return undefined;
    }
    const param = path.depth === 0 && !/^(\.\/|this\b)/.test(path.original) ? from.params.get(first) : undefined;
    if (param !== undefined) return { shape: param, parts: rest, key: `${from.id}|${first}`, said: first, sure: scope.sure };
    return { shape: from.shape, parts: path.parts, key: String(from.id), said: '', sure: scope.sure };
  }

  /** The name of a path for what is known of it not being null. */
  #placeOf(value: Value, scope: Scope): string | undefined {
    if (value.type !== 'PathExpression') return undefined;
    const [first = '', ...rest] = value.parts;
    if (value.data) return first === 'root' ? ['0', ...rest].join('.') : undefined;
    let from: Scope | undefined = scope;
    for (let up = 0; up < value.depth; up += 1) from = from?.parent;
    if (from === undefined) return undefined;
    return value.depth === 0 && from.params.has(first)
      ? [`${from.id}|${first}`, ...rest].join('.')
      : [String(from.id), ...value.parts].join('.');
  }

  #error(node: hbs.AST.Node, problem: string, remedy?: string): void {
    this.#report.error(placeOf(node), problem, remedy);
  }
}

/** Handlebars counts columns from 0. */
function placeOf({ loc }: hbs.AST.Node): Place {
  return { line: loc.start.line, column: loc.start.column + 1 };
}

function nameOf(path: hbs.AST.Node): string {
  return 'original' in path && typeof path.original === 'string' ? path.original : '';
}

function fieldsOf(shape: Shape): string[] {
  return shape.kind === 'object' ? Object.keys(shape.fields) : [];
}

function helperRemedy(name: string): string | undefined {
  return ['log', 'lookup', 'helperMissing'].includes(name) ? 'a template sees the report and nothing else' : undefined;
}

function kindText(shape: Shape): string {
  switch (shape.kind) {
    case 'maybe':
      return kindText(shape.of);
    case 'object':
      return 'something with parts';
    case 'truth':
      return 'true or false';
    default:
      return shape.kind;
  }
}

function fits(shape: Shape, wanted: Parameter): boolean {
  const { kind } = shape.kind === 'maybe' ? shape.of : shape;
  return wanted === 'any' || wanted === kind;
}
