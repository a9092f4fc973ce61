// Every key of the JSON Schema by its place, and what is known about it.
import { isRecord } from '../expand.ts';

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

/** Items that are told apart by `type` have a place of their own. */
function typed(node: unknown, at: string): string {
  const properties = isRecord(node) && isRecord(node['properties']) ? node['properties'] : {};
  const type = isRecord(properties['type']) ? properties['type']['const'] : undefined;
  return typeof type === 'string' && at.endsWith('[]') ? `${at.slice(0, -2)}[${type}]` : at;
}

function unique(keys: readonly SchemaKey[]): readonly SchemaKey[] {
  return keys.filter(({ place }, index) => keys.findIndex((other) => other.place === place) === index);
}
