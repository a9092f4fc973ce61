// Which keys may stand at a place of the file, read from the published JSON Schema.
import { isRecord } from '../expand.ts';
import type { Keys } from '../report.ts';
import { renderJsonSchema } from './index.ts';

/** Names of the keys that the schema knows below `keys`; empty where there are none. */
export function knownKeys(keys: Keys): readonly string[] {
  let nodes: readonly Record<string, unknown>[] = branches(JSON.parse(renderJsonSchema()));
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
