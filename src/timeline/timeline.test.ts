import { describe, expect, it } from 'vitest';
import { completeRecord } from '../ledger/append.ts';
import { edgeDeathRecord, startedRecord } from '../ledger/events.ts';
import { groupChatter } from './group.ts';
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
    const died = edgeDeathRecord({ pid: 7, atMs: 0, signal: '9' }, null);
    const late = whole(12, startedRecord(0, 'unclean', 5_000));
    const gatewayEvents = [whole(-5, died), whole(3, died), late, whole(30, startedRecord(0, 'clean', 1_000))];
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

  it('is kept apart by principal and address', () => {
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
  ])('never swallows %s', (_what, more) => {
    expect(linesOf([record(1, more), record(2, more)], [])).toHaveLength(2);
  });
});
