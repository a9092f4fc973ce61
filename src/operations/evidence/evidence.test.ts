// What a report is made of, without a gateway: bounds, what was used, who was let in too late, and text that stays text.
import { expect, it } from 'vitest';
import { sharedEngine } from '../../authorization/policy/engine.fixture.ts';
import { createRoleActions } from '../../authorization/policy/role-actions.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import type { EvidenceData, PrincipalRow } from './data.ts';
import { createLateUse } from './late-use.ts';
import { gatherLeavers } from './lifecycle.ts';
import { text } from './markdown.ts';
import { gatherPolicies } from './policy-changes.ts';
import { renderReviewCsv } from './review-csv.ts';
import { createUsage, type UsageLimits } from './usage.ts';

const DAY = '2026-03-01T12:00:';

function record(second: number, more: Partial<LedgerRecord>): LedgerRecord {
  const seq = second + 1;
  const empty = {
    path_taken: null,
    approval_id: null,
    principal: null,
    credential_id: null,
    on_behalf_of: [],
    policies: [],
    grants: null,
    run_binding: 'none',
    node: 'n1',
    seq,
  } as const;
  return { ...empty, id: `i${seq}`, time: `${DAY}${String(second).padStart(2, '0')}.000Z`, request_id: null, ...more } as LedgerRecord;
}

function usageOf(records: readonly LedgerRecord[], limits?: UsageLimits) {
  const usage = createUsage(limits);
  for (const one of records) usage.add(one);
  return usage.whole();
}

const waiting = (second: number, id: string) => record(second, { approval_id: id, principal: 'token:ci', action: 'flows.delete', decision: 'deny' });
const request = (second: number, principal: string, decision: 'allow' | 'deny' = 'allow') =>
  record(second, {
    request_id: `r${second}`,
    principal,
    decision,
    action: 'flows.read',
    reason: decision === 'deny' ? 'policy-default-deny' : 'policy-permits',
    path_taken: 'direct',
  });
const administered = (second: number, action: string, type: string, id: string) =>
  record(second, { principal: 'local:root', action, resource_type: type, resource_id: id, decision: 'allow' });

it('counts requests, allows and denials; a summary record counts as many requests as it has', () => {
  const sum = record(3, { action: 'requests.summary', decision: 'deny', reason: 'anonymous-requests', resource_id: '40' });
  const { activity, denials, principals } = usageOf([request(0, 'a@local'), request(1, 'a@local', 'deny'), request(2, 'b@local'), sum]);
  expect(activity).toMatchObject({
    records: 4,
    requests: 43,
    allowed: 2,
    denied: 41,
    anonymous_in_sums: 40,
    days: [{ day: '2026-03-01', allowed: 2, denied: 41 }],
  });
  expect(denials.byReason).toEqual([
    { reason: 'anonymous-requests', count: 40 },
    { reason: 'policy-default-deny', count: 1 },
  ]);
  expect(principals.get('a@local')).toMatchObject({ requests: 2, denials: 1, lastAllowed: `${DAY}00.000Z` });
});

it('bounds its memory, and reports how much it left out', () => {
  const records = Array.from({ length: 40 }, (_, index) => [
    request(index, `p${index}@x`, 'deny'),
    administered(index, 'token.create', 'ServiceToken', `t${index}`),
    waiting(index, `a${index}`),
  ]).flat();
  const { principals, denials, events, approvals, limits, activity } = usageOf(records, { principals: 10, denials: 7, events: 5, approvals: 3 });
  expect([principals.size, denials.byPrincipal.length, events.length, approvals.length]).toEqual([10, 7, 5, 3]);
  expect(limits.map((words) => words.split(' ')[0])).toEqual(['30', '34', '35', '37']);
  expect(activity).toMatchObject({ requests: 40, denied: 40 });
});

it('lists what is administered, and no request to Prefect', () => {
  const { events } = usageOf([
    request(0, 'a@local'),
    record(1, { request_id: 'r', action: 'events.write', decision: 'allow', path_taken: 'mediated', principal: 'a@local' }),
    administered(2, 'lock.create', 'Lock', 'a@local'),
    record(3, { action: 'token.refresh', request_id: 'x', decision: 'allow' }),
    record(4, { action: 'gateway.started', resource_type: 'PreviousShutdown', resource_id: 'unclean' }),
  ]);
  expect(events.map(({ action, resource }) => [action, resource])).toEqual([
    ['lock.create', 'Lock a@local'],
    ['gateway.started', 'PreviousShutdown unclean'],
  ]);
});

function leavers(records: readonly LedgerRecord[]) {
  const late = createLateUse('local');
  for (const one of records) late.add(one);
  return gatherLeavers({ from: `${DAY}00.000Z`, to: `${DAY}59.000Z`, usage: usageOf(records), late, identities: [], tokens: [], accountsIdp: 'local' });
}

