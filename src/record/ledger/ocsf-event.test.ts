import { describe, expect, it } from 'vitest';
import { ocsfOfPrefectEvent } from './ocsf-event.ts';
import { flowRunEvent, uuid } from './prefect-events/event.fixture.ts';

const of = (state: string | null, event = 'prefect.flow-run.X') => ocsfOfPrefectEvent(flowRunEvent(1, 2, { state_type: state, state_name: null, event }));

describe('an event of Prefect in OCSF', () => {
  it('is the life of what it is about', () => {
    expect(ocsfOfPrefectEvent(flowRunEvent(1, 2, { task_run_id: uuid(3) }))).toEqual({
      metadata: {
        version: '1.6.0',
        product: { name: 'Prefect', vendor_name: 'Prefect' },
        uid: uuid(1),
        event_code: 'prefect.flow-run.Running',
        correlation_uid: uuid(2),
      },
      time: Date.parse('2026-03-01T12:00:00.000Z'),
      class_uid: 6002,
      category_uid: 6,
      activity_id: 3,
      type_uid: 600_203,
      severity_id: 1,
      status: 'Running',
      status_code: 'RUNNING',
      app: { name: 'fuzzy-otter', uid: `prefect.flow-run.${uuid(2)}` },
      resources: [{ type: 'prefect.flow-run', uid: `prefect.flow-run.${uuid(2)}`, name: 'fuzzy-otter' }],
      unmapped: {
        event: 'prefect.flow-run.Running',
        flow_run_id: uuid(2),
        task_run_id: uuid(3),
        related: [{ id: 'prefect.flow.1', role: 'flow', name: 'Grüße "quoted"' }],
      },
    });
  });

  it('ends well or badly; what does neither has no status', () => {
    for (const state of ['FAILED', 'CRASHED']) expect(of(state), state).toMatchObject({ activity_id: 4, status_id: 2, severity_id: 2 });
    expect(of('COMPLETED')).toMatchObject({ activity_id: 4, status_id: 1, severity_id: 1 });
    expect(of('CANCELLED')).toMatchObject({ activity_id: 4, severity_id: 1 });
    for (const state of ['CANCELLED', 'PENDING', null]) expect(of(state), String(state)).not.toHaveProperty('status_id');
    expect(of(null, 'prefect.worker.heartbeat')).toMatchObject({ activity_id: 99, activity_name: 'prefect.worker.heartbeat' });
  });
});
