import { describe, expect, it } from 'vitest';
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import { completeRecord } from '../ledger/append.ts';
import { edgeDeathRecord, startedRecord } from '../ledger/events.ts';
import { flowRunEvent, uuid } from '../ledger/prefect-events/event.fixture.ts';
import { groupChatter } from './group.ts';
import { findStart, initiatorOf } from './start.ts';
import { taskRunsOf } from './task-runs.ts';
import { at, creation, prefectRun, record, state } from './timeline.fixture.ts';
import { buildTimeline, flatten } from './timeline.ts';

describe('timeline', () => {
  it('puts requests, refusals and states in time order, the request before the state that it caused', () => {
    const refused = record(2, { decision: 'deny', status: 403, reason: 'policy-default-deny' });
    const { entries } = buildTimeline({ run: prefectRun(), states: [state(3, 'Completed'), state(0, 'Scheduled')], records: [refused, creation(0)] });
    expect(entries.map(({ kind, time }) => [kind, time])).toEqual([
      ['request', at(0)],
      ['state', at(0)],
      ['decision', at(2)],
      ['state', at(3)],
    ]);
  });

  it("shows the gateway's own gaps within the run, and none outside it", () => {
    const whole = (seconds: number, event: Parameters<typeof completeRecord>[0]) => ({
      ...completeRecord({ ...event, time: at(seconds) }, { id: `g${seconds}`, node: 'n1' }),
      seq: 1,
      prev_hash: null,
      hash: null,
    });
    const died = edgeDeathRecord({ pid: 7, isMaster: false, atMs: 0, signal: '9' }, null);
    const late = whole(12, startedRecord(0, { previous: 'unclean', awayMs: 5_000, grants: null }));
    const gatewayEvents = [whole(-5, died), whole(3, died), late, whole(30, startedRecord(0, { previous: 'clean', awayMs: 1_000, grants: null }))];
    const { entries } = buildTimeline({ run: null, states: [], records: [creation(0), record(10)], gatewayEvents });
    expect(entries.filter(({ kind }) => kind === 'gateway').map(({ time }) => time)).toEqual([at(3), at(12)]);
  });

  describe('says who started the run', () => {
    const startOf = (parts: Partial<Parameters<typeof buildTimeline>[0]>) => buildTimeline({ run: null, states: [], records: [], ...parts }).start;
    const label = { 'lictor.principal': 'alice@local', 'lictor.request_id': 'creation' };

    it("by the ledger's record of the creation", () => {
      expect(startOf({ run: prefectRun(label), records: [creation(0), record(1)] })).toMatchObject({
        principal: 'alice@local',
        source_ip: '192.0.2.17',
        request_id: 'creation',
        evidence: 'ledger',
        contradicting_label: null,
      });
    });

    it('by the ledger also when the label says otherwise, and names the contradiction', () => {
      const start = startOf({ run: prefectRun({ 'lictor.principal': 'mallory@local' }), records: [creation(0)] });
      expect(start).toMatchObject({ principal: 'alice@local', evidence: 'ledger', contradicting_label: 'mallory@local' });
    });

    it('by the first of two creations: the second one found the run by its key', () => {
      const second = creation(5, { principal: 'bob@local', status: 200 });
      expect(startOf({ records: [creation(0), second] })).toMatchObject({ principal: 'alice@local' });
    });

    it('by the label, marked as such, where the ledger has no record of the creation', () => {
      expect(startOf({ run: prefectRun(label), records: [record(1)] })).toMatchObject({ principal: 'alice@local', evidence: 'label', source_ip: null });
    });

    it.each([
      ['a refused creation', { decision: 'deny' as const, status: 403 }],
      ['a failed creation', { status: 422 }],
      ['a creation that only claims the run', { run_binding: 'asserted' as const }],
      ['a creation whose outcome is unknown', { status: null, reason: 'outcome-unknown' }],
      ['a read', { method: 'GET' }],
    ])('never by %s', (_what, more) => {
      expect(startOf({ records: [creation(0, more)] })).toMatchObject({ principal: null, evidence: 'none' });
    });
  });
});

