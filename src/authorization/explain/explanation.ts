// The answer of `explain`. Snake case and stable: it is what --json prints.

import type { Effect, Facts } from '../../contract/decision.ts';
import type { ActionGroup, PathTaken, ResourceType } from '../../contract/operation.ts';
import type { PrincipalKind } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { RoleOrigin } from '../../identity/authn/role-origins.ts';

export interface ExplainedPolicy {
  readonly id: string;
  /** Null: no built-in policy. */
  readonly file: string | null;
  /** Of its file, from 1. */
  readonly line: number | null;
  readonly description: string;
}

/** One right that the request needs, with its decision. */
export interface ExplainedAsk {
  readonly action: string;
  readonly group: ActionGroup | null;
  readonly resource_type: ResourceType;
  readonly resource_id: string | null;
  readonly facts: Facts;
  /** The object's attributes for policies; null: Lictor has not read it. */
  readonly attributes: Readonly<Record<string, string | readonly string[]>> | null;
  /** Allowed only for objects that these scopes cover; null: for everything. */
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
  /** Of the whole request: every right that it needs must be allowed. */
  readonly decision: Effect;
  readonly reason: ReasonCode;
  readonly detail: string;
  readonly hint: string;
  /** The status of a refusal; null: Lictor forwards the request to Prefect. */
  readonly status: number | null;
  /** True: the question has no body, and a body may need more rights than `asks`. */
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
  /** Alternative and additional rights that a body may need; empty when the body is known. */
  readonly further: readonly ExplainedAsk[];
  readonly revision: number | null;
  readonly notes: readonly string[];
}

/** A recorded request, and the same question decided now. */
export interface Revisited {
  readonly record: LedgerRecord;
  /** Null: Lictor cannot decide it again; `notes` says why. */
  readonly now: Explanation | null;
  readonly changed: boolean;
  readonly notes: readonly string[];
}
