// The global concurrency limit of a deployment, whose slots others may take as well.
//
// Prefect writes a deployment's `concurrency_limit` into that limit. It deletes the limit for null, and together with the deployment
// (models/deployments.py of 3.9.1). So these writes need a right on the limit.

import { field, isList, isObject, type JsonObject, type JsonValue, sameTree } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { Ask } from '../decide/decider.ts';
import type { Lookup } from './handler.ts';
import { distinctAsks } from './template-references.ts';

interface LinkedDeployment {
  /** Null: it does not exist yet. */
  readonly id: string | null;
  readonly old: JsonObject | null;
}

/** The change that this body makes to the deployment's limit. */
export function linkedLimitAsks(body: JsonObject, { id, old }: LinkedDeployment): readonly Ask[] {
  const limit = field(body, 'concurrency_limit');
  const given = field(body, 'global_concurrency_limit_id');
  const present = limitOf(old);
  if (limit === undefined || given === null) return [];
  const isPresent = present !== undefined && (given === undefined || parseUuid(given) === parseUuid(field(present, 'id')));
  if (given === undefined && !isPresent) return [];
  if (isPresent && (isOwn(present, id) || sameTree(field(present, 'limit') ?? null, limit))) return [];
  return [ask(limit === null ? 'concurrency.delete' : 'concurrency.write', isPresent ? field(present, 'id') : given)];
}

/** The limits that Prefect deletes together with these deployments. */
export async function deletedLimitAsks(ids: readonly string[], lookup: Lookup): Promise<readonly Ask[]> {
  if (ids.length === 0) return [];
  const found = await lookup('/api/deployments/filter', { deployments: { id: { any_: [...ids] } }, limit: ids.length });
  if (!isList(found)) return [ask('concurrency.delete', undefined)];
  const asks = found.flatMap((deployment) => {
    const limit = limitOf(deployment);
    return limit === undefined || isOwn(limit, parseUuid(field(deployment, 'id')) ?? null) ? [] : [ask('concurrency.delete', field(limit, 'id'))];
  });
  return distinctAsks(asks);
}

function limitOf(deployment: JsonValue): JsonObject | undefined {
  const limit = field(deployment, 'global_concurrency_limit');
  return isObject(limit) ? limit : undefined;
}

/** Prefect creates a limit of this name for a deployment's own `concurrency_limit`. */
function isOwn(limit: JsonObject, deployment: string | null): boolean {
  return deployment !== null && field(limit, 'name') === `deployment:${deployment}`;
}

function ask(action: 'concurrency.delete' | 'concurrency.write', id: JsonValue | undefined): Ask {
  return { action, resource: { type: 'ConcurrencyLimit', id: parseUuid(id) ?? null } };
}
