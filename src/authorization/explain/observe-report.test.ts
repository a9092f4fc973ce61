import { describe, expect, it } from 'vitest';
import type { RoleBinding } from '../../config/config.ts';
import type { Principal } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { NOWHERE, type Scope } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { record } from '../../record/timeline/timeline.fixture.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { createReportCollector, proposalText, type ReportParts } from './observe-report.ts';

const TEAM_A: Scope = { ...NOWHERE, tags: ['team-a'] };
const ROLES: readonly RoleBinding[] = [
  { role: 'operator', members: ['group:team-a@corp'], scope: TEAM_A },
  { role: 'viewer', members: ['*@corp'], scope: null },
];
const ALICE: Principal = {
  ...{ id: 'alice@corp', kind: 'user', idp: 'corp', roles: ['operator', 'viewer'], groups: ['team-a'], attributes: {}, onBehalfOf: [] },
  grants: [
    { role: 'operator', scope: TEAM_A },
    { role: 'viewer', scope: null },
  ],
};
const WORKER: Principal = { ...ALICE, id: 'token:etl', kind: 'worker', idp: null, roles: ['worker'], groups: [], grants: [{ role: 'worker', scope: TEAM_A }] };
const DAVE: Principal = { ...ALICE, id: 'dave@corp', roles: ['viewer'], groups: [], grants: [{ role: 'viewer', scope: null }] };

async function reportOf(records: readonly Partial<LedgerRecord>[], more: Partial<ReportParts> = {}) {
  const actions = collectActions(OPERATIONS);
  const policy = sharedEngine({ actions, revision: 1 });
  const find = async (id: string) => [ALICE, DAVE, WORKER].find((each) => each.id === id);
  const collector = createReportCollector({ policy, actions, roles: ROLES, probes: new Set(), find, ...more });
  for (const each of records) collector.add({ ...record(1), mode: 'observe', ...each } as LedgerRecord);
  return collector.whole();
}

const refused = { decision: 'deny', status: 401, mode: 'enforce' } as const;
const denied = { decision: 'deny', reason: 'policy-default-deny', resource_type: 'Deployment', resource_id: 'd1', status: 200 } as const;

it('counts would-be denials by principal, action and object, and no answer that would not change', async () => {
  const { denials } = await reportOf([
    { principal: 'alice@corp', action: 'deployments.write', ...denied },
    { principal: 'alice@corp', action: 'deployments.write', ...denied },
    { principal: 'alice@corp', action: 'deployments.read', ...denied, reason: 'object-foreign', status: 404 },
    { principal: 'alice@corp', action: 'deployments.read', decision: 'allow' },
    { principal: 'alice@corp', action: 'deployments.delete', ...denied, mode: 'enforce', status: 403 },
  ]);
  expect(denials).toEqual([{ principal: 'alice@corp', action: 'deployments.write', resource: 'Deployment:d1', count: 2, would_be: 'policy-default-deny' }]);
});

it('leaves out the token of lictor doctor', async () => {
  const grants = [{ expires_at: '2099-01-01T00:00:00.000Z', members: [], networks: [], role: 'viewer', rules: ['lictor doctor'], scope: null }];
  const made = { mode: null, principal: 'local:root', action: 'token.create', resource_type: 'ServiceToken', resource_id: 'doctor-1', grants };
  const { denials, readiness } = await reportOf([made, { principal: 'token:doctor-1', action: 'worker.connect', ...denied }]);
  expect([denials, readiness]).toEqual([[], []]);
});

it('proposes the smallest role for the group, within its scope', async () => {
  const { proposals } = await reportOf([{ principal: 'alice@corp', action: 'deployments.write', ...denied }]);
  expect(proposals.map(proposalText)).toEqual(['- { role: deployer, members: ["group:team-a@corp"], scope: { tags: ["team-a"] } }']);
});

it('proposes for one person, and never for all people of a provider', async () => {
  const { proposals } = await reportOf([{ principal: 'dave@corp', action: 'flow_runs.cancel', ...denied, resource_type: 'FlowRun' }]);
  expect(proposals.map(proposalText)).toEqual(['- { role: operator, members: ["user:dave@corp"] }']);
});

it('twin: proposes nothing for foreign objects, also where a role of the principal permits the action elsewhere', async () => {
  const { proposals } = await reportOf([
    { principal: 'alice@corp', action: 'deployments.run', ...denied, reason: 'object-foreign' },
    { principal: 'alice@corp', action: 'deployments.write', ...denied, reason: 'scope-excludes' },
    { principal: 'alice@corp', action: 'flow_runs.cancel', ...denied },
    { principal: 'alice@corp', action: 'deployments.delete', ...denied, reason: 'policy-forbids' },
  ]);
  expect(proposals).toEqual([]);
});