describe('chatter', () => {
  const linesOf = (records: ReturnType<typeof record>[], states = [state(5, 'Running')]) =>
    groupChatter(flatten(buildTimeline({ run: null, states, records }))).map(({ entry, count }) => [
      entry.kind === 'state' ? entry.state.name : entry.kind === 'request' || entry.kind === 'decision' ? entry.record.action : entry.kind,
      count,
    ]);

  it('is counted between what happened', () => {
    const records = [creation(0), record(1), record(2), record(3, { action: 'logs.write', method: 'POST' }), record(4), record(6), record(7)];
    expect(linesOf(records)).toEqual([
      ['deployments.run', 1],
      ['flow_runs.read', 3],
      ['logs.write', 1],
      ['Running', 1],
      ['flow_runs.read', 2],
    ]);
  });

  it('are the probes for CSRF tokens too, whether Prefect has any (200) or none (422)', () => {
    const probe = (second: number, status: number) => record(second, { action: 'system.csrf', path: '/api/csrf-token', status });
    expect(linesOf([record(1), probe(2, 422), record(3), probe(4, 422), probe(5, 200)], [])).toEqual([
      ['flow_runs.read', 2],
      ['system.csrf', 2],
      ['system.csrf', 1],
    ]);
  });

  it('is separate for each principal and address', () => {
    expect(linesOf([record(1), record(2, { principal: 'alice@local' }), record(3, { source_ip: '10.0.0.8' }), record(4)], [])).toEqual([
      ['flow_runs.read', 2],
      ['flow_runs.read', 1],
      ['flow_runs.read', 1],
    ]);
  });

  it.each([
    ['a refusal', { decision: 'deny' as const, status: 403 }],
    ['a failure', { status: 500 }],
    ['a change', { path_taken: 'mediated' as const, method: 'POST' }],
    ['a socket', { path_taken: 'relay' as const, status: 101 }],
    ['an unknown outcome', { status: null }],
    ['a refused probe for a CSRF token', { action: 'system.csrf', decision: 'deny' as const, status: 401 }],
    ['a failed probe for a CSRF token', { action: 'system.csrf', status: 500 }],
    ['another 422', { status: 422 }],
  ])('never swallows %s', (_what, more) => {
    expect(linesOf([record(1, more), record(2, more)], [])).toHaveLength(2);
  });
});

