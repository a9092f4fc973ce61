// An object of Prefect as scopes and policies see it: what it is, and what it is contained in.
import type { ResourceType } from './operation.ts';

/** What is inside something else (a task run in its flow run, a queue in its pool) has the attributes of what it is in. */
export interface Entity {
  readonly type: ResourceType;
  /** Prefect's id; null: an object that is about to be made, or a kind that is known by name alone. */
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
  /** Of a run that has one itself, and not by the run that started it. */
  readonly deploymentId: string | null;
  /** The principal that has made it; null: not known. */
  readonly owner: string | null;
  /** Type of a run's state, in upper case. */
  readonly state: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** What a flow is known by: its deployments and its latest runs; empty for every other kind. */
  readonly uses: readonly Entity[];
  /** A flow has more uses than were looked at. */
  readonly hasMoreUses: boolean;
}

/** An entity of which nothing is known but its kind. */
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
