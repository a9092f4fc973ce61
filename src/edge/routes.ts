// The action catalogue as nginx maps: a path collapses to its template first, then one hash look-up finds the operation.
import type { Operation } from '../contract/operation.ts';
import { quoteVerbatim } from './quote.ts';

const UUID = '[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}';

/** Templates of the shape `/api/flow_runs/{id}/set_state`, with one UUID: all of them collapse by this one expression. */
const ONE_UUID_TEMPLATE = /^\/api(?:\/ui)?\/[a-z_]+\/\{[a-z_]+\}(?:\/[a-z0-9_-]+)*$/;
const ONE_UUID_EXPRESSION = `~^(?<lictor_t1>/api(?:/ui)?/[a-z_]+)/${UUID}(?<lictor_t2>(?:/[a-z0-9_-]+)*)/?$`;

export interface RouteMaps {
  /** Lines `key value;` for each map. */
  readonly statics: readonly string[];
  readonly parameterised: readonly string[];
  readonly operations: readonly string[];
  readonly objects: readonly string[];
  readonly args: readonly string[];
}

/** Sockets are in it too: their locations hand the operation to the relay. */
export function routeMaps(operations: readonly Operation[]): RouteMaps {
  const statics = new Map<string, string>();
  const expressions = new Map<string, string>();
  const open = new Map<string, string>();
  for (const operation of operations) {
    const template = templateOf(operation);
    if (operation.path.endsWith('*')) open.set(openExpression(operation.path, operations), template);
    else if (!operation.path.includes('{')) addStatic(statics, operation.path, template);
    else if (!collapsesGenerically(operation)) expressions.set(expressionOf(operation), template);
  }
  // Longer prefixes first: the root's wildcard, Prefect's UI, comes last.
  const ordered = [...expressions, ...[...open].sort(([a], [b]) => b.length - a.length)];
  return {
    statics: [...statics].map(([path, template]) => `${quoteVerbatim(path)} ${quoteVerbatim(template)};`),
    parameterised: [
      `${quoteVerbatim(ONE_UUID_EXPRESSION)} "$lictor_t1/*$lictor_t2";`,
      ...ordered.map(([expression, template]) => `${quoteVerbatim(expression)} ${quoteVerbatim(template)};`),
    ],
    operations: operations.map(operationLine),
    objects: operations.filter((operation) => operation.objectScoped).map((operation) => `${quoteVerbatim(operation.operationId)} $lictor_raw_path;`),
    args: operations.filter((operation) => operation.decidingQuery.length > 0).map((operation) => `${quoteVerbatim(operation.operationId)} $lictor_raw_args;`),
  };
}

/** Both spellings: Prefect answers the other one with a 307. */
function addStatic(statics: Map<string, string>, path: string, template: string): void {
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  statics.set(bare, template);
  if (bare !== '/') statics.set(`${bare}/`, template);
}

/** `/api/flow_runs/{id}/set_state` -> `/api/flow_runs/*` + `/set_state`; never ends in a slash. */
function templateOf(operation: Operation): string {
  const template = operation.path.replaceAll(/\{[^}]+\}/g, '*');
  return template.length > 1 && template.endsWith('/') ? template.slice(0, -1) : template;
}

function collapsesGenerically(operation: Operation): boolean {
  const parameters = operation.path.match(/\{([^}]+)\}/g) ?? [];
  return parameters.length === 1 && operation.uuids.length === 1 && ONE_UUID_TEMPLATE.test(operation.path);
}

/** `{name}` is one segment. */
function expressionOf(operation: Operation): string {
  const parts = operation.path.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith('{')) return part.replaceAll('.', '\\.');
    return operation.uuids.includes(part.slice(1, -1)) ? UUID : '[^/]+';
  });
  const text = parts.join('');
  return `~^${text.endsWith('/') ? text.slice(0, -1) : text}/?$`;
}

/** A wildcard takes everything below its place, but for what other operations name there: that is known or unknown by itself. */
function openExpression(path: string, operations: readonly Operation[]): string {
  const prefix = path.slice(0, -1);
  const named = operations
    .filter((operation) => operation.path.startsWith(prefix) && operation.path !== path)
    .map((operation) => operation.path.slice(prefix.length).split('/')[0] ?? '')
    .filter((segment) => segment !== '' && !segment.startsWith('{'));
  const taken = [...new Set(prefix === '/' ? [...named, '.lictor'] : named)].map((segment) => segment.replaceAll('.', '\\.'));
  const except = taken.length === 0 ? '' : `(?!(?:${taken.join('|')})(?:/|$))`;
  return `~^${prefix.replaceAll('.', '\\.')}${except}`;
}

function operationLine(operation: Operation): string {
  return `${quoteVerbatim(`${operation.method} ${templateOf(operation)}`)} ${quoteVerbatim(operation.operationId)};`;
}
