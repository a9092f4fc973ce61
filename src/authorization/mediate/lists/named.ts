// Lists of objects that a scope covers by name (src/prefect/scope-filter/named.ts).

import { field, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { answerList, withJson } from '../../../prefect/client/answer.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { coveredItems, coveredOf, type Named } from '../../../prefect/scope-filter/named.ts';
import { idsIn, textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../field-changes.ts';
import { answered, forwarded, type Narrow, narrowBody, refused, withIds } from './narrowed.ts';

/** Adds the ids of the covered objects to the client's filter. */
export function narrowNamed(named: Named): Narrow {
  return narrowBody(async (body, scopeFilter) => {
    return withIds(body, named.key, 'id', idsIn(await coveredItems(scopeFilter, named)));
  });
}

/** Lictor cuts the page itself where Prefect, or an older release, has no filter by ids. */
export function pageNamed(named: Named): Narrow {
  return narrowBody(async (body, scopeFilter) => {
    const limit = wholeOr(field(body, 'limit'), MOST_LISTED);
    const offset = wholeOr(field(body, 'offset'), 0);
    if (limit === undefined || offset === undefined || limit > MOST_LISTED)
      return refused({ code: 'body-invalid', detail: 'limit and offset must be whole numbers.' });
    const covered = await coveredItems(scopeFilter, named, listQuery(body, named));
    return covered.ok ? answered(covered.items.slice(offset, offset + limit)) : refused(covered.refusal);
  });
}

/** Lictor counts itself where an older Prefect ignores the filter. */
export function countNamed(named: Named): Narrow {
  return narrowBody(async (body, scopeFilter) => {
    const covered = await coveredItems(scopeFilter, named, listQuery(body, named));
    return covered.ok ? answered(covered.items.length) : refused(covered.refusal);
  });
}

/** The client's own order and filter. */
function listQuery(body: JsonObject, { key }: Named): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== null && (name === 'sort' || name === key)));
}

/** For an answer that is a whole list: Lictor removes the objects that no scope covers. */
export function filterAnswer(named: Pick<Named, 'entity'>): Narrow {
  return async (call, scopeFilter) =>
    forwarded(call.tree, async (answer) => withJson(answer, [...(await coveredOf(scopeFilter, named.entity, answerList(answer)))]));
}

/** The same by ids only: Prefect names the queues of all pools that could run a deployment. */
export function filterIds(type: ResourceType): Narrow {
  return async (call, scopeFilter) =>
    forwarded(call.tree, async (answer) => {
      const items = Map.groupBy(answerList(answer), (item) => textOf(item, 'id'));
      const covered = await coveredIds(scopeFilter, type, [...items.keys()]);
      const visible = [...items].flatMap(([id, same]) => (covered.has(id) ? same : []));
      return withJson(answer, visible);
    });
}

/** Prefect's own limit of a page. */
const MOST_LISTED = 200;

function wholeOr(value: JsonValue | undefined, otherwise: number): number | undefined {
  return value === undefined || value === null ? otherwise : wholeNumber(value);
}