it('finds leavers with a later allow, except after a record that gave the right back, or within the time of a cached decision', () => {
  const [late] = leavers([administered(1, 'token.revoke', 'ServiceToken', 'etl'), request(9, 'token:etl')]);
  expect(late).toMatchObject({ who: 'token:etl', let_in_after: true });
  for (const records of [
    [request(0, 'token:etl'), administered(1, 'token.revoke', 'ServiceToken', 'etl'), request(9, 'token:etl', 'deny')],
    [administered(1, 'token.revoke', 'ServiceToken', 'etl'), request(2, 'token:etl')],
    [administered(1, 'token.revoke', 'ServiceToken', 'etl'), administered(5, 'token.create', 'ServiceToken', 'etl'), request(9, 'token:etl')],
    [administered(1, 'lock.create', 'Lock', 'a@local'), administered(5, 'lock.remove', 'Lock', 'a@local'), request(9, 'a@local')],
    [administered(1, 'account.remove', 'Account', 'a'), request(9, 'other@local')],
  ])
    expect(leavers(records)[0]).toMatchObject({ let_in_after: false });
  expect(leavers([administered(1, 'account.remove', 'Account', 'a'), request(9, 'a@local')])[0]).toMatchObject({ let_in_after: true });
});

it('finds who was let in after leaving also when the right was given back later', () => {
  const back = administered(20, 'token.create', 'ServiceToken', 'etl');
  const unlocked = administered(20, 'lock.remove', 'Lock', 'a@local');
  for (const records of [
    [administered(1, 'token.revoke', 'ServiceToken', 'etl'), request(9, 'token:etl'), back],
    [administered(1, 'token.revoke', 'ServiceToken', 'etl'), request(9, 'token:etl'), back, request(30, 'token:etl')],
    [administered(1, 'lock.create', 'Lock', 'a@local'), request(9, 'a@local'), unlocked, administered(25, 'lock.create', 'Lock', 'a@local')],
  ])
    expect(leavers(records)[0]).toMatchObject({ let_in_after: true });
  // The second time nothing came after it.
  const [, second] = leavers([
    administered(1, 'lock.create', 'Lock', 'a@local'),
    request(9, 'a@local'),
    unlocked,
    administered(25, 'lock.create', 'Lock', 'a@local'),
  ]);
  expect(second).toMatchObject({ let_in_after: false });
});

it('takes an unlock of a provider for one of everybody, and that of a person who is called like one for theirs alone', () => {
  const after = (unlocked: string) =>
    leavers([administered(1, 'lock.create', 'Lock', 'a@local'), administered(5, 'lock.remove', 'Lock', unlocked), request(9, 'a@local')])[0];
  expect(after('idp:local')).toMatchObject({ let_in_after: false });
  expect(after('idp:local@corp')).toMatchObject({ let_in_after: true });
});

it('names the smallest role that would have been enough, and none where none would', () => {
  const actions = collectActions(OPERATIONS);
  const roles = createRoleActions(sharedEngine({ actions, revision: 0 }), actions);
  expect(roles.smallestFor(new Set(['flows.read']), 'user')).toBe('viewer');
  expect(roles.smallestFor(new Set(['flows.read', 'deployments.run']), 'user')).toBe('operator');
  expect(roles.smallestFor(new Set(['deployments.write.unsafe']), 'service')).toBe('admin');
  expect(roles.smallestFor(new Set(['flows.read', 'deployments.run']), 'agent')).toBe('agent');
  expect(roles.smallestFor(new Set(['deployments.write.unsafe']), 'agent')).toBeNull();
  expect(roles.smallestFor(new Set(['no.such.action']), 'user')).toBeNull();
});

it('names what was done by a right that no role gives: own policies do', () => {
  const actions = collectActions(OPERATIONS);
  const roleActions = createRoleActions(sharedEngine({ actions, revision: 0 }), actions);
  expect(roleActions.beyond(new Set(['flow_runs.read', 'blocks.read_secrets']), ['viewer'])).toEqual(['blocks.read_secrets']);
  expect(roleActions.beyond(new Set(['flow_runs.read', 'blocks.read_secrets']), ['viewer', 'admin'])).toEqual([]);
  expect(roleActions.beyond(new Set(), [])).toEqual([]);
});

it('shows each change of policies against the set before, within the period alone', () => {
  const set = (revision: number, day: number, body: string) => ({
    revision,
    files: { 'a.cedar': body },
    by: 'local:a',
    why: '',
    createdMs: Date.parse(`2026-03-0${day}T00:00:00Z`),
  });
  const sets = [set(9, 8, 'four\n'), set(5, 5, 'three\n'), set(4, 4, 'two\n'), set(2, 1, 'one\n')];
  const { in_force: before, changes } = gatherPolicies(sets, { from: '2026-03-02T00:00:00.000Z', to: '2026-03-06T00:00:00.000Z' });
  expect(before?.revision).toBe(2);
  expect(changes.map(({ revision, diff }) => [revision, diff.split('\n').slice(-2)])).toEqual([
    [4, ['-one', '+two']],
    [5, ['-two', '+three']],
  ]);
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r\n=1', ' =1', '|calc', '%1', '\uff1d1'])(
  'a cell that a spreadsheet would reckon with is text: %j',
  (name) => {
    const principal = {
      id: name,
      kind: 'user',
      idp: null,
      status: 'live',
      existed_in_period: true,
      notes: [],
      beyond_roles: [],
      roles: [],
      requests: 0,
      denials: 0,
    } as unknown as PrincipalRow;
    const [, row = ''] = renderReviewCsv({ principals: [principal], tokens: [] } satisfies Pick<EvidenceData, 'principals' | 'tokens'>).split('\r\n');
    expect(row).toMatch(/^"'/);
    expect(row.split(',').length).toBeGreaterThan(15);
  },
);

it('writes no Markdown mark and no line break from data', () => {
  expect(text('a|b\n# c <b> [x](y) `z` \u202e')).toBe('a\\|b\ufffd\\# c \\<b\\> \\[x\\](y) \\`z\\` \ufffd');
});
