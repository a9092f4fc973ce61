// Lists of what a scope covers by name (src/prefect/scope-filter/named.ts).

import { field, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { answerList, withJson } from '../../../prefect/client/answer.ts';
import { coveredIds } from '../../../prefect/scope-filter/covered-ids.ts';
import { coveredItems, coveredOf, type Named } from '../../../prefect/scope-filter/named.ts';
import { textOf } from '../../../prefect/scope-filter/scope-filter.ts';
import { wholeNumber } from '../changes.ts';
import { answered, bodyOf, type Narrow, NO_OBJECT, refused, withIds } from './narrow.ts';

/** The ids of the covered ones go into the client's filter. */
export function narrowNamed(named: Named): Narrow {
  return async (call, scopeFilter) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const covered = await coveredItems(scopeFilter, named);
    return withIds(body, named.key, 'id', covered.ok ? { ok: true, items: covered.items.map((item) => textOf(item, 'id')) } : covered);
  };
}

/** Where Prefect takes no filter at all, or older ones none of ids, the page is cut here. */
export function pageNamed(named: Named): Narrow {
  return async (call, scopeFilter) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const limit = wholeOr(field(body, 'limit'), MOST_LISTED);
    const offset = wholeOr(field(body, 'offset'), 0);
    if (limit === undefined || offset === undefined || limit > MOST_LISTED)
      return refused({ code: 'body-invalid', detail: 'limit and offset must be whole numbers.' });
    const covered = await coveredItems(scopeFilter, named, asked(body, named));
    return covered.ok ? answered(covered.items.slice(offset, offset + limit)) : refused(covered.refusal);
  };
}

/** Where an older Prefect counts everybody's, whatever filter stands in the body. */
export function countNamed(named: Named): Narrow {
  return async (call, scopeFilter) => {
    const body = bodyOf(call);
    if (body === undefined) return refused(NO_OBJECT);
    const covered = await coveredItems(scopeFilter, named, asked(body, named));
    return covered.ok ? answered(covered.items.length) : refused(covered.refusal);
  };
}

/** What the client asks for of the whole list. */
function asked(body: JsonObject, { key }: Named): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== null && (name === 'sort' || name === key)));
}

/** Answers that are whole lists: what is not covered is taken out. */
export function filterAnswer(named: Pick<Named, 'entity'>): Narrow {
  return async (call, scopeFilter) => ({
    ok: true,
    forward: true,
    tree: call.tree,
    reply: async (answer) => (answer.status === 200 ? withJson(answer, [...(await coveredOf(scopeFilter, named.entity, answerList(answer)))]) : answer),
  });
}

/** The same, by ids alone: Prefect names every queue that a deployment's run could come from, of all pools. */
export function filterIds(type: ResourceType): Narrow {
  return async (call, scopeFilter) => ({
    ok: true,
    forward: true,
    tree: call.tree,
    reply: async (answer) => {
      if (answer.status !== 200) return answer;
      const items = answerList(answer);
      const covered = await coveredIds(
        scopeFilter,
        type,
        items.map((item) => textOf(item, 'id')),
      );
      return withJson(
        answer,
        items.filter((item) => covered.has(textOf(item, 'id'))),
      );
    },
  });
}

/** Prefect's own limit of a page. */
const MOST_LISTED = 200;

function wholeOr(value: JsonValue | undefined, otherwise: number): number | undefined {
  return value === undefined || value === null ? otherwise : wholeNumber(value);
}
