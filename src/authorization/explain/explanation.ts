// The answer of `explain`. Snake case and stable: it is what --json prints.

import type { Effect, Facts } from '../../contract/decision.ts';
import type { ActionGroup, PathTaken, ResourceType } from '../../contract/operation.ts';
import type { PrincipalKind } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { RoleOrigin } from '../../identity/authn/role-origins.ts';

export interface ExplainedPolicy {
  readonly id: string;
  /** Null: not one of the built-in ones. */
  readonly file: string | null;
  readonly description: string;
}

/** One right that was asked for. */
export interface ExplainedAsk {
  readonly action: string;
  readonly group: ActionGroup | null;
  readonly resource_type: ResourceType;
  readonly resource_id: string | null;
  readonly facts: Facts;
  /** What was looked at of the object, in the words of policies; null: nothing. */
  readonly attributes: Readonly<Record<string, string | readonly string[]>> | null;
  /** Allowed for what these scopes cover alone; null: for everything. */
  readonly narrowed_to: readonly string[] | null;
  readonly decision: Effect;
  readonly reason: ReasonCode;
  readonly policies: readonly ExplainedPolicy[];
}

export interface ExplainedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Null: not in the catalogue. */
  readonly operation: string | null;
  readonly route: string | null;
  readonly path_taken: PathTaken | null;
}

export interface Explanation {
  /** Of the whole: every right that the request needs must be allowed. */
  readonly decision: Effect;
  readonly reason: ReasonCode;
  readonly detail: string;
  readonly hint: string;
  /** What the client gets when it is refused; null: it goes on to Prefect. */
  readonly status: number | null;
  /** True: the body can ask for more than `asks`, and none was given. */
  readonly depends_on_body: boolean;
  readonly principal: {
    readonly id: string;
    readonly kind: PrincipalKind;
    readonly idp: string | null;
    readonly hypothetical: boolean;
    readonly roles: readonly RoleOrigin[];
  };
  readonly request: ExplainedRequest | null;
  readonly asks: readonly ExplainedAsk[];
  /** What a body can turn the request into, or ask for besides; empty when the body is known. */
  readonly further: readonly ExplainedAsk[];
  readonly revision: number | null;
  readonly notes: readonly string[];
}

/** A request that was made, as the ledger has it, and the same question asked now. */
export interface Revisited {
  readonly record: LedgerRecord;
  /** Null: it cannot be asked again; `notes` says why. */
  readonly now: Explanation | null;
  readonly changed: boolean;
  readonly notes: readonly string[];
}
