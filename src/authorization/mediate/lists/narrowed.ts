// How a list is narrowed for a principal with scopes: Prefect gets another body, or Lictor answers itself.
import { field, isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { conjoin } from '../../../prefect/scope-filter/conjoin.ts';
import type { Found, Refusal, ScopeFilter } from '../../../prefect/scope-filter/scope-filter.ts';
import type { Call } from '../handler.ts';

export type Narrowed =
  | {
      readonly ok: true;
      readonly forward: true;
      readonly tree: JsonValue | undefined;
      readonly reply?: (answer: UpstreamAnswer) => UpstreamAnswer | Promise<UpstreamAnswer>;
      /** The last step over the answer: removes the other objects that it names. */
      readonly screen?: (answer: UpstreamAnswer) => Promise<UpstreamAnswer>;
    }
  /** Lictor's own answer, from Prefect's answers to its lookups. */
  | { readonly ok: true; readonly forward: false; readonly answer: JsonValue }
  | { readonly ok: false; readonly refusal: Refusal };

export type Narrow = (call: Call, scopeFilter: ScopeFilter) => Promise<Narrowed>;

/** `reply` changes an answer with status 200. */
export function forwarded(tree: JsonValue | undefined, reply?: (answer: UpstreamAnswer) => UpstreamAnswer | Promise<UpstreamAnswer>): Narrowed {
  return { ok: true, forward: true, tree, ...(reply !== undefined && { reply: (answer) => (answer.status === 200 ? reply(answer) : answer) }) };
}

export function answered(answer: JsonValue): Narrowed {
  return { ok: true, forward: false, answer };
}

export function refused(refusal: Refusal): Narrowed {
  return { ok: false, refusal };
}

export const NO_OBJECT: Refusal = { code: 'body-invalid', detail: 'The body must be a JSON object.' };

/** For lists with a JSON object as their body. A request without a body asks for everything. */
export function narrowBody(narrow: (body: JsonObject, scopeFilter: ScopeFilter, call: Call) => Promise<Narrowed>): Narrow {
  return async (call, scopeFilter) => {
    const body = call.tree === undefined ? {} : call.tree;
    return isObject(body) ? narrow(body, scopeFilter, call) : refused(NO_OBJECT);
  };
}

/** The body with the ids in the filter `key`, ANDed with the client's own filter. */
export function withIds(body: JsonObject, key: string, name: string, ids: Found<string>): Narrowed {
  if (!ids.ok) return refused(ids.refusal);
  const joined = conjoin(field(body, key), { [name]: ids.items });
  return joined.ok ? forwarded({ ...body, [key]: joined.filter }) : refused({ code: 'scope-filter', detail: joined.detail });
}
