// The attributes of resources and principals for policies, as in `resource has tags && resource.tags.contains("team-a")`. Schema and engine share them.
import type { Type } from '@cedar-policy/cedar-wasm/nodejs';
import type { Entity } from '../../contract/entity.ts';

export type Attributes = Record<string, Type<string> & { required?: boolean }>;

const TEXT = { type: 'String', required: false } as const;
const TEXTS = { type: 'Set', element: { type: 'String' }, required: false } as const;

/** All are optional: a list or a whole kind has none, and an object only those with a value. */
export const RESOURCE_ATTRIBUTES: Attributes = {
  name: TEXT,
  tags: TEXTS,
  work_pool: TEXT,
  work_queue: TEXT,
  /** Name of the flow. */
  flow: TEXT,
  /** `FLOW/NAME`. */
  deployment: TEXT,
  /** The principal that created it. */
  owner: TEXT,
  /** Type of a run's state, in upper case. */
  state: TEXT,
  /** `KEY=VALUE` each. */
  labels: TEXTS,
};

/** Attributes of a principal. All but the first two describe the calling run, and exist only for calls of services and hosts. */
export const PRINCIPAL_ATTRIBUTES: Attributes = {
  kind: { type: 'String' },
  idp: TEXT,
  /** Only tags that its deployment has as well, since a run may set any tag on itself. */
  tags: TEXTS,
  flow: TEXT,
  /** `FLOW/NAME`. */
  deployment: TEXT,
  work_pool: TEXT,
  /** The initiators of the run, nearest first. They are evidence: use them in `forbid` rather than in `permit`. */
  initiators: TEXTS,
};

/** `run`: as `runOf` (decide/egress.ts) returns it. Null: no run, or unknown to Prefect. */
export function principalAttributes(run: Entity | null, onBehalfOf: readonly string[]): Record<string, string | string[]> {
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
