import { describe, expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import type { JsonObject } from '../../contract/json/tree.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { everywhere, type Grant, NOWHERE } from '../../contract/scope.ts';
import { explainAction } from './action.ts';
import { explainerParts, principalParts, role, token } from './bench.fixture.ts';
import { findPrincipal } from './principal.ts';
import { revisit } from './record.ts';
import { explainRequest } from './request.ts';

const ID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const parts = explainerParts();
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('explain an action', () => {
  it('names the policy that permits, its file and words', async () => {
    const answer = await explainAction(parts, await role('operator'), { action: 'flow_runs.cancel', resource: ID.toUpperCase() });
    expect(answer).toMatchObject({ decision: 'allow', reason: 'policy-permits', status: null, revision: 7 });
    expect(answer.asks).toMatchObject([
      { group: 'steer', resource_type: 'FlowRun', resource_id: ID, policies: [{ id: 'operator', file: 'src/authorization/policy/roles/operator.cedar' }] },
    ]);
    expect(answer.asks[0]?.policies[0]?.description).toContain('starts and steers runs');
  });

  it('denies what no policy permits, with the status of the answer', async () => {
    const answer = await explainAction(parts, await role('viewer'), { action: 'flow_runs.cancel' });
    expect(answer).toMatchObject({ decision: 'deny', reason: 'policy-default-deny', status: 403, detail: 'The role viewer does not permit this.' });
    expect((await explainAction(parts, await role('operator'), { action: 'flow_runs.cancel' })).detail).toBe('The role operator permits this.');
  });

  it('denies a revoked token whatever policies say, and still shows them', async () => {
    const gone = await findPrincipal('token:gone', principalParts([token('gone', { roles: ['admin'], revokedMs: 1 })]));
    const answer = await explainAction(parts, gone, { action: 'flows.read' });
    expect(answer).toMatchObject({ decision: 'deny', reason: 'credential-revoked', status: 401, asks: [{ decision: 'allow' }] });
  });

  it.each([
    ['flow_runs.cancle', undefined, 'Did you mean flow_runs.cancel?'],
    ['flow_runs.fly', undefined, 'Actions of flow_runs:'],
    ['fly', undefined, 'docs/reference/roles.md'],
    ['flow_runs.cancel', 'Deployment:x', 'never asked on Deployment. It is for FlowRun'],
    ['blocks.read_secrets', 'x', 'write TYPE:ID'],
  ])('refuses %s on %s: %s', async (action, resource, words) => {
    const resolved = await role('admin');
    await expect(explainAction(parts, resolved, { action, resource })).rejects.toThrow(words);
  });
});

describe('explain a request', () => {
  it('decides a direct one by its route', async () => {
    const line = `GET /api/flow_runs/${ID}`;
    expect(await explainRequest(parts, await role('viewer'), { line })).toMatchObject({
      decision: 'allow',
      request: { path_taken: 'direct', route: '/api/flow_runs/{id}' },
      asks: [{ action: 'flow_runs.read', resource_id: ID }],
    });
    expect(await explainRequest(parts, await findPrincipal('token:none', principalParts([token('none', { roles: [] })])), { line })).toMatchObject({
      decision: 'deny',
      status: 403,
    });
  });

  it('decides a query that asks for secrets, and refuses an encoded one', async () => {
    const line = `GET /api/block_documents/${ID}?include_secrets=true`;
    expect(await explainRequest(parts, await role('deployer'), { line })).toMatchObject({ decision: 'allow', asks: [{ action: 'blocks.read_secrets' }] });
    expect(await explainRequest(parts, await role('viewer'), { line })).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    const encoded = await explainRequest(parts, await role('admin'), { line: line.replace('include_', 'include%5F') });
    expect(encoded).toMatchObject({ decision: 'deny', reason: 'query-invalid' });
  });

  it('asks for what the body says, and says that Prefect could not be asked', async () => {
    const line = `POST /api/deployments/${ID}/create_flow_run`;
    const plain = await explainRequest(parts, await role('operator'), { line, body: json({ parameters: { n: 1 } }) });
    expect(plain).toMatchObject({ decision: 'allow', depends_on_body: false });
    expect(plain.asks.map(({ action }) => action)).toEqual(['deployments.run', 'deployments.run.parameters']);
    const override = await explainRequest(parts, await role('operator'), { line, body: json({ job_variables: { image: 'x' } }) });
    expect(override).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    expect(override.notes.join()).toContain('Prefect could not be asked');
  });

  it('looks the deployment up where it can: what equals its own settings overrides nothing', async () => {
    const asked: string[] = [];
    const own = explainerParts(async (path) => {
      asked.push(path);
      return { job_variables: { image: 'x' } };
    });
    const line = `POST /api/deployments/${ID}/create_flow_run`;
    expect(await explainRequest(own, await role('operator'), { line, body: json({ job_variables: { image: 'x' } }) })).toMatchObject({
      decision: 'allow',
      notes: [],
    });
    expect(await explainRequest(own, await role('operator'), { line, body: json({ job_variables: { image: 'y' } }) })).toMatchObject({ decision: 'deny' });
    expect(asked).toContain(`/api/deployments/${ID}`);
  });

  it('lists what the body can ask for when none is given', async () => {
    const line = `POST /api/flow_runs/${ID}/set_state`;
    const answer = await explainRequest(parts, await role('operator'), { line });
    expect(answer).toMatchObject({ decision: 'allow', depends_on_body: true });
    const named = [...answer.asks, ...answer.further].map(({ action }) => action).sort();
    expect(named).toEqual(['flow_runs.cancel', 'flow_runs.force', 'flow_runs.pause', 'flow_runs.retry', 'flow_runs.set_state']);
    expect(await explainRequest(parts, await role('viewer'), { line })).toMatchObject({ decision: 'deny', depends_on_body: false });
  });

  it('refuses a body as the mediator does', async () => {
    const line = `POST /api/flow_runs/${ID}/set_state`;
    const twice = Buffer.from('{"state": {"type": "CANCELLED"}, "state": {"type": "RUNNING"}}');
    expect(await explainRequest(parts, await role('admin'), { line, body: twice })).toMatchObject({ decision: 'deny', reason: 'body-not-json', status: 400 });
    expect(await explainRequest(parts, await role('admin'), { line, body: json({}) })).toMatchObject({ decision: 'deny', reason: 'body-invalid' });
  });

  it('takes a whole URL of this gateway, and knows sockets', async () => {
    const worker = await role('worker');
    const line = 'GET https://prefect.example.com/api/work_pools/a/workers/connect';
    expect(await explainRequest(parts, worker, { line })).toMatchObject({ decision: 'allow', request: { path_taken: 'relay' } });
    expect(await explainRequest(parts, await role('viewer'), { line })).toMatchObject({ decision: 'deny' });
  });

  it.each([
    ['POST /flow_runs/filter', 'action-unknown', 'Did you mean POST /api/flow_runs/filter?'],
    ['PUT /api/flow_runs/filter', 'method-not-allowed', 'known with POST'],
    ['GET /api/flow_runs/not-a-uuid', 'not-found', ''],
    ['GET /api/no/such', 'action-unknown', ''],
    ['GET /api//flows', 'path-not-canonical', ''],
    ['GET /api/flows/%2e%2e/x', 'path-not-canonical', ''],
  ])('denies %s even to an admin: %s', async (line, reason, note) => {
    const answer = await explainRequest(parts, await role('admin'), { line });
    expect(answer).toMatchObject({ decision: 'deny', reason });
    expect(answer.notes.join()).toContain(note);
  });

  it.each(['/api/flows', 'POST', 'GET https://elsewhere.example/api/x', 'GET /.lictor/login', 'OPTIONS /api/flows'])(
    'takes %j for no request',
    async (line) => {
      await expect(explainRequest(parts, await role('admin'), { line })).rejects.toMatchObject({ code: 'usage' });
    },
  );
});

describe('explain a call of a service', () => {
  const billing = bareService('billing', [{ pattern: '/v1/*', methods: ['GET'] }]);
  const withServices = { ...parts, services: [billing] };

  it('by its route, and by what is listed', async () => {
    const line = (method: string, path: string) => ({ line: `${method} /.lictor/svc/billing${path}` });
    expect(await explainRequest(withServices, await role('admin'), line('GET', '/v1/x'))).toMatchObject({
      decision: 'allow',
      request: { path_taken: 'egress', route: '/v1/*' },
      asks: [
        { action: 'services.call', resource_type: 'ServiceRoute', resource_id: 'billing/v1/*', facts: { service: 'billing', method: 'GET', route: '/v1/*' } },
      ],
    });
    expect(await explainRequest(withServices, await role('viewer'), line('GET', '/v1/x'))).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    expect(await explainRequest(withServices, await role('admin'), line('POST', '/v1/x'))).toMatchObject({ reason: 'service-route-unknown', status: 403 });
    expect(await explainRequest(withServices, await role('admin'), line('GET', '/v1/../x'))).toMatchObject({ reason: 'path-not-canonical' });
    const withSockets = { ...parts, services: [{ ...billing, sockets: true }] };
    const socket = (method: string) => ({
      line: `${method} ${parts.publicUrl.origin.replace('http', 'ws')}${parts.publicUrl.basePath}/.lictor/svc/billing/v1/x`,
    });
    expect(await explainRequest(withServices, await role('admin'), socket('GET'))).toMatchObject({ decision: 'deny', reason: 'service-upgrade' });
    expect(await explainRequest(withSockets, await role('admin'), socket('GET'))).toMatchObject({ decision: 'allow', request: { route: '/v1/*' } });
    expect(await explainRequest(withSockets, await role('viewer'), socket('GET'))).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    expect(await explainRequest(withSockets, await role('admin'), socket('POST'))).toMatchObject({ decision: 'deny', reason: 'socket-handshake' });
    await expect(explainRequest(withServices, await role('admin'), { line: 'GET /.lictor/svc/biling/v1/x' })).rejects.toThrow('Did you mean billing?');
  });

  it('of a run with the tags that count there: those that its deployment has as well', async () => {
    const [run, deployment] = ['11111111-2222-3333-4444-555555555555', 'aaaaaaaa-2222-3333-4444-555555555555'];
    const objects: Readonly<Record<string, JsonObject>> = {
      [`/api/flow_runs/${run}`]: { id: run, deployment_id: deployment, tags: ['team-a', 'team-b'] },
      [`/api/deployments/${deployment}`]: { id: deployment, name: 'prod', tags: ['team-b'] },
    };
    const asked = { ...explainerParts(async (path) => objects[path] ?? null), services: [billing] };
    const resolved = await role('run');
    const caller = { ...resolved, principal: { ...resolved.principal, kind: 'run', attributes: { flow_run_id: run } } } as const;
    const answer = await explainRequest(asked, caller, { line: 'GET /.lictor/svc/billing/v1/x' });
    expect(answer.asks).toMatchObject([{ action: 'services.call', attributes: { tags: ['team-b'] } }]);
  });
});

describe('explain a connection of the forward proxy', () => {
  const withProxy = { ...parts, forwardHosts: ['api.example.com', '*.pypi.example'] };
  const ask = async (name: string, line: string) => explainRequest(withProxy, await role(name), { line });

  it('by its host, over https and http', async () => {
    expect(await ask('admin', 'CONNECT api.example.com:443')).toMatchObject({
      decision: 'allow',
      request: { method: 'CONNECT', path: 'api.example.com:443', path_taken: 'egress' },
      asks: [{ action: 'services.connect', resource_type: 'Host', resource_id: 'api.example.com', facts: { host: 'api.example.com', port: 443 } }],
      notes: expect.arrayContaining([expect.stringContaining('host-private')]),
    });
    expect(await ask('admin', 'GET http://a.pypi.example/simple?q=1')).toMatchObject({ decision: 'allow', request: { path: 'http://a.pypi.example/simple' } });
    expect(await ask('viewer', 'CONNECT api.example.com:443')).toMatchObject({ decision: 'deny', reason: 'policy-default-deny', status: 403 });
  });

  it.each([
    ['CONNECT other.example:443', 'host-unlisted'],
    ['CONNECT 169.254.169.254:443', 'host-literal'],
    ['CONNECT api.example.com:22', 'host-port'],
    ['CONNECT http://api.example.com/', 'request-invalid'],
    ['GET http://2852039166/', 'host-literal'],
  ])('refuses %s: %s', async (line, reason) => expect(await ask('admin', line)).toMatchObject({ decision: 'deny', reason }));

  it('says when there is no forward proxy', async () => {
    expect(await explainRequest(parts, await role('admin'), { line: 'CONNECT api.example.com:443' })).toMatchObject({
      reason: 'host-unlisted',
      notes: expect.arrayContaining([expect.stringContaining('no forward_proxy')]),
    });
  });
});

describe('explain a request that was made', () => {
  const record: LedgerRecord = {
    ...{ id: '1', time: '2026-01-01T00:00:00.000Z', request_id: 'r', principal: 'role:viewer', principal_kind: 'user', idp: 'local', credential_id: null },
    ...{ on_behalf_of: [], source_ip: '::1', user_agent: null, method: 'POST', path: '/api/x', action: 'flow_runs.cancel', resource_type: 'FlowRun' },
    ...{ resource_id: ID, decision: 'deny', reason: 'policy-default-deny', policies: [], status: 403, bytes: 1, duration_ms: 1, upstream_ms: null },
    ...{ path_taken: 'mediated', flow_run_id: null, task_run_id: null, deployment_id: null, run_binding: 'none', service: null, cache: null, mode: 'enforce' },
    ...{
      revision: 3,
      session_id: null,
      grant_id: null,
      approval_id: null,
      tool: null,
      grants: null,
      redactions: null,
      node: 'n',
      seq: 1,
      prev_hash: null,
      hash: null,
    },
  };

  it('shows the same answer, and one that is another now', async () => {
    expect(await revisit(parts, { record, resolved: await role('viewer') })).toMatchObject({ changed: false, now: { decision: 'deny' } });
    expect(await revisit(parts, { record, resolved: await role('operator') })).toMatchObject({ changed: true, now: { decision: 'allow' } });
  });

  it('does not claim a change for what no policy refused', async () => {
    const malformed = { ...record, reason: 'body-invalid' };
    const answer = await revisit(parts, { record: malformed, resolved: await role('operator') });
    expect(answer.changed).toBe(false);
    expect(answer.notes.join()).toContain('not refused by a policy');
  });

  it('claims no change where a policy looks at parameters, whose values are in no record', async () => {
    const own = '@id("own") forbid (principal, action == Action::"deployments.run", resource) unless { context.facts has parameter_values };';
    const looking = explainerParts(async () => null, { own });
    const run = { ...record, action: 'deployments.run', resource_type: 'Deployment', decision: 'allow', reason: 'policy-permits', status: 201 } as const;
    const answer = await revisit(looking, { record: run, resolved: await role('operator') });
    expect(answer).toMatchObject({ changed: false, now: { decision: 'deny', depends_on_body: true } });
    expect(answer.now?.notes.join()).toContain('looks at the values of parameters here');
    // Another action, or nobody who looks.
    expect(await revisit(looking, { record, resolved: await role('operator') })).toMatchObject({ changed: true, now: { depends_on_body: false } });
    expect(await revisit(parts, { record: run, resolved: await role('viewer') })).toMatchObject({ changed: true, now: { depends_on_body: false, notes: [] } });
  });

  it('decides nothing again without a principal, for a deleted principal, and without an action', async () => {
    expect(await revisit(parts, { record, resolved: null })).toMatchObject({ now: null });
    expect((await revisit(parts, { record, resolved: 'bob is gone.' })).notes.join()).toContain('bob is gone.');
    expect(await revisit(parts, { record: { ...record, action: 'token.create' }, resolved: await role('admin') })).toMatchObject({ now: null });
  });
});

describe('explain for a role on some objects only', () => {
  const TEAM = { ...NOWHERE, tags: ['team-a'] };
  const bob = async () => findPrincipal('token:bob', principalParts([token('bob', { roles: ['operator'], scope: TEAM })]));
  const prefect = (tag: string) =>
    explainerParts(async (path) => (path === `/api/flow_runs/${ID}` ? { id: ID, name: 'x', tags: [tag], state_type: 'RUNNING' } : null));

  it('shows on what it holds, and what the object is', async () => {
    const ours = await explainAction(prefect('team-a'), await bob(), { action: 'flow_runs.cancel', resource: ID });
    expect(ours).toMatchObject({ decision: 'allow', principal: { roles: [{ role: 'operator', scope: 'tags=team-a' }] } });
    expect(ours.asks[0]).toMatchObject({ attributes: { tags: ['team-a'], state: 'RUNNING', name: 'x' }, policies: [{ id: 'operator' }] });
    const theirs = await explainAction(prefect('team-b'), await bob(), { action: 'flow_runs.cancel', resource: ID });
    expect(theirs).toMatchObject({ decision: 'deny', reason: 'object-foreign', status: 404, asks: [{ attributes: { tags: ['team-b'] } }] });
  });

  it('decides for every principal of a chain, and names the scopes of each', async () => {
    const resolved = await bob();
    const sponsor = (grants: readonly Grant[]) => ({ ...resolved.principal, id: 'alice@corp', grants });
    const acting = (grants: readonly Grant[]) => ({ ...resolved, principal: { ...resolved.principal, limitedBy: [sponsor(grants)] } });
    const scoped = acting([{ role: 'operator', scope: { ...NOWHERE, tags: ['team-b'] } }]);
    const cancel = { action: 'flow_runs.cancel', resource: ID };
    expect(await explainAction(prefect('team-a'), scoped, cancel)).toMatchObject({ decision: 'deny', reason: 'object-foreign' });
    expect(await explainAction(prefect('team-a'), acting(everywhere(['operator'])), cancel)).toMatchObject({ decision: 'allow' });
    expect(await explainAction(prefect('team-a'), acting(everywhere(['viewer'])), cancel)).toMatchObject({ reason: 'policy-default-deny' });
    const both = [`tags=team-a (${resolved.principal.id}) and tags=team-b (alice@corp)`];
    expect((await explainAction(prefect('team-a'), scoped, { action: 'flow_runs.read' })).asks[0]?.narrowed_to).toEqual(both);
    expect((await explainAction(explainerParts(), scoped, cancel)).asks[0]).toMatchObject({ reason: 'upstream-unavailable', narrowed_to: both });
    expect(await explainAction(explainerParts(), acting([]), cancel)).toMatchObject({ reason: 'policy-default-deny' });
    const listed = await explainRequest(prefect('team-a'), scoped, { line: 'POST /api/flow_runs/filter', body: json({}) });
    expect(listed).toMatchObject({ decision: 'allow', asks: [{ narrowed_to: both }] });
  });

  it('answers without Prefect: what is certain, and what hangs on the object', async () => {
    const away = explainerParts();
    const cancel = await explainAction(away, await bob(), { action: 'flow_runs.cancel', resource: ID });
    expect(cancel).toMatchObject({ decision: 'deny', reason: 'upstream-unavailable', status: 503, asks: [{ attributes: null, narrowed_to: ['tags=team-a'] }] });
    expect(cancel.notes.join()).toContain(`allowed if tags=team-a covers it`);
    const pool = { ...NOWHERE, workPools: ['pool-a'] };
    const carol = { ...(await bob()) };
    const both = { ...carol, principal: { ...carol.principal, grants: [...carol.principal.grants, { role: 'viewer', scope: pool }] } } as const;
    const byOperator = await explainAction(away, both, { action: 'flow_runs.cancel', resource: ID });
    expect(byOperator.asks[0]?.narrowed_to).toEqual(['tags=team-a']);
    const byBoth = await explainAction(away, both, { action: 'flow_runs.read', resource: ID });
    expect(byBoth.asks[0]?.narrowed_to).toEqual(['tags=team-a', 'work_pools=pool-a']);
    expect(await explainAction(away, await bob(), { action: 'flow_runs.delete', resource: ID })).toMatchObject({
      reason: 'policy-default-deny',
      status: 403,
      notes: [],
    });
    expect(await explainAction(away, await bob(), { action: 'flow_runs.read' })).toMatchObject({ decision: 'allow', asks: [{ narrowed_to: ['tags=team-a'] }] });
    const ask = async (line: string, body?: unknown) => explainRequest(away, await bob(), { line, ...(body !== undefined && { body: json(body) }) });
    expect(await ask(`GET /api/flow_runs/${ID}`)).toMatchObject({
      reason: 'upstream-unavailable',
      asks: [{ action: 'flow_runs.read', narrowed_to: ['tags=team-a'] }],
    });
    const state = await ask(`POST /api/flow_runs/${ID}/set_state`, { state: { type: 'CANCELLING' } });
    expect(state).toMatchObject({ decision: 'deny', reason: 'upstream-unavailable', status: 503 });
    expect(state.notes.join()).toContain('cannot be asked');
    expect(await ask(`DELETE /api/flow_runs/${ID}`)).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
    expect(await explainAction(away, await role('operator'), { action: 'flow_runs.cancel', resource: ID })).toMatchObject({ decision: 'allow', notes: [] });
  });

  it('says what a list is narrowed to, and answers a request like the edge', async () => {
    expect(await explainAction(prefect('team-a'), await bob(), { action: 'flow_runs.read' })).toMatchObject({
      decision: 'allow',
      asks: [{ narrowed_to: ['tags=team-a'] }],
    });
    const line = (method: string, path: string) => ({ line: `${method} /api/flow_runs/${path}` });
    expect(await explainRequest(prefect('team-a'), await bob(), line('GET', ID))).toMatchObject({ decision: 'allow' });
    expect(await explainRequest(prefect('team-b'), await bob(), line('GET', ID))).toMatchObject({ decision: 'deny', reason: 'object-foreign' });
    const cancel = { ...line('POST', `${ID}/set_state`), body: json({ state: { type: 'CANCELLING' } }) };
    expect(await explainRequest(prefect('team-a'), await bob(), cancel)).toMatchObject({ decision: 'allow' });
    expect(await explainRequest(prefect('team-b'), await bob(), cancel)).toMatchObject({ decision: 'deny', reason: 'object-foreign' });
    expect(await explainRequest(prefect('team-a'), await bob(), { line: 'GET /api/observed-states' })).toMatchObject({ reason: 'scope-not-filterable' });
  });
});
