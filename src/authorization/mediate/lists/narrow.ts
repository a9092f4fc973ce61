// What a list family says for a scoped principal: the body that Prefect gets instead, or the answer that is made here.
import { field, isObject, type JsonObject, type JsonValue } from '../../../contract/json/tree.ts';
import type { UpstreamAnswer } from '../../../prefect/client/upstream.ts';
import { conjoin } from '../../../prefect/scope-filter/conjoin.ts';
import type { Found, Refusal, ScopeFilter } from '../../../prefect/scope-filter/scope-filter.ts';
import type { Call } from '../family.ts';

export type Narrowed =
  | {
      readonly ok: true;
      readonly forward: true;
      readonly tree: JsonValue | undefined;
      readonly reply?: (answer: UpstreamAnswer) => UpstreamAnswer | Promise<UpstreamAnswer>;
      /** The same, when everything else is made of the answer: what it names besides is left out. */
      readonly screen?: (answer: UpstreamAnswer) => Promise<UpstreamAnswer>;
    }
  /** Made here of what Prefect was asked already. */
  | { readonly ok: true; readonly forward: false; readonly answer: JsonValue }
  | { readonly ok: false; readonly refusal: Refusal };

export type Narrow = (call: Call, scopeFilter: ScopeFilter) => Promise<Narrowed>;

export function forwarded(tree: JsonValue | undefined): Narrowed {
  return { ok: true, forward: true, tree };
}

export function answered(answer: JsonValue): Narrowed {
  return { ok: true, forward: false, answer };
}

export function refused(refusal: Refusal): Narrowed {
  return { ok: false, refusal };
}

/** No body asks for everything; undefined: it is no object. */
export function bodyOf({ tree }: Call): JsonObject | undefined {
  if (tree === undefined) return {};
  return isObject(tree) ? tree : undefined;
}

export const NO_OBJECT: Refusal = { code: 'body-invalid', detail: 'The body must be a JSON object.' };

/** The body with ids in the filter `key`, joined with those that the client names. */
export function withIds(body: JsonObject, key: string, name: string, ids: Found<string>): Narrowed {
  if (!ids.ok) return refused(ids.refusal);
  const joined = conjoin(field(body, key), { [name]: ids.items });
  return joined.ok ? forwarded({ ...body, [key]: joined.filter }) : refused({ code: 'scope-filter', detail: joined.detail });
}
