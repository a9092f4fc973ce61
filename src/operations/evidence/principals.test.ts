// The listed principals and rights, for names at a provider that look like another kind of principal.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sharedEngine } from '../../authorization/policy/engine.fixture.ts';
import { createRoleActions } from '../../authorization/policy/role-actions.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { NOWHERE } from '../../contract/scope.ts';
import { anAgent } from '../../identity/authn/agent/agent.fixture.ts';
import { openTestStore, type TestStore } from '../../identity/authn/store.fixture.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { appendRecord } from '../../record/ledger/append-record.ts';
import { tempState } from '../../record/ledger/lines.fixture.ts';
import { openLedgerReader } from '../../record/ledger/query.ts';
import { createPastRights } from './past-rights.ts';
import { gatherAgents, gatherPrincipals } from './principals.ts';
import { createUsage } from './usage.ts';

let home: TestStore;
beforeEach(async () => {
  home = await openTestStore();
});
afterEach(() => home.close());

const PERIOD = { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' };

const read = (principal: string, idp: string | null) =>
  ({
    time: '2026-03-01T12:00:00.000Z',
    request_id: 'r',
    approval_id: null,
    principal,
    idp,
    decision: 'allow',
    action: 'flows.read',
    policies: [],
  }) as unknown as LedgerRecord;

it('shows people who are called like a token, a role or a user of this machine with their roles, and no user of this machine', async () => {
  const names = ['token:x', 'role:viewer', 'local:root'];
  for (const name of names) await home.store.identities.put({ idp: 'corp', subject: name, name, kind: 'user', groups: ['platform'], claims: {} }, 'its word');
  const usage = createUsage();
  usage.add(read('local:root', null));
  usage.add(read('local:gone@corp', 'corp'));
  const actions = collectActions(OPERATIONS);
  const rows = await gatherPrincipals({
    config: {
      agents: [],
      identityProviders: [{ id: 'corp', type: 'oidc' }] as never,
      roles: [{ role: 'admin', members: ['group:platform@corp'], scope: null }],
    },
    store: home.store,
    usage: usage.whole(),
    roles: createRoleActions(sharedEngine({ actions, revision: 0 }), actions),
    pastRights: async () => [],
    ...PERIOD,
    nowMs: home.clock(),
  });
  expect(rows.map(({ id, status, roles }) => [id, status, roles.map(({ role }) => role)])).toEqual([
    ['local:gone@corp', 'unknown', []],
    ['local:root@corp', 'live', ['admin']],
    ['role:viewer@corp', 'live', ['admin']],
    ['token:x@corp', 'live', ['admin']],
  ]);
});

it('names the right of a principal that was removed: by the newest record that gave it, of that principal alone, within the period', async () => {
  const grant = (role: string, member: string) => ({
    role,
    scope: 'tags=team-a',
    members: [member],
    rules: [`account ${member}`],
    networks: [],
    expires_at: null,
  });
  const state = tempState();
  const write = (
    time: string,
    action: string,
    resource_id: string | null,
    principal: string,
    grants: LedgerRecord['grants'],
    decision: 'allow' | 'deny' = 'allow',
  ) => appendRecord(state.paths, { time, action, resource_id, principal, grants, decision });
  write('2026-01-01T00:00:00.000Z', 'account.add', 'bob', 'local:root', [grant('operator', 'bob@local')]);
  write('2026-01-02T00:00:00.000Z', 'account.remove', 'bob', 'local:root', null);
  write('2026-01-03T00:00:00.000Z', 'token.create', 'bob', 'local:root', [grant('admin', 'token:bob')]);
  write('2026-01-04T00:00:00.000Z', 'session.login', null, 'eve@corp', [grant('viewer', 'eve@corp')]);
  write('2026-01-05T00:00:00.000Z', 'session.login', null, 'eve@corp', [grant('deployer', 'eve@corp')]);
  write('2026-01-06T00:00:00.000Z', 'session.login', null, 'eve@corp', [grant('admin', 'eve@corp')], 'deny');
  write('2026-03-01T00:00:00.000Z', 'session.login', null, 'eve@corp', [grant('auditor', 'eve@corp')]);
  const ledger = openLedgerReader(state.paths.ledgerFile);
  try {
    const past = createPastRights(ledger, '2026-02-01T00:00:00.000Z');
    const of = async (id: string) => (await past(id)).map(({ role, scope, from }) => [role, scope, ...from]);
    expect(await of('bob@local')).toEqual([['operator', 'tags=team-a', 'account bob@local, as of 2026-01-01T00:00:00.000Z']]);
    expect(await of('token:bob')).toEqual([['admin', 'tags=team-a', 'account token:bob, as of 2026-01-03T00:00:00.000Z']]);
    expect(await of('eve@corp')).toEqual([['deployer', 'tags=team-a', 'account eve@corp, as of 2026-01-05T00:00:00.000Z']]);
    for (const stranger of ['bob@corp', 'token:eve', 'nobody@local']) expect(await of(stranger), stranger).toEqual([]);
  } finally {
    ledger.close();
    state.remove();
  }
});

it('shows that right in the row of a principal that was removed, and none for a run', async () => {
  const usage = createUsage();
  usage.add(read('bob@local', 'local'));
  usage.add(read('run:0199c0de-0000-7000-8000-000000000001', null));
  const actions = collectActions(OPERATIONS);
  const rows = await gatherPrincipals({
    config: { identityProviders: [], roles: [], agents: [] },
    store: home.store,
    usage: usage.whole(),
    roles: createRoleActions(sharedEngine({ actions, revision: 0 }), actions),
    pastRights: async () => [{ role: 'viewer', scope: null, from: ['account bob, as of then'] }],
    ...PERIOD,
    nowMs: home.clock(),
  });
  expect(rows.map(({ id, status, roles }) => [id, status, roles.map(({ role, used }) => [role, used])])).toEqual([
    ['bob@local', 'unknown', [['viewer', ['flows.read']]]],
    ['run:0199c0de-0000-7000-8000-000000000001', 'unknown', []],
  ]);
});

it('leaves out the tokens of lictor doctor, and no token that is only called so', () => {
  const made = (name: string, rule: string) =>
    ({
      ...read('local:root', null),
      ...{ request_id: null, path_taken: null, on_behalf_of: [], action: 'token.create', resource_type: 'ServiceToken', resource_id: name },
      grants: [{ role: 'viewer', scope: null, members: [`token:${name}`], rules: [rule], networks: [], expires_at: '2099-01-01T00:00:00.000Z' }],
    }) as unknown as LedgerRecord;
  const usage = createUsage();
  for (const one of [made('doctor-1', 'lictor doctor'), made('doctor-2', 'token doctor-2')]) usage.add(one);
  for (const name of ['doctor-1', 'doctor-2']) usage.add(read(`token:${name}`, null));
  const { principals, events, limits, activity } = usage.whole();
  expect([[...principals.keys()], events.map(({ resource }) => resource)]).toEqual([['token:doctor-2'], ['ServiceToken doctor-2']]);
  expect([limits, activity.requests]).toEqual([["2 records of lictor doctor's own tokens are left out."], 1]);
});

it('shows agents with sponsor, credential and roles, and no token of an agent beside them', async () => {
  await home.token({ name: 'copilot', roles: ['admin'] });
  await home.token({ name: 'etl', roles: ['worker'] });
  await home.store.accounts.create({ id: 'a1', name: 'alice', roles: ['viewer'], password: 'phc' });
  const ended = anAgent({ name: 'ended', sponsor: { name: 'gone', idp: 'local' }, credential: { kind: 'client', id: 'desktop' } });
  const agents = [anAgent({ grants: [{ role: 'agent', scope: { ...NOWHERE, tags: ['team-a'] } }] }), ended];
  const config = { identityProviders: [{ id: 'local', type: 'accounts' } as const], roles: [], agents };
  const actions = collectActions(OPERATIONS);
  const rows = await gatherPrincipals({
    ...{ config, store: home.store, usage: createUsage().whole(), pastRights: async () => [], ...PERIOD, nowMs: home.clock() },
    roles: createRoleActions(sharedEngine({ actions, revision: 0 }), actions),
  });
  expect(rows.map(({ id, kind, status, roles }) => [id, kind, status, roles.map(({ role, scope, from }) => [role, scope, ...from])])).toEqual([
    ['agent:copilot', 'agent', 'live', [['agent', 'tags=team-a', 'lictor.yaml agents[0]']]],
    ['agent:ended', 'agent', 'revoked', [['agent', null, 'lictor.yaml agents[1]']]],
    ['alice@local', 'user', 'live', [['viewer', null, 'account alice']]],
    ['token:etl', 'worker', 'live', [['worker', null, 'token etl']]],
  ]);
  expect(gatherAgents(config, rows)).toEqual([
    { id: 'agent:copilot', sponsor: 'alice@local', credential: 'token', roles: ['agent on tags=team-a'], status: 'live' },
    { id: 'agent:ended', sponsor: 'gone@local', credential: 'client:desktop', roles: ['agent'], status: 'revoked' },
  ]);
});