it('lists clients without a credential of Lictor by address and program, and the token that would do', async () => {
  const shared = { principal: 'shared-password:10.0.0.7', ...denied, reason: 'shared-password', source_ip: '10.0.0.7', user_agent: 'prefect/3.9.1' };
  const { clients, proposals } = await reportOf([
    { ...shared, action: 'worker.poll' },
    { ...shared, action: 'worker.heartbeat' },
    { ...refused, principal: null, reason: 'credential-missing', source_ip: '10.0.0.8', user_agent: 'curl/8' },
    { ...refused, principal: 'token:ci', reason: 'credential-revoked', source_ip: '10.0.0.9', user_agent: 'curl/8' },
    { ...refused, principal: 'run:0199c0de-0000-7000-8000-000000000001', principal_kind: 'run', reason: 'run-token-ended' },
  ]);
  expect(clients).toEqual([
    { address: '10.0.0.7', userAgent: 'prefect/3.9.1', reason: 'shared-password', count: 2 },
    { address: '10.0.0.8', userAgent: 'curl/8', reason: 'credential-missing', count: 1 },
    { address: '10.0.0.9', userAgent: 'curl/8', reason: 'credential-revoked', count: 1 },
  ]);
  expect(proposals.map(proposalText)).toEqual(['# shared-password:10.0.0.7: lictor token create NAME --role worker']);
});

it('says of each group whether it is ready', async () => {
  const { readiness } = await reportOf([
    { principal: 'alice@corp', action: 'deployments.write', ...denied },
    { principal: 'dave@corp', action: 'flows.read', decision: 'allow' },
    { principal: 'run:0199c0de-0000-7000-8000-000000000001', action: 'flow_runs.read', decision: 'allow' },
    { principal: 'run:0199c0de-0000-7000-8000-000000000002', action: 'flow_runs.cancel', ...denied },
  ]);
  expect(readiness).toEqual([
    { subject: 'group:team-a@corp', requests: 1, denials: 1 },
    { subject: 'user:dave@corp', requests: 1, denials: 0 },
    { subject: 'run', requests: 2, denials: 1 },
  ]);
});

describe('the requests of a run', () => {
  const [RUN, OTHER] = ['0199c0de-0000-7000-8000-000000000001', '0199c0de-0000-7000-8000-000000000002'];
  const verified = { run_binding: 'verified', decision: 'allow', action: 'flow_runs.set_state' } as const;
  const poll = { principal: 'token:etl', action: 'worker.poll', decision: 'allow' } as const;
  const ofRun = { principal: `run:${RUN}`, principal_kind: 'run', action: 'blocks.write', ...denied };
  const readyOf = async (...records: readonly Partial<LedgerRecord>[]) => (await reportOf(records)).readiness.map((one) => [one.subject, one.denials]);

  it('count to the worker that began it: its token is not ready, and no role is proposed for it', async () => {
    const { readiness, proposals } = await reportOf([poll, { ...verified, principal: 'token:etl', flow_run_id: RUN }, ofRun]);
    expect(readiness).toEqual([
      { subject: 'token:etl', requests: 3, denials: 1 },
      { subject: 'run', requests: 1, denials: 1 },
    ]);
    expect(proposals).toEqual([]);
  });

  it.each([
    ['a person who set a state of the run', [poll, { ...verified, principal: 'alice@corp', flow_run_id: RUN }, ofRun]],
    ['a worker that began another run', [poll, { ...verified, principal: 'token:etl', flow_run_id: OTHER }, ofRun]],
    ['a worker that only claims the run', [poll, { ...verified, run_binding: 'asserted', principal: 'token:etl', flow_run_id: RUN }, ofRun]],
  ] as const)('twin: do not count to %s', async (_who, records) => {
    expect((await readyOf(...records)).filter(([, denials]) => denials !== 0)).toEqual([['run', 1]]);
  });
});

it('leaves out the requests that lictor doctor sent without a credential, and no other one of its address and program', async () => {
  const missing = { ...refused, principal: null, reason: 'credential-missing', source_ip: '10.0.0.8', user_agent: null };
  const { clients } = await reportOf(
    [
      { ...missing, request_id: 'of-doctor' },
      { ...missing, request_id: 'of-another' },
    ],
    { probes: new Set(['of-doctor']) },
  );
  expect(clients).toEqual([{ address: '10.0.0.8', userAgent: '-', reason: 'credential-missing', count: 1 }]);
});

describe('a workload whose claims are not stored', () => {
  const JOB: Principal = { ...ALICE, id: 'repo:acme/etl@ci', kind: 'service', idp: 'ci', roles: [], groups: [], grants: [] };
  const binding = { role: 'viewer', members: ['claim:repository=acme/etl@ci'], scope: TEAM_A } as const;
  const proposed = async (roles: readonly RoleBinding[]) => {
    const record = { principal: JOB.id, action: 'deployments.write', ...denied };
    return (await reportOf([record], { roles, find: async () => JOB })).proposals.map(proposalText);
  };

  it('has the role by the one member that can have given it: the proposal has its claim and its scope', async () => {
    expect(await proposed([...ROLES, binding])).toEqual(['- { role: deployer, members: ["claim:repository=acme/etl@ci"], scope: { tags: ["team-a"] } }']);
  });

  it.each([
    ['several can', [binding, { ...binding, members: ['claim:repository=acme/web@ci'] }]],
    ['one can on two scopes', [binding, { ...binding, scope: null }]],
    ['none can', [{ ...binding, members: ['claim:repository=acme/etl@ci2'] }]],
  ] as const)('twin: gets no line to paste when %s', async (_when, roles) => {
    expect(await proposed(roles)).toEqual([
      expect.stringMatching(/^# user:repo:acme\/etl@ci: role deployer permits deployments.write. Its claims are not stored/),
    ]);
  });
});
