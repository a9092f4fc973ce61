// For tests: events of Prefect, as short as they can be said.
import type { EventsMark, PrefectEvent } from '../../contract/prefect-event.ts';

export const uuid = (number: number): string => `0199c0de-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** A state of flow run `run`. */
export function flowRunEvent(number: number, run: number, more: Partial<PrefectEvent> = {}): PrefectEvent {
  return {
    id: uuid(number),
    occurred: `2026-03-01T12:00:00.${String(number).padStart(6, '0')}Z`,
    received: null,
    event: 'prefect.flow-run.Running',
    resource_id: `prefect.flow-run.${uuid(run)}`,
    resource_name: 'fuzzy-otter',
    state_type: 'RUNNING',
    state_name: 'Running',
    flow_run_id: uuid(run),
    task_run_id: null,
    deployment_id: null,
    parent_task_run_id: null,
    follows: null,
    related: [{ id: 'prefect.flow.1', role: 'flow', name: 'Grüße "quoted"' }],
    ...more,
  };
}

export const MARK: EventsMark = {
  position: '2026-03-01T12:00:00.000Z',
  at: '2026-03-01T12:00:01.000Z',
  streams: 1,
  servers: 1,
  problem: null,
};
