// Every key of the JSON Schema with its place and its node.
import { isRecord } from '../expand.ts';
import { problemPath } from '../problem.ts';
import type { Keys } from '../report.ts';

export interface SchemaKey {
  /** `identity_providers[oidc].issuer`, `roles[].members`. */
  readonly place: string;
  readonly node: Record<string, unknown>;
  readonly isRequired: boolean;
}

/** In the order of the schema, parents first. */
export function schemaKeys(schema: unknown, at = ''): readonly SchemaKey[] {
  if (!isRecord(schema)) return [];
  const { properties, items, required } = schema;
  const names = Array.isArray(required) ? required : [];
  const own = Object.entries(isRecord(properties) ? properties : {}).flatMap(([name, node]): SchemaKey[] => {
    if (!isRecord(node)) return [];
    const place = at === '' ? name : `${at}.${name}`;
    return [{ place, node, isRequired: names.includes(name) }, ...schemaKeys(node, place)];
  });
  const alternatives = [schema['anyOf'], schema['oneOf']].flatMap((list) => (Array.isArray(list) ? list : []));
  return unique([...own, ...alternatives.flatMap((node: unknown) => schemaKeys(node, typed(node, at))), ...schemaKeys(items, `${at}[]`)]);
}

/** Items that `type` distinguishes have separate places. */
function typed(node: unknown, at: string): string {
  const properties = isRecord(node) && isRecord(node['properties']) ? node['properties'] : {};
  const type = isRecord(properties['type']) ? properties['type']['const'] : undefined;
  return typeof type === 'string' && at.endsWith('[]') ? `${at.slice(0, -2)}[${type}]` : at;
}

function unique(keys: readonly SchemaKey[]): readonly SchemaKey[] {
  return keys.filter(({ place }, index) => keys.findIndex((other) => other.place === place) === index);
}

/** Items of lists have one place, whatever their number and type. */
export function generalPlace(place: string): string {
  return place.replaceAll(/\[[^\]]*\]/g, '[]');
}

/** The places of the file that hold a secret (`secretText`). */
export function isSecretIn(schema: unknown): (keys: Keys) => boolean {
  const places = new Set(schemaKeys(schema).flatMap(({ place, node }) => (node['writeOnly'] === true ? [generalPlace(place)] : [])));
  return (keys) => places.has(generalPlace(problemPath(keys)));
}

/** The description of the key; undefined if the schema has none. */
export function describedAt(schema: unknown, keys: Keys): string | undefined {
  const place = generalPlace(problemPath(keys));
  const description = schemaKeys(schema).find((key) => generalPlace(key.place) === place)?.node['description'];
  return typeof description === 'string' ? description : undefined;
}

/** Names of the keys that may stand below `keys`; empty where there are none. */
export function knownKeys(schema: unknown, keys: Keys): readonly string[] {
  let nodes = branches(schema);
  for (const key of keys) nodes = nodes.flatMap((node) => branches(step(node, key)));
  return [...new Set(nodes.flatMap((node) => (isRecord(node['properties']) ? Object.keys(node['properties']) : [])))];
}

function step(node: Record<string, unknown>, key: PropertyKey): unknown {
  if (typeof key === 'number') return node['items'];
  return isRecord(node['properties']) ? node['properties'][String(key)] : undefined;
}

/** The node itself, or its alternatives. */
function branches(node: unknown): readonly Record<string, unknown>[] {
  if (!isRecord(node)) return [];
  const alternatives = [node['anyOf'], node['oneOf'], node['allOf']].flatMap((list) => (Array.isArray(list) ? list : []));
  return [node, ...alternatives.flatMap(branches)];
}
