import { describe, expect, it } from 'vitest';
import type { NewRecord } from '../../../contract/record.ts';
import { isNotable } from '../../ledger/notable.ts';
import { refusalAnnouncement, startAnnouncement } from './announcement.ts';
import { createCoalescer } from './coalesce.ts';
import { refusalOf } from './memory.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
const start: NewRecord = {
  time: '2026-03-01T12:00:00.000Z',
  ...{ request_id: 'r1', principal: 'token:ci', on_behalf_of: ['alice@local'], source_ip: '192.0.2.17', user_agent: 'curl' },
  ...{ method: 'POST', path: '/api/deployments/x/create_flow_run', action: 'deployments.run', decision: 'allow', reason: 'policy-permits', status: 201 },
  ...{ flow_run_id: RUN, run_binding: 'verified' },
};
const refusal: NewRecord = {
  ...start,
  ...{ request_id: 'r2', principal: 'carol@local', on_behalf_of: [], path: `/api/flow_runs/${RUN}/set_state`, action: 'flow_runs.set_state.cancel' },
  ...{ decision: 'deny', reason: 'policy-default-deny', status: 403 },
};

describe('what is worth telling', () => {
  it.each<[string, NewRecord]>([
    ['who started a run', start],
    ['a sub-flow registers itself', { ...start, path: '/api/flow_runs/' }],
    ['a refused change', refusal],
    ['a host that the run may not go to', { ...refusal, method: 'CONNECT', action: 'services.connect', resource_id: 'evil.test' }],
    ['a service that the run may not call', { ...refusal, method: 'GET', action: 'services.call', service: 'billing' }],
    ['a lock that meets the run', { ...refusal, principal: 'token:etl', reason: 'locked' }],
  ])('%s is', (_what, record) => expect(isNotable(record)).toBe(true));

  it.each<[string, NewRecord]>([
    ['a creation that Prefect refused', { ...start, status: 409 }],
    ['a run that a key brought back', { ...start, flow_run_id: null, run_binding: 'none' }],
    ['a refused look', { ...refusal, method: 'GET', action: 'flow_runs.read' }],
    ['a refused search', { ...refusal, action: 'logs.read' }],
    ['a service that a run may call', { ...refusal, action: 'services.call', service: 'billing', decision: 'allow', status: 200 }],
    ['a refusal of nobody known', { ...refusal, principal: null }],
    ['a run that a header claims', { ...refusal, run_binding: 'asserted' }],
    ['an allowed change', { ...refusal, decision: 'allow', reason: 'policy-permits', status: 200 }],
    ['a refusal on something else', { ...refusal, flow_run_id: null }],
  ])('%s is not', (_what, record) => expect(isNotable(record)).toBe(false));
});

describe('an announcement', () => {
  it('says who, on whose behalf, and which request, beside the run', () => {
    expect(startAnnouncement(start)).toMatchObject({
      event: 'lictor.run.started-by',
      resource: { 'prefect.resource.id': 'lictor.request.r1', 'prefect.resource.name': 'started by token:ci for alice@local' },
      related: [{ 'prefect.resource.id': `prefect.flow-run.${RUN}`, 'prefect.resource.role': 'flow-run' }],
    });
    expect(refusalAnnouncement({ record: refusalOf(refusal), count: 12, mixed: false }).resource['prefect.resource.name']).toBe(
      'refused to carol@local: flow_runs.set_state.cancel (policy-default-deny), 12 times',
    );
  });

  it('of a run that lost its worker has a separate name, if the run itself was denied', () => {
    const own = { ...refusal, principal: `run:${RUN}`, flow_run_id: RUN, reason: 'run-token-orphaned' };
    const nameOf = (record: typeof refusal, mixed = false) => refusalAnnouncement({ record: refusalOf(record), count: 1, mixed }).event;
    expect(nameOf(own)).toBe('lictor.run.orphaned');
    for (const other of [
      { ...own, principal: 'run:99999999-2222-4333-8444-555555555555' },
      { ...own, principal: 'token:etl' },
      { ...own, reason: 'locked' },
    ])
      expect(nameOf(other)).toBe('lictor.request.refused');
    expect(nameOf(own, true)).toBe('lictor.request.refused');
  });

  it('names the service that was not to be called', () => {
    const call = refusalOf({ ...refusal, action: 'services.call', service: 'billing' });
    expect(refusalAnnouncement({ record: call, count: 1, mixed: false }).resource['prefect.resource.name']).toBe(
      'refused to carol@local: services.call billing (policy-default-deny)',
    );
    const connection = refusalOf({ ...refusal, action: 'services.connect', resource_id: 'evil.test' });
    expect(refusalAnnouncement({ record: connection, count: 1, mixed: false }).resource['prefect.resource.name']).toBe(
      'refused to carol@local: services.connect evil.test (policy-default-deny)',
    );
    expect(refusalAnnouncement({ record: refusalOf(refusal), count: 1, mixed: false }).resource['prefect.resource.name']).not.toContain('billing');
  });

  it('has neither address, path nor client', () => {
    const text = JSON.stringify([startAnnouncement(start), refusalAnnouncement({ record: refusalOf(refusal), count: 2, mixed: false })]);
    for (const word of ['192.0.2.17', '/api/', 'curl']) expect(text).not.toContain(word);
  });

  it('is the same for the same record, so that Prefect has it once', () => {
    expect(startAnnouncement(start).id).toBe(startAnnouncement({ ...start }).id);
    expect(startAnnouncement(start).id).not.toBe(refusalAnnouncement({ record: refusalOf(refusal), count: 1, mixed: false }).id);
  });
});

