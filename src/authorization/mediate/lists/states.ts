// States are asked for by their own id, or by the run in the query: each is its run's.

import { field, isObject } from '../../../contract/json/tree.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { decidingValues } from '../../../prefect/catalog/query.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { answered, forwarded, type Narrow, refused } from './narrow.ts';

/** Prefect answers an empty list for a run that is not there. */
export function statesOf(type: ResourceType, name: string): Narrow {
  return async (call, scopeFilter) => {
    const id = parseUuid(decidingValues([name], call.inputs.args)?.get(name) ?? '');
    if (id === undefined) return refused({ code: 'query-invalid' });
    return (await coveredIds(scopeFilter, type, [id])).has(id) ? forwarded(undefined) : answered([]);
  };
}

export function state(type: ResourceType, path: string, owner: string): Narrow {
  return async (call, scopeFilter) => {
    const found = await scopeFilter.lookup(`${path}/${call.params['id'] ?? ''}`);
    const details = field(found, 'state_details');
    const id = isObject(details) ? parseUuid(textOf(details, owner)) : undefined;
    const isCovered = id !== undefined && (await coveredIds(scopeFilter, type, [id])).has(id);
    return isCovered ? forwarded(undefined) : refused({ code: 'object-foreign' });
  };
}
