// What policies may ask of a resource: `resource has tags && resource.tags.contains("team-a")`. One place, so that schema and engine agree.
import type { Type } from '@cedar-policy/cedar-wasm/nodejs';
import type { Entity } from '../../contract/entity.ts';

export type Attributes = Record<string, Type<string> & { required?: boolean }>;

const TEXT = { type: 'String', required: false } as const;
const TEXTS = { type: 'Set', element: { type: 'String' }, required: false } as const;

/** None is there when the resource was not looked up (a list, a kind as a whole), and each only where there is something to say. */
export const RESOURCE_ATTRIBUTES: Attributes = {
  name: TEXT,
  tags: TEXTS,
  work_pool: TEXT,
  work_queue: TEXT,
  /** Name of the flow. */
  flow: TEXT,
  /** `FLOW/NAME`. */
  deployment: TEXT,
  /** The principal that has made it. */
  owner: TEXT,
  /** Type of a run's state, in upper case. */
  state: TEXT,
  /** `KEY=VALUE` each. */
  labels: TEXTS,
};

/** What policies may ask of a principal. All but the first two are known for calls of services and hosts alone: of the run that calls. */
export const PRINCIPAL_ATTRIBUTES: Attributes = {
  kind: { type: 'String' },
  idp: TEXT,
  /** Those that its deployment has as well: a run gives itself any. */
  tags: TEXTS,
  flow: TEXT,
  /** `FLOW/NAME`. */
  deployment: TEXT,
  work_pool: TEXT,
  /** Who has started the run, nearest first; evidence, which policies had better use to take away. */
  initiators: TEXTS,
};

/** As `runOf` (decide/egress.ts) has it. Null: not a run, or one that Prefect does not know. */
export function callerAttributes(run: Entity | null, onBehalfOf: readonly string[]): Record<string, string | string[]> {
  const initiators = onBehalfOf.length === 0 ? {} : { initiators: [...onBehalfOf] };
  if (run === null) return initiators;
  const { tags, flow, deployment, work_pool } = attributesOf(run);
  const known = Object.entries({ tags, flow, deployment, work_pool }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return { ...Object.fromEntries(known), ...initiators };
}

export function attributesOf(entity: Entity): Record<string, string | string[]> {
  const { name, workPool, workQueue, flow, deployment, owner, state } = entity;
  const texts = { name, work_pool: workPool, work_queue: workQueue, flow, deployment, owner, state };
  return {
    ...Object.fromEntries(Object.entries(texts).filter((pair): pair is [string, string] => pair[1] !== null)),
    tags: [...entity.tags],
    labels: Object.entries(entity.labels).map(([key, value]) => `${key}=${value}`),
  };
}
