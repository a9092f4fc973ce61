// What policies may ask of a resource: `resource has tags && resource.tags.contains("team-a")`. One place, so that schema and engine agree.
import type { Type } from '@cedar-policy/cedar-wasm/nodejs';
import type { Entity } from '../contract/entity.ts';

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

export function attributesOf(entity: Entity): Record<string, string | string[]> {
  const { name, workPool, workQueue, flow, deployment, owner, state } = entity;
  const texts = { name, work_pool: workPool, work_queue: workQueue, flow, deployment, owner, state };
  return {
    ...Object.fromEntries(Object.entries(texts).filter((pair): pair is [string, string] => pair[1] !== null)),
    tags: [...entity.tags],
    labels: Object.entries(entity.labels).map(([key, value]) => `${key}=${value}`),
  };
}
