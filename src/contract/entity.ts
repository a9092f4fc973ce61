// An object of Prefect as scopes and policies see it: its kind, its attributes, and those of the objects that contain it.
import type { ResourceType } from './operation.ts';

/** A contained object (a task run in its flow run, a queue in its pool) has the attributes of its container. */
export interface Entity {
  readonly type: ResourceType;
  /** Prefect's id; null: a new object, or a kind that only has names. */
  readonly id: string | null;
  /** Its own name: of a variable, block, automation, limit, flow, deployment or pool. */
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly workPool: string | null;
  readonly workQueue: string | null;
  /** Name of the flow. */
  readonly flow: string | null;
  /** `FLOW/NAME`. */
  readonly deployment: string | null;
  /** The deployment of the run itself, and not of the run that started it. */
  readonly deploymentId: string | null;
  /** The principal that created it; null: unknown. */
  readonly owner: string | null;
  /** Type of a run's state, in upper case. */
  readonly state: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The uses of a flow: its deployments and latest runs; empty for every other kind. */
  readonly uses: readonly Entity[];
  /** The flow has more uses than Lictor has read. */
  readonly hasMoreUses: boolean;
}

/** An entity with a kind and no known attributes. */
export function bareEntity(type: ResourceType, more: Partial<Entity> = {}): Entity {
  return {
    type,
    id: null,
    name: null,
    tags: [],
    workPool: null,
    workQueue: null,
    flow: null,
    deployment: null,
    deploymentId: null,
    owner: null,
    state: null,
    labels: {},
    uses: [],
    hasMoreUses: false,
    ...more,
  };
}
