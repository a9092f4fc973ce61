// The answer to "may this principal do this action on this resource, now?". Deny is a value.

import type { ActionName, ResourceType } from './operation.ts';
import type { ReasonCode } from './reasons.ts';

export type Effect = 'allow' | 'deny';

export interface Resource {
  readonly type: ResourceType;
  /** Prefect's id or name; null: the type as a whole (lists, creation). */
  readonly id: string | null;
}

/** A resource, and how it is found. */
export interface Located extends Resource {
  /** `id` is a name, also when it looks like an id. */
  readonly named?: boolean;
  /** What its name is unique in: the flow of a deployment, the pool of a queue or worker, the block type of a block; `tag` for a limit of a tag. */
  readonly within?: string;
}

/** What a body says, by name: a list is a set of texts. */
export type FactValue = boolean | number | string | readonly string[];
export type Facts = Readonly<Record<string, FactValue>>;

/** Facts about the request that policies may use. Snake case: these are the names in Cedar's `context`. */
export interface DecisionContext {
  readonly address: string;
  readonly carrier: string;
  /** What the body asks for (mediated path); empty on the direct path. */
  readonly facts: Facts;
}

/**
 * `effect` is what the policies say, `enforced` what was done with it: they differ only in an observe-only mode.
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
}
