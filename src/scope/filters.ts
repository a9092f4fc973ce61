// Lists under a scope: Prefect's own filter for one scope and one kind, or that there is none.
//
// OWNED BY the work on lists (list mediation, crawler, sockets); covers.ts and what single objects are decided by is owned by the
// work on scopes. Here is only the seam: nothing can be narrowed yet, so every list of a scoped role is refused.
import type { ResourceType } from '../contract/operation.ts';
import type { Scope } from '../contract/scope.ts';

export type ScopeFilter =
  | { readonly filterable: false }
  /** Filters by the body's key: `{flow_runs: {tags: {any_: [...]}}}`; all of them must hold. */
  | { readonly filterable: true; readonly filters: Readonly<Record<string, unknown>> };

/** What a list of `kind` must be narrowed with so that it shows what the scope covers and nothing else. `who` is for `own`. */
export function filterFor(_scope: Scope, _kind: ResourceType, _who: string): ScopeFilter {
  return { filterable: false };
}