describe('stored events', () => {
  const ofRun = (number: number, name: string, more: Partial<PrefectEvent> = {}) =>
    flowRunEvent(number, 1, {
      event: `prefect.flow-run.${name}`,
      state_name: name,
      state_type: name.toUpperCase(),
      occurred: `${at(number).slice(0, 19)}.000000Z`,
      ...more,
    });
  const ofTask = (number: number, task: number, name: string, more: Partial<PrefectEvent> = {}) =>
    ofRun(number, name, {
      event: `prefect.task-run.${name}`,
      resource_id: `prefect.task-run.${uuid(task)}`,
      resource_name: `work-${task}`,
      task_run_id: uuid(task),
      ...more,
    });
  const kinds = (events: readonly PrefectEvent[], more: object = {}) =>
    buildTimeline({ run: null, states: [], records: [], events, ...more }).entries.map((entry) =>
      entry.kind === 'state' ? [entry.state.name, entry.lastedMs] : entry.kind === 'task' ? [entry.task.name, entry.task.durationMs] : [entry.kind],
    );

  it('show states, how long each lasted, task runs and what a worker did, without Prefect', () => {
    const worker = ofRun(1, 'x', { event: 'prefect.worker.submitted-flow-run', resource_id: 'prefect.worker.process.w', state_name: null });
    const events = [ofRun(0, 'Pending'), worker, ofRun(2, 'Running'), ofTask(3, 50, 'Running'), ofTask(5, 50, 'Completed'), ofRun(6, 'Completed')];
    expect(kinds(events)).toEqual([['Pending', 2_000], ['event'], ['Running', 4_000], ['work-50', 2_000], ['Completed', null]]);
  });

  it('appear once when Prefect returns the same state', () => {
    const event = ofRun(2, 'Running');
    const told = { id: event.id, type: 'RUNNING', name: 'Running', message: 'with words', timestamp: at(2) };
    const { entries } = buildTimeline({ run: null, states: [told], records: [], events: [event, ofRun(4, 'Completed')] });
    expect(entries.map((entry) => (entry.kind === 'state' ? [entry.state.name, entry.state.message] : []))).toEqual([
      ['Running', 'with words'],
      ['Completed', null],
    ]);
  });

  it('count attempts, and know no duration of what never ended', () => {
    const events = [ofTask(1, 50, 'Running'), ofTask(2, 50, 'Failed'), ofTask(3, 50, 'Running')];
    expect(taskRunsOf(events)).toMatchObject([{ attempts: 2, durationMs: null, state: 'Running' }]);
  });

  it('name the automation that made the run, and who made that', () => {
    const related = [{ id: 'prefect.automation.7', role: 'creator', name: 'rerun' }];
    const { start } = buildTimeline({ run: null, states: [], records: [], events: [ofRun(0, 'Scheduled', { related })], madeBy: 'dave@local' });
    expect(start).toMatchObject({ route: 'automation', by: { id: '7', name: 'rerun', made_by: 'dave@local' }, principal: null, evidence: 'event' });
  });

  it("distinguish a schedule's run, which has no first event, from one that a client requested", () => {
    const deployment = { deployment_id: uuid(9), follows: uuid(8) };
    const routeOf = (events: readonly PrefectEvent[], more: object = {}) => buildTimeline({ run: null, states: [], records: [], events, ...more }).start.route;
    expect(routeOf([ofRun(0, 'Pending', deployment)])).toBe('schedule');
    expect(routeOf([ofRun(0, 'Scheduled', { deployment_id: uuid(9) })])).toBe('unknown');
    expect(routeOf([ofRun(0, 'Pending', deployment)], { records: [creation(0)] })).toBe('request');
    const run = { ...prefectRun(), createdBy: { type: 'SCHEDULE', id: 's1', name: 'often' } };
    expect(buildTimeline({ run, states: [], records: [] }).start).toMatchObject({ route: 'schedule', by: { id: 's1', name: 'often' } });
  });

  it('name who is at the beginning of a chain of runs', () => {
    const alice = findStart({ run: null, records: [creation(0)] });
    const middle = findStart({ run: null, records: [creation(0, { principal: 'token:worker' })], parent: { flow_run_id: 'a', name: 'a', start: alice } });
    const inner = findStart({ run: null, records: [], parent: { flow_run_id: 'b', name: 'b', start: middle } });
    expect([initiatorOf(alice), initiatorOf(inner)]).toEqual(['alice@local', 'alice@local']);
    expect(initiatorOf(findStart({ run: null, records: [creation(0, { principal: 'run:1', on_behalf_of: ['token:ci', 'carol@local'] })] }))).toBe(
      'carol@local',
    );
  });

  it('of a sub-flow are nested in the same time order', () => {
    const child = buildTimeline({ id: uuid(2), run: null, states: [], records: [], events: [ofRun(3, 'Running'), ofRun(4, 'Completed')] });
    const parent = buildTimeline({
      id: uuid(1),
      run: null,
      states: [],
      records: [creation(0)],
      events: [ofRun(1, 'Running'), ofRun(6, 'Completed')],
      children: [child],
    });
    expect(flatten(parent).map(({ entry, depth }) => [entry.kind, depth])).toEqual([
      ['request', 0],
      ['state', 0],
      ['run', 0],
      ['state', 1],
      ['state', 1],
      ['state', 0],
    ]);
  });

  it('of many alike tasks are one line, and never one that failed', () => {
    const tasks = Array.from({ length: 8 }, (_, index) => [
      ofTask(index, 50 + index, 'Running'),
      ofTask(index + 1, 50 + index, index === 7 ? 'Failed' : 'Completed'),
    ]).flat();
    const lines = groupChatter(flatten(buildTimeline({ run: null, states: [], records: [], events: tasks })));
    expect(lines.map(({ entry, count }) => [entry.kind === 'task' ? entry.task.state : '', count])).toEqual([
      ['Completed', 7],
      ['Failed', 1],
    ]);
    const few = groupChatter(flatten(buildTimeline({ run: null, states: [], records: [], events: tasks.slice(0, 6) })));
    expect(few.map(({ count }) => count)).toEqual([1, 1, 1]);
  });
});