describe('the same refusal again and again', () => {
  it('is sent at once, then counted and sent ever less often', () => {
    const coalescer = createCoalescer();
    const coalesced: [number, number][] = [];
    for (let second = 0; second <= 600; second++) {
      const nowMs = NOW_MS + second * 1_000;
      for (const { count } of coalescer.due(nowMs)) coalesced.push([second, count]);
      const now = coalescer.take(refusalOf({ ...refusal, request_id: `r${second}` }), nowMs);
      if (now !== undefined) coalesced.push([second, now.count]);
    }
    expect(coalesced).toEqual([
      [0, 1],
      [60, 59],
      [180, 120],
      [420, 240],
    ]);
  });

  it('is separate for another principal, run or reason', () => {
    const coalescer = createCoalescer();
    const other = [{}, { principal: 'bob@local' }, { flow_run_id: 'other' }, { reason: 'locked' }, { action: 'flow_runs.delete' }];
    expect(other.map((more) => coalescer.take(refusalOf({ ...refusal, ...more }), NOW_MS)?.count)).toEqual([1, 1, 1, 1, 1]);
  });

  it('is new when it comes back after a while', () => {
    const coalescer = createCoalescer();
    coalescer.take(refusalOf(refusal), NOW_MS);
    expect(coalescer.due(NOW_MS + 61_000)).toEqual([]);
    expect(coalescer.take(refusalOf(refusal), NOW_MS + 62_000)?.count).toBe(1);
  });

  it('continues to count after a restart', () => {
    const before = createCoalescer();
    before.take(refusalOf(refusal), NOW_MS);
    before.take(refusalOf({ ...refusal, request_id: 'r3' }), NOW_MS + 1_000);
    const after = createCoalescer(before.open());
    expect(after.take(refusalOf({ ...refusal, request_id: 'r4' }), NOW_MS + 2_000)).toBeUndefined();
    expect(after.due(NOW_MS + 60_000)).toMatchObject([{ count: 2, record: { request_id: 'r4' } }]);
  });
});

describe('many different refusals', () => {
  const host = (number: number, more: Partial<NewRecord> = {}) =>
    refusalOf({ ...refusal, action: 'services.connect', resource_id: `h${number}.test`, request_id: `r${number}`, ...more });

  it('of one principal on one run are ten at once, and one that says how many more there were', () => {
    const coalescer = createCoalescer();
    const coalesced = Array.from({ length: 1_000 }, (_none, number) => coalescer.take(host(number), NOW_MS + number)).filter((one) => one !== undefined);
    expect(coalesced.map(({ record, count, mixed }) => [record.request_id, count, mixed])).toEqual(
      Array.from({ length: 10 }, (_none, n) => [`r${n}`, 1, false]),
    );
    const due = coalescer.due(NOW_MS + 70_000);
    expect(due).toMatchObject([{ count: 990, mixed: true, record: { request_id: 'r999' } }]);
    expect(due.map((one) => refusalAnnouncement(one).resource['prefect.resource.name'])).toEqual([
      '990 more of other kinds, the last one refused to carol@local: services.connect h999.test (policy-default-deny)',
    ]);
  });

  it('are few in every minute, however long they continue', () => {
    const coalescer = createCoalescer();
    const perMinute = new Map<number, number>();
    let counted = 0;
    for (let second = 0; second < 1_800; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const coalesced = [...coalescer.due(nowMs), ...Array.from({ length: 5 }, (_none, n) => coalescer.take(host(second * 5 + n), nowMs) ?? [])].flat();
      const minute = Math.floor(second / 60);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + coalesced.length);
      for (const { count } of coalesced) counted += count;
    }
    expect(Math.max(...perMinute.values())).toBeLessThanOrEqual(21);
    // Nothing is omitted: a refusal that was not announced yet is announced when it is due.
    for (const { count } of coalescer.due(NOW_MS + 9_000_000)) counted += count;
    expect(counted).toBe(9_000);
  });

  it('displace no other principal, no other run, and none that is being counted', () => {
    const coalescer = createCoalescer();
    for (let number = 0; number < 50; number += 1) coalescer.take(host(number), NOW_MS);
    expect(coalescer.take(host(1, { principal: 'bob@local' }), NOW_MS)?.count).toBe(1);
    expect(coalescer.take(host(1, { flow_run_id: 'other' }), NOW_MS)?.count).toBe(1);
    coalescer.take(host(3, { request_id: 'again' }), NOW_MS);
    expect(coalescer.due(NOW_MS + 60_000)).toMatchObject([
      { count: 1, mixed: false, record: { request_id: 'again' } },
      { count: 40, mixed: true },
    ]);
  });

  it('go on being counted after a restart', () => {
    const before = createCoalescer();
    for (let number = 0; number < 15; number += 1) before.take(host(number), NOW_MS);
    const after = createCoalescer(before.open());
    expect(after.take(host(99), NOW_MS + 1_000)).toBeUndefined();
    expect(after.due(NOW_MS + 60_000)).toMatchObject([{ count: 6, mixed: true, record: { request_id: 'r99' } }]);
  });
});
