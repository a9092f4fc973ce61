// What a client says of a run, with whatever labels it likes, is no word of Prefect: no state, no maker, no parent of the run.
import { describe, expect, it } from 'vitest';
import { isFlowRunState } from '../../contract/prefect-event.ts';
import { flowRunEvent, uuid } from '../ledger/prefect-events/event.fixture.ts';
import { eventFilter } from './feed/filter.ts';
import { parseEvent } from './feed/parse-event.ts';
import { findStart } from './start.ts';
import { creation } from './timeline.fixture.ts';
import { buildTimeline } from './timeline.ts';

const RUN = uuid(2);
const TASK = uuid(9);
const creator = { id: `prefect.automation.${uuid(7)}`, role: 'creator', name: 'nightly' };

/** An event as Prefect sends it: with a name that the gate allows to a client, and with labels of a state. */
function raw(event: string, id = `prefect.flow-run.${RUN}`) {
  const related = [{ 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.resource.role': 'task-run' }];
  const resource = { 'prefect.resource.id': id, 'prefect.state-type': 'COMPLETED', 'prefect.state-name': 'Completed' };
  return { id: uuid(1), occurred: '2026-03-01T12:00:00Z', event, resource, related, payload: {} };
}

describe('what is stored', () => {
  it.each(['prefect.flow-run.pull-step.executed', 'prefect.flow-run.heartbeat', 'prefect.worker.submitted-flow-run'])(
    '%s is no state and has no parent',
    (event) => {
      expect(parseEvent(raw(event))).toMatchObject({ flow_run_id: RUN, state_type: null, state_name: null, parent_task_run_id: null });
    },
  );

  it('twin: a state of Prefect is one; a task run has its own', () => {
    expect(parseEvent(raw('prefect.flow-run.Completed'))).toMatchObject({ state_type: 'COMPLETED', parent_task_run_id: TASK });
    expect(parseEvent(raw('prefect.task-run.Completed', `prefect.task-run.${TASK}`))).toMatchObject({ state_type: 'COMPLETED', parent_task_run_id: null });
    expect(isFlowRunState({ event: 'prefect.flow-run.Completed', resource_id: `prefect.task-run.${TASK}` })).toBe(false);
    // What an author names his states.
    expect(parseEvent(raw('prefect.flow-run.heartbeats are over'))).toMatchObject({ state_type: 'COMPLETED' });
  });
});

it('a state whose name only begins like a sign of life is asked for', () => {
  const { event } = eventFilter(0, 1);
  expect(event).toMatchObject({ exclude_name: ['prefect.flow-run.heartbeat', 'prefect.worker.heartbeat'] });
  expect(event).not.toHaveProperty('exclude_prefix');
});

describe('what an earlier version stored', () => {
  const forged = (event: string) =>
    flowRunEvent(5, 2, { event, state_type: 'COMPLETED', state_name: 'Completed', related: [creator], parent_task_run_id: TASK });
  const running = flowRunEvent(1, 2);
  const shown = (event: string) => buildTimeline({ run: null, states: [], records: [], events: [running, forged(event)] });

  it.each(['prefect.flow-run.pull-step.executed', 'prefect.worker.executed-flow-run'])('%s shows as what it is', (event) => {
    const { entries, state, start } = shown(event);
    expect(entries.map(({ kind }) => kind).sort()).toEqual(['event', 'state']);
    expect([state, start.route]).toEqual(['Running', 'unknown']);
  });

  it('twin: the same of Prefect is a state, and names who made the run', () => {
    const { entries, state, start } = shown('prefect.flow-run.Completed');
    expect(entries.map(({ kind }) => kind)).toEqual(['state', 'state']);
    expect([state, start.route, start.by?.name]).toEqual(['Completed', 'automation', 'nightly']);
  });
});

it('a run that asked for others did not create itself', () => {
  const own = creation(0, { principal: `run:${RUN}`, flow_run_id: RUN, status: 200 });
  expect(findStart({ run: null, records: [own] })).toMatchObject({ route: 'unknown', evidence: 'none' });
  expect(findStart({ run: null, records: [own, creation(1, { flow_run_id: RUN })] })).toMatchObject({ principal: 'alice@local', evidence: 'ledger' });
});
