// The answer to "may this principal do this action on this resource, now?". Deny is a value.

import type { ActionName, ResourceType } from './operation.ts';
import type { ReasonCode } from './reasons.ts';

export type Effect = 'allow' | 'deny';

export interface Resource {
  readonly type: ResourceType;
  /** Prefect's id or name; null: the type as a whole (lists, creation). */
  readonly id: string | null;
}

/** A resource, and how to find it. */
export interface Located extends Resource {
  /** `id` is a name, also when it looks like an id. */
  readonly named?: boolean;
  /** The namespace of its name: the flow of a deployment, the pool of a queue or worker, the block type of a block; `tag` for a tag limit. */
  readonly within?: string;
}

/** Facts of a body by name. A list is a set of texts. */
export type FactValue = boolean | number | string | readonly string[];
export type Facts = Readonly<Record<string, FactValue>>;

/** Facts about the request that policies may use. Snake case: these are the names in Cedar's `context`. */
export interface DecisionContext {
  readonly address: string;
  readonly carrier: string;
  /** Facts of the body (mediated path); empty on the direct path. */
  readonly facts: Facts;
}

/**
 * `effect` is the result of the policies, `enforced` the result for the request: they differ only in an observe-only mode.
 * `policies` names every policy that determined the effect; empty for a default deny.
 */
export interface Decision {
  readonly effect: Effect;
  readonly enforced: Effect;
  readonly reason: ReasonCode;
  readonly action: ActionName;
  readonly resource: Resource;
  readonly policies: readonly string[];
  readonly revision: number;
  /** For a deny: the id of the principal that lacks the right, if it is another one of the chain (`limitedBy`). */
  readonly lackedBy?: string;
}
