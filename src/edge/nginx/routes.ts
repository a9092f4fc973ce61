// The action catalogue as nginx maps: a path collapses to its template first, then one hash look-up finds the operation.
import type { Operation } from '../../contract/operation.ts';
import { quoteVerbatim } from './quote.ts';

const UUID = '[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}';

/** Templates of the shape `/api/flow_runs/{id}/set_state`, with one UUID: all of them collapse by this one expression. */
const ONE_UUID_TEMPLATE = /^\/api(?:\/ui)?\/[a-z_]+\/\{[a-z_]+\}(?:\/[a-z0-9_-]+)*$/;
const ONE_UUID_PATH = `(?<lictor_t1>/api(?:/ui)?/[a-z_]+)/${UUID}(?<lictor_t2>(?:/[a-z0-9_-]+)*)/?`;

/** Lower case only, as every static path of the catalogue. A path with one UUID has the previous shape. */
const LOWER_PATH = '(?:/[a-z0-9_-][a-z0-9._-]*+)*+/?';

/**
 * Canonical: no empty, `.` or `..` segment; no `;`, `\`, `#`, `|`; escapes in upper case only, of valid UTF-8, and never of an unreserved
 * character, a slash, a backslash, a percent sign or a control character. The query is not checked. The first of the two accepts nothing
 * that the second does not, at a fraction of the cost.
 */
const OTHER_PATHS = [
  '(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)++/?',
  "(?:/(?!\\.{1,2}(?:[/?]|$))(?:[A-Za-z0-9._~!$&'()*+,=:@-]++|%(?:2[0-46-9A-C]|3[A-F]|40|5[BDE]|60|7[B-D]|(?:C[2-9A-F]|D[0-9A-F])%[89AB][0-9A-F]|E0%[AB][0-9A-F]%[89AB][0-9A-F]|E[1-9A-CEF]%[89AB][0-9A-F]%[89AB][0-9A-F]|ED%[89][0-9A-F]%[89AB][0-9A-F]|F0%[9AB][0-9A-F](?:%[89AB][0-9A-F]){2}|F[1-3](?:%[89AB][0-9A-F]){3}|F4%8[0-9A-F](?:%[89AB][0-9A-F]){2}))++)*+/?",
];

/** Lines `key value;` of each map. */
export interface RouteMaps {
  /** Target -> its first shape. The expression also splits path and query. None: the target is not canonical. */
  readonly shapes: readonly string[];
  /** A path with its one UUID replaced by `*`, or a static path -> template. A static path has no `*`, so the two cannot be confused. */
  readonly templates: readonly string[];
  /** Raw path -> template, by expressions. The most specific is first. */
  readonly parameterised: readonly string[];
  /** `METHOD template` -> operationId. */
  readonly operations: readonly string[];
  /** Method and key of `templates` -> operationId. Most requests need only this look-up. */
  readonly direct: readonly string[];
  readonly objects: readonly string[];
  readonly args: readonly string[];
  /** `objects` and `args` as the key of the decision has them: `path|query`. */
  readonly deciding: readonly string[];
}

/** Also for sockets: their locations send the operation to the relay. `base`: the path of public_url, as an expression. */
export function routeMaps(operations: readonly Operation[], base: string): RouteMaps {
  const paths = operations.filter((operation) => !operation.path.endsWith('*'));
  const statics = paths.filter((operation) => !operation.path.includes('{'));
  const oneUuid = paths.filter(collapsesGenerically);
  const others = paths.filter((operation) => operation.path.includes('{') && !collapsesGenerically(operation));
  const wildcards = operations.filter((operation) => operation.path.endsWith('*')).sort((a, b) => b.path.length - a.path.length);
  const templates = new Map([
    ...statics.flatMap((operation) => spellings(operation.path).map((path) => [path, templateOf(operation)] as const)),
    ...oneUuid.map((operation) => [templateOf(operation), templateOf(operation)] as const),
  ]);
  const byTemplate = operationsByTemplate(operations);
  return {
    shapes: shapeLines(base),
    templates: [...templates].map(([path, template]) => entry(path, template)),
    parameterised: unique([
      ...others.sort((a, b) => parameterCount(a) - parameterCount(b)).map((operation) => entry(expressionOf(operation), templateOf(operation))),
      ...wildcards.map((operation) => entry(wildcardExpression(operation.path, operations), templateOf(operation))),
    ]),
    operations: [...byTemplate].map(([key, operationId]) => entry(key, operationId)),
    direct: [...templates].flatMap(([path, template]) => METHODS.flatMap((method) => direct(byTemplate, method, path, template))),
    // Without an operation, the decision derives the answer of Prefect's router from the path (src/authorization/decide/decider.ts).
    objects: [
      '"" $lictor_path;',
      ...operations.filter((operation) => operation.objectScoped).map((operation) => `${quoteVerbatim(operation.operationId)} $lictor_path;`),
    ],
    args: operations.filter((operation) => operation.decidingQuery.length > 0).map((operation) => `${quoteVerbatim(operation.operationId)} $lictor_raw_args;`),
    deciding: [
      '"" "$lictor_path|";',
      ...operations.flatMap(({ operationId, objectScoped, decidingQuery }) =>
        objectScoped || decidingQuery.length > 0
          ? [`${quoteVerbatim(operationId)} "${objectScoped ? '$lictor_path' : ''}|${decidingQuery.length > 0 ? '$lictor_raw_args' : ''}";`]
          : [],
      ),
    ],
  };
}

