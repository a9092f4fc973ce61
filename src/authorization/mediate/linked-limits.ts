// The global concurrency limit that a deployment is linked with, whoever else takes its slots: in Prefect a deployment's `concurrency_limit` is
// written into it, null deletes it, and so does deleting the deployment (models/deployments.py of 3.9.1). So that is a right on the limit.

import { field, isList, isObject, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import type { Lookup } from './family.ts';
import { distinctAsks } from './references.ts';

export interface Linked {
  /** Null: it is not there yet. */
  readonly id: string | null;
  readonly old: JsonObject | null;
}

/** What writing this body makes of the limit that the deployment has then. */
export function linkedLimitAsks(body: JsonObject, { id, old }: Linked): readonly Ask[] {
  const wanted = field(body, 'concurrency_limit');
  const given = field(body, 'global_concurrency_limit_id');
  const present = limitOf(old);
  if (wanted === undefined || given === null) return [];
  const isPresent = present !== undefined && (given === undefined || uuidOf(given) === uuidOf(field(present, 'id')));
  if (given === undefined && !isPresent) return [];
  if (isPresent && (isOwn(present, id) || sameTree(field(present, 'limit') ?? null, wanted))) return [];
  return [ask(wanted === null ? 'concurrency.delete' : 'concurrency.write', isPresent ? field(present, 'id') : given)];
}

/** What deleting these deployments deletes besides. */
export async function deletedLimitAsks(ids: readonly string[], lookup: Lookup): Promise<readonly Ask[]> {
  if (ids.length === 0) return [];
  const found = await lookup('/api/deployments/filter', { deployments: { id: { any_: [...ids] } }, limit: ids.length });
  if (!isList(found)) return [ask('concurrency.delete', undefined)];
  const asks = found.filter(isObject).flatMap((deployment) => {
    const limit = limitOf(deployment);
    return limit === undefined || isOwn(limit, uuidOf(field(deployment, 'id'))) ? [] : [ask('concurrency.delete', field(limit, 'id'))];
  });
  return distinctAsks(asks);
}

function limitOf(deployment: JsonObject | null): JsonObject | undefined {
  const limit = field(deployment, 'global_concurrency_limit');
  return isObject(limit) ? limit : undefined;
}

/** Prefect makes one of this name for a deployment's own `concurrency_limit`. */
function isOwn(limit: JsonObject, deployment: string | null): boolean {
  return deployment !== null && field(limit, 'name') === `deployment:${deployment}`;
}

function ask(action: 'concurrency.delete' | 'concurrency.write', id: JsonValue | undefined): Ask {
  return { action, resource: { type: 'ConcurrencyLimit', id: uuidOf(id) } };
}

function uuidOf(value: JsonValue | undefined): string | null {
  return parseUuid(value) ?? null;
}
