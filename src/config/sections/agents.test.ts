// agents: what the file may say of them, and what it may not.
import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile, SMALLEST } from '../test-file.ts';

const file = openTestFile();
const { accepted, places, problems } = file;
afterAll(() => file.remove());

const PROVIDERS = `identity_providers:
  - { id: local, type: accounts }
  - { id: ci, type: jwt, issuer: https://ci.example, audience: lictor }
`;
const COPILOT = { name: 'copilot', sponsor: 'user:alice@local', credential: 'token', roles: [{ role: 'agent' }] };

function withAgents(...agents: readonly object[]): string {
  return `${SMALLEST}${PROVIDERS}oauth_clients: [{ id: desktop, redirect_uris: ['http://127.0.0.1/callback'] }]\nagents: ${JSON.stringify(agents)}\n`;
}

function changed(changes: object): string {
  return withAgents({ ...COPILOT, ...changes });
}

describe('agents', () => {
  it('have a sponsor, a credential and roles, no bounds, and need an approval after they read text of flows', () => {
    expect(accepted(withAgents(COPILOT)).agents).toEqual([
      {
        name: 'copilot',
        sponsor: { name: 'alice', idp: 'local' },
        credential: { kind: 'token' },
        grants: [{ role: 'agent', scope: null }],
        parameters: [],
        budgets: { callsPerMinute: null, runsPerHour: null, concurrentRuns: null, descendants: null, bytesPerHour: null },
        taint: 'approve',
      },
    ]);
  });

  it('have budgets, a scope, and rules for parameters', () => {
    const schema = { type: 'object', properties: { region: { enum: ['eu', 'us'] } }, additionalProperties: false };
    const [agent] = accepted(
      changed({
        roles: [{ role: 'operator', scope: { deployments: ['etl/nightly'] } }],
        parameters: { 'etl/nightly': schema },
        budgets: { calls: '100/min', runs: '5/h', concurrent_runs: 2, descendants: 0, bytes: '50MB/h' },
        taint: 'deny',
      }),
    ).agents;
    expect(agent).toMatchObject({
      grants: [{ role: 'operator', scope: { deployments: ['etl/nightly'], own: false } }],
      parameters: [{ deployments: 'etl/nightly', schema }],
      budgets: { callsPerMinute: 100, runsPerHour: 5, concurrentRuns: 2, descendants: 0, bytesPerHour: 50_000_000 },
      taint: 'deny',
    });
  });

  it.each([
    ['claim:sub=repo:acme/*@ci', { kind: 'claim', key: 'sub', pattern: 'repo:acme/*', idp: 'ci' }],
    ['client:https://agent.example/client.json', { kind: 'client', id: 'https://agent.example/client.json' }],
    ['client:desktop', { kind: 'client', id: 'desktop' }],
  ])('take the credential %s', (credential, read) => {
    expect(accepted(changed({ credential })).agents[0]?.credential).toEqual(read);
  });

  it.each([
    ['name', { name: 'Copilot' }],
    ['sponsor', { sponsor: 'alice' }],
    ['sponsor', { sponsor: 'group:leads@local' }],
    ['sponsor', { sponsor: '*@local' }],
    ['sponsor', { sponsor: 'user:alice@elsewhere' }],
    ['sponsor', { sponsor: 'user:robot@ci' }],
    ['credential', { credential: 'password' }],
    ['credential', { credential: 'claim:sub=x@local' }],
    ['credential', { credential: 'claim:sub=x@elsewhere' }],
    ['credential', { credential: 'user:robot@ci' }],
    ['credential', { credential: 'client:http://agent.example/client.json' }],
    ['credential', { credential: 'client:https://user@agent.example/client.json' }],
    ['credential', { credential: 'client:https://agent.example/client.json#x' }],
    ['credential', { credential: 'client:' }],
    ['credential', { credential: 'client:unknown' }],
    ['credential', { credential: 'client:lictor-cli' }],
    ['roles', { roles: [] }],
    ['roles[0].role', { roles: [{ role: 'admin' }] }],
    ['roles[0].role', { roles: [{ role: 'worker' }] }],
    ['roles[0].role', { roles: [{ role: 'run' }] }],
    ['roles[0].scope', { roles: [{ role: 'agent', scope: { tags: [] } }] }],
    ['parameters.etl', { parameters: { etl: {} } }],
    ['parameters.etl/nightly', { parameters: { 'etl/nightly': { tipe: 'object' } } }],
    ['parameters.etl/nightly', { parameters: { 'etl/nightly': { type: 'objekt' } } }],
    ['budgets.calls', { budgets: { calls: '100/s' } }],
    ['budgets.runs', { budgets: { runs: '0/h' } }],
    ['budgets.concurrent_runs', { budgets: { concurrent_runs: 0 } }],
    ['budgets.descendants', { budgets: { descendants: -1 } }],
    ['budgets.bytes', { budgets: { bytes: '50MB/s' } }],
    ['taint', { taint: 'ask' }],
    ['secret', { secret: 'x' }],
  ])('report a bad %s: %j', (place, changes) => {
    expect(places(changed(changes))).toEqual([`agents[0].${place}`]);
  });

  it('have separate names', () => {
    expect(places(withAgents(COPILOT, COPILOT))).toEqual(['agents[1].name']);
  });

  it.each(['claim:sub=x@ci', 'client:desktop'])('do not share the credential %s', (credential) => {
    const second = { ...COPILOT, name: 'second' };
    expect(places(withAgents({ ...COPILOT, credential }, { ...second, credential }))).toEqual(['agents[1].credential']);
    expect(accepted(withAgents(COPILOT, second)).agents).toHaveLength(2);
  });

  it('report all problems at once', () => {
    expect(problems(changed({ sponsor: 'alice', budgets: { runs: '5/s' }, roles: [{ role: 'admin' }] }))).toHaveLength(3);
  });
});

describe('other sections', () => {
  it('limit an agent of the file, and no other', () => {
    const limit = (name: string) => `limits: [{ for: "principal:agent:${name}", rate: 5/s }]\n`;
    expect(accepted(withAgents(COPILOT) + limit('copilot')).limits[1]).toMatchObject({ kind: 'principal', name: 'agent:copilot' });
    expect(problems(withAgents(COPILOT) + limit('copylot'))).toMatchObject([{ path: 'limits[0].for', remedy: 'Did you mean copilot?' }]);
  });

  it('give no role to the token of an agent, because it would not count', () => {
    const role = 'roles: [{ role: viewer, members: ["token:copilot"] }]\n';
    expect(places(withAgents(COPILOT) + role)).toEqual(['roles[0].members[0]']);
    accepted(changed({ credential: 'client:desktop' }) + role);
  });
});