function shapeLines(base: string): readonly string[] {
  const line = (path: string, shape: string): string => `${quoteVerbatim(`~^${path}(?:\\?|$)(?<lictor_args_part>.*)`)} ${shape};`;
  const part = (path: string): string => `(?<lictor_path_part>${path})`;
  const inside = `(?=${base === '' ? '/' : `${base}(?:[/?]|$)`})`;
  return [
    line(part(`${base}${ONE_UUID_PATH}`), 'id'),
    line(`${inside}${part(LOWER_PATH)}`, 'lower'),
    ...OTHER_PATHS.map((path) => line(`${inside}${part(path)}`, 'other')),
    ...(base === '' ? [] : OTHER_PATHS.map((path) => line(`(?=/)${part(path)}`, 'outside'))),
  ];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function direct(byTemplate: ReadonlyMap<string, string>, method: string, path: string, template: string): readonly string[] {
  const operationId = byTemplate.get(`${method} ${template}`);
  return operationId === undefined ? [] : [entry(`${method} ${path}`, operationId)];
}

function entry(key: string, value: string): string {
  return `${quoteVerbatim(key)} ${quoteVerbatim(value)};`;
}

function unique(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)];
}

/** With and without a slash at the end: Prefect redirects one to the other with a 307. */
function spellings(path: string): readonly string[] {
  const bare = withoutSlash(path);
  return bare === '/' ? ['/'] : [bare, `${bare}/`];
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** `/api/flow_runs/{id}/set_state` -> `/api/flow_runs/*` + `/set_state`; never ends in a slash. */
function templateOf(operation: Operation): string {
  return withoutSlash(operation.path.replaceAll(/\{[^}]+\}/g, '*'));
}

function parameterCount(operation: Operation): number {
  return operation.path.match(/\{/g)?.length ?? 0;
}

function collapsesGenerically(operation: Operation): boolean {
  return parameterCount(operation) === 1 && operation.uuids.length === 1 && ONE_UUID_TEMPLATE.test(operation.path);
}

/** `{name}` is one segment. */
function expressionOf(operation: Operation): string {
  const parts = operation.path.split(/(\{[^}]+\})/).map((part) => {
    if (!part.startsWith('{')) return part.replaceAll('.', '\\.');
    return operation.uuids.includes(part.slice(1, -1)) ? UUID : '[^/]+';
  });
  return `~^${withoutSlash(parts.join(''))}/?$`;
}

/** A wildcard matches everything below its path, except first segments that another operation names. */
function wildcardExpression(path: string, operations: readonly Operation[]): string {
  const prefix = path.slice(0, -1);
  const named = operations
    .filter((operation) => operation.path.startsWith(prefix) && operation.path !== path)
    .map((operation) => operation.path.slice(prefix.length).split('/')[0] ?? '')
    .filter((segment) => segment !== '' && !segment.startsWith('{'));
  const taken = [...new Set(prefix === '/' ? [...named, '.lictor'] : named)].map((segment) => segment.replaceAll('.', '\\.'));
  const except = taken.length === 0 ? '' : `(?!(?:${taken.join('|')})(?:/|$))`;
  return `~^${prefix.replaceAll('.', '\\.')}${except}`;
}

/**
 * A path can fit two templates, `/work_pools/filter` and `/work_pools/{name}`: it collapses to the more specific one, and has
 * the operations of the other for the methods that the first does not have, as in Prefect's own router.
 */
function operationsByTemplate(operations: readonly Operation[]): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  const routes = operations.map(routeOf);
  for (const { operation, template } of routes) lines.set(`${operation.method} ${template}`, operation.operationId);
  const bySpecificity = routes.toSorted((a, b) => parameterCount(a.operation) - parameterCount(b.operation));
  for (const specific of routes) {
    for (const general of bySpecificity) {
      if (!covers(general, specific)) continue;
      const key = `${general.operation.method} ${specific.template}`;
      if (!lines.has(key)) lines.set(key, general.operation.operationId);
    }
  }
  return lines;
}

/** Every operation is compared with every other, so each path is split only once. */
interface Route {
  readonly operation: Operation;
  readonly template: string;
  readonly segments: readonly string[];
}

function routeOf(operation: Operation): Route {
  return { operation, template: templateOf(operation), segments: withoutSlash(operation.path).split('/') };
}

/** Every path of the specific template also fits the general one. A UUID parameter matches no literal and no name. */
function covers(general: Route, specific: Route): boolean {
  if (general.segments.length !== specific.segments.length || general.operation.path.endsWith('*') || specific.operation.path.endsWith('*')) return false;
  return general.segments.every((segment, index) => {
    const other = specific.segments[index] ?? '';
    if (!segment.startsWith('{')) return segment === other;
    if (!general.operation.uuids.includes(segment.slice(1, -1))) return true;
    return other.startsWith('{') && specific.operation.uuids.includes(other.slice(1, -1));
  });
}
