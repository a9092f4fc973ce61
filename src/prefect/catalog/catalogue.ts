// The action catalogue: every route of Prefect that may pass, and how a request finds its entry. Unknown: no match.

import { LictorError } from '../../contract/error.ts';
import { OWN_PREFIX } from '../../contract/names.ts';
import type { Method, Operation } from '../../contract/operation.ts';
import { OPERATIONS } from './operations.ts';
import { type LiteralSegment, type NamedSegment, normaliseUuid, parseTemplate, pathSegments, type Segment } from './template.ts';

export { OPERATIONS };

export type Params = Readonly<Record<string, string>>;

export interface Catalogue {
  readonly operations: readonly Operation[];
  byId(operationId: string): Operation | undefined;
  /**
   * The operation of a request. `rawPath` is without the query, and below the root of the public URL.
   * Both slash spellings match (`/api/flows`, `/api/flows/`): Prefect answers 307 from one to the other.
   */
  match(method: string, rawPath: string): { readonly operation: Operation; readonly params: Params } | undefined;
  /** Path parameters, percent-decoded, UUIDs in lower case with hyphens; undefined when the path is not the operation's. */
  params(operation: Operation, rawPath: string): Params | undefined;
  /**
   * Of a request that no operation matches, what Prefect's router finds wrong with it. `allow`: its method is another one; the 405 names the
   * method of the first route that has this path, in the order of the catalogue. `malformed`: some route would have it, were its ids UUIDs.
   */
  mismatch(rawPath: string): { readonly allow: Method } | 'malformed' | undefined;
}

/** Both spellings of an operation's path that reach the same route: as Prefect writes it, and with or without the last slash. */
export function spellings(operation: Operation): readonly string[] {
  const { path } = operation;
  if (path === '/' || path.endsWith('*')) return [path];
  return [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`];
}

/** Throws LictorError `catalogue-invalid` when two entries share an id or a route. */
export function createCatalogue(operations: readonly Operation[] = OPERATIONS): Catalogue {
  const byId = new Map<string, Entry>();
  const root = emptyNode();
  for (const operation of operations) {
    if (byId.has(operation.operationId)) throw invalid(`two entries for ${operation.operationId}`);
    const entry = { operation, segments: parseTemplate(operation.path, operation.uuids) };
    byId.set(operation.operationId, entry);
    insert(root, entry);
  }
  const find = (method: string, rawPath: string): ReturnType<Catalogue['match']> => {
    const segments = isOwn(rawPath) ? undefined : pathSegments(rawPath);
    const entry = segments && search(root, segments, method);
    const params = entry && segments && paramsOf(entry.segments, segments);
    return entry && params ? { operation: entry.operation, params } : undefined;
  };
  return {
    operations,
    byId: (id) => byId.get(id)?.operation,
    match: find,
    params(operation, rawPath) {
      const template = byId.get(operation.operationId)?.segments;
      const segments = pathSegments(rawPath);
      return template && segments && paramsOf(template, segments);
    },
    mismatch(rawPath) {
      const segments = pathSegments(rawPath);
      if (segments === undefined || !rawPath.startsWith(API)) return undefined;
      const routes = [...byId.values()].filter(({ operation: { path, taken } }) => path.startsWith(API) && !path.endsWith('*') && taken !== 'relay');
      const other = routes.find((entry) => paramsOf(entry.segments, segments) !== undefined);
      if (other !== undefined) return { allow: other.operation.method };
      return routes.some(({ segments: template }) => paramsOf(template.map(asText), segments) !== undefined) ? 'malformed' : undefined;
    },
  };
}

const API = '/api/';

function asText(segment: Segment): Segment {
  return segment.kind === 'uuid' ? { ...segment, kind: 'text' } : segment;
}

interface Entry {
  readonly operation: Operation;
  readonly segments: readonly Segment[];
}

/** A tree over segments: literals first, then UUIDs, then free names, then the rest. */
interface Node {
  readonly literals: Map<string, Node>;
  uuid: Node | undefined;
  text: Node | undefined;
  readonly rest: Map<Method, Entry>;
  readonly ends: Map<Method, Entry>;
}

function emptyNode(): Node {
  return { literals: new Map(), uuid: undefined, text: undefined, rest: new Map(), ends: new Map() };
}

function insert(root: Node, entry: Entry): void {
  let node = root;
  for (const segment of entry.segments) {
    if (segment.kind === 'rest') {
      setOnce(node.rest, entry);
      return;
    }
    node = child(node, segment);
  }
  setOnce(node.ends, entry);
}

function child(node: Node, segment: LiteralSegment | NamedSegment): Node {
  if (segment.kind === 'literal') {
    const known = node.literals.get(segment.text) ?? emptyNode();
    node.literals.set(segment.text, known);
    return known;
  }
  const known = node[segment.kind] ?? emptyNode();
  node[segment.kind] = known;
  return known;
}

function setOnce(entries: Map<Method, Entry>, entry: Entry): void {
  const { method, path } = entry.operation;
  if (entries.has(method)) throw invalid(`two entries for ${method} ${path}`);
  entries.set(method, entry);
}

/** A rest never takes what a literal at its place names: an unknown route below /api is unknown, not a file of the UI. */
function search(node: Node, segments: readonly string[], method: string): Entry | undefined {
  const [first, ...others] = segments;
  if (first === undefined) return ofMethod(node.ends, method) ?? ofMethod(node.rest, method);
  const literal = node.literals.get(first);
  const found =
    (literal && search(literal, others, method)) ??
    (node.uuid && normaliseUuid(first) !== undefined ? search(node.uuid, others, method) : undefined) ??
    (node.text && search(node.text, others, method));
  if (found !== undefined || literal !== undefined) return found;
  return ofMethod(node.rest, method);
}

function ofMethod(entries: ReadonlyMap<string, Entry>, method: string): Entry | undefined {
  return entries.get(method);
}

function paramsOf(template: readonly Segment[], segments: readonly string[]): Params | undefined {
  const isOpen = template.at(-1)?.kind === 'rest';
  if (isOpen ? segments.length < template.length - 1 : segments.length !== template.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    if (part.kind === 'rest') break;
    const value = readSegment(part, segments[index] ?? '');
    if (value === undefined) return undefined;
    if (part.kind !== 'literal') params[part.name] = value;
  }
  return params;
}

function readSegment(part: LiteralSegment | NamedSegment, segment: string): string | undefined {
  if (part.kind === 'literal') return part.text === segment ? segment : undefined;
  return part.kind === 'uuid' ? normaliseUuid(segment) : segment;
}

function isOwn(rawPath: string): boolean {
  return `${rawPath}/`.startsWith(OWN_PREFIX);
}

function invalid(detail: string): LictorError {
  return new LictorError('catalogue-invalid', 'The action catalogue contradicts itself.', { detail });
}
