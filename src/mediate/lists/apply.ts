// The step of a mediated request that scopes add: what is forwarded shows what the scopes cover, or nothing is.
import type { Scope } from '../../contract/scope.ts';
import type { JsonValue } from '../../json/tree.ts';
import type { UpstreamAnswer } from '../../prefect/upstream.ts';
import type { Call, Lookup } from '../family.ts';
import { forwarded, type Narrowed, refused } from './narrow.ts';
import { narrowOf } from './table.ts';

export interface Restricted {
  /** What holds for this request; null: everything is shown. */
  readonly scopes: readonly Scope[] | null;
  readonly who: string;
  readonly lookup: Lookup;
}

/** `tree`: what the family forwards. */
export async function narrow(call: Call, tree: JsonValue | undefined, { scopes, who, lookup }: Restricted): Promise<Narrowed> {
  if (scopes === null) return forwarded(tree);
  const narrowList = narrowOf(call.operation);
  return narrowList === undefined ? refused({ code: 'scope-not-filterable' }) : narrowList({ ...call, tree }, { scopes, who, lookup });
}

export function answerOf(value: JsonValue): UpstreamAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)), upstreamMs: 0 };
}
