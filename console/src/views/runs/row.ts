// One row of a timeline, as `GET timeline/{id}` has it.
export const LANES = ['who', 'approval', 'decision', 'state', 'task', 'run', 'service', 'worker', 'request', 'event', 'gateway'] as const;
/** In the order of the picture. */
export type Lane = (typeof LANES)[number];

export const LANE_NAMES: Readonly<Record<Lane, string>> = {
  who: 'Who asked',
  approval: 'Approvals',
  decision: 'Denials',
  state: 'States',
  task: 'Task runs',
  run: 'Sub-flows',
  service: 'Service calls',
  worker: 'Worker',
  request: 'Requests',
  event: 'Other events',
  gateway: 'Gateway',
};

export interface Row {
  readonly key: string;
  readonly kind: 'request' | 'decision' | 'gateway' | 'state' | 'task' | 'event' | 'run';
  readonly lane: Lane;
  readonly time: string;
  readonly duration_ms: number | null;
  readonly depth: number;
  readonly flow_run_id: string;
  readonly record_id: string | null;
  readonly binding: 'verified' | 'asserted' | 'none' | null;
  readonly principal: string | null;
  readonly on_behalf_of: readonly string[];
  readonly what: string | null;
  readonly state: string | null;
  readonly state_type: string | null;
  readonly status: number | null;
  readonly decision: 'allow' | 'deny' | null;
  readonly reason: string | null;
  readonly observed: boolean;
  readonly attempts: number | null;
  readonly message: string | null;
  readonly object_id: string | null;
  readonly routine: boolean;
}

/** A row with its time in milliseconds since 1970. */
export interface Timed {
  readonly row: Row;
  readonly from: number;
  /** The same as `from` for a moment. */
  readonly to: number;
  /** It has begun and not ended: its bar goes on to the end of the picture. */
  readonly open: boolean;
}

/** These last; every other row is a moment. */
const LASTING: readonly Row['kind'][] = ['state', 'task', 'run'];
/** Types of states that no other state follows. */
export const ENDED: readonly (string | null)[] = ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'];

export function timed(row: Row): Timed {
  const from = Date.parse(row.time);
  const lasts = LASTING.includes(row.kind);
  const open = lasts && row.duration_ms === null && !ENDED.includes(row.state_type);
  return { row, from, to: lasts ? from + (row.duration_ms ?? 0) : from, open };
}
