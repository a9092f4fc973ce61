// The mediator against a real Prefect: Prefect accepts forwarded requests and stores the stamps, and rejected requests never arrive.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorization } from '../../src/authorization/decide/decider.ts';
import { AT_ONCE } from '../../src/authorization/mediate/body-work.ts';
import { createMediator, type MediatedResponse } from '../../src/authorization/mediate/mediator.ts';
import type { NewRecord } from '../../src/contract/record.ts';
import { createCatalogue } from '../../src/prefect/catalog/catalogue.ts';
import { createUpstream, type Upstream } from '../../src/prefect/client/upstream.ts';
import { createEventMemory } from '../../src/prefect/events/memory.ts';
import { createEventRules } from '../../src/prefect/events/rules.ts';
import { type Direct, directTo, field, sharedPrefect, text, withPatience } from '../env/prefect.ts';

const catalogue = createCatalogue();
const records = new Map<string, NewRecord>();
let upstream: Upstream;
let prefect: Direct;
let flowId: string;
let deploymentId: string;

beforeAll(async () => {
  const address = sharedPrefect();
  prefect = directTo(address);
  upstream = createUpstream({ servers: [address.url], authString: address.authString, publicUrl: { origin: 'http://localhost:8200', secure: false } });
  flowId = text(field(await prefect.post('/flows/', { name: `mediate-${randomUUID()}` }), 'id'));
  const own = { job_variables: { image: 'own' }, enforce_parameter_schema: false };
  deploymentId = text(field(await prefect.post('/deployments/', { name: 'd', flow_id: flowId, ...own }), 'id'));
});
afterAll(() => upstream.close());

/** Allows all but what is named. */
function decider(denied: readonly string[]) {
  const principal = { id: 'alice@local', kind: 'user', idp: 'local', roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: 'c', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
  const allow: Authorization = { ok: true, principal, credential, decisions: [], restrictions: [], entities: [] };
  const deny: Authorization = { ok: false, reason: 'policy-forbids', principal, credential, credentialId: 'c', decisions: [] };
  return {
    readsParameters: false,
    precheck: async () => allow,
    authorizeNow: async (_inputs: unknown, asks: readonly { readonly action: string }[]) => (asks.some(({ action }) => denied.includes(action)) ? deny : allow),
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly record: NewRecord;
}

/** `body`: text as it is, anything else as JSON. */
async function send(method: string, path: string, body?: unknown, denied: readonly string[] = []): Promise<Answer> {
  const mediator = createMediator({
    eventRules: createEventRules(createEventMemory()),
    guardedTags: async () => new Set(),
    objects: { forget: () => undefined },
    knownFlows: { put: async () => undefined },
    leases: { put: async () => undefined, ends: async () => undefined },
    bodies: { begin: async () => AT_ONCE },
    makers: { put: async () => undefined, forget: async () => undefined, createdBy: async () => [] },
    catalogue,
    decider: decider(denied),
    upstream,
    ledger: {
      healthy: () => true,
      append: async (record) => void records.set(record.request_id ?? '', record),
      intend: async (record) => void records.set(record.request_id, record),
      settle: async (id, outcome) => void records.set(id, { time: '', ...records.get(id), ...outcome }),
    },
    clock: Date.now,
    config: { publicUrl: { origin: 'https://gate', basePath: '' }, forwardHeaders: [], startedByTag: false, traces: null, ledger: { failClosed: true } },
  });
  const requestId = randomUUID();
  const inputs = {
    ...{ requestId, host: 'localhost', listener: '0', address: '127.0.0.1', authorization: 'x', token: '', session: '', certificate: '', sameOrigin: false },
    ...{ method, operation: catalogue.match(method, path)?.operation.operationId ?? '', path, args: '' },
  };
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const headers = { 'content-type': 'application/json', 'x-prefect-api-version': '0.8.4' };
  const response = await withPatience(async () => asResponse(await mediator.handle({ inputs, headers, body: bytes })));
  const whole = await response.text();
  return { status: response.status, body: whole === '' ? null : JSON.parse(whole), record: records.get(requestId) ?? { time: '' } };
}

function asResponse({ status, body }: MediatedResponse): Response {
  return new Response(body.length === 0 ? null : body.toString(), { status });
}

/** Prefect's own text, for numbers that JSON.parse would round. */
async function rawRun(id: string): Promise<string> {
  return (await upstream.request({ method: 'GET', path: `/api/flow_runs/${id}` })).body.toString();
}

describe('creating runs', () => {
  const labels = { team: 'a', 'lictor.principal': 'root', 'lictor.on_behalf_of': 'root' };

  it('from a deployment: stamped, bound, and with big numbers as they were', async () => {
    const made = await send(
      'POST',
      `/api/deployments/${deploymentId}/create_flow_run`,
      `{"parameters":{"big":12345678901234567890,"one":1.0},"labels":${JSON.stringify(labels)}}`,
    );
    expect(made.status).toBe(201);
    const id = text(field(made.body, 'id'));
    expect(made.record).toMatchObject({ flow_run_id: id, run_binding: 'verified', deployment_id: deploymentId, status: 201 });
    const stored = field(await prefect.get(`/flow_runs/${id}`), 'labels');
    expect(stored).toMatchObject({ team: 'a', 'lictor.principal': 'alice@local', 'lictor.request_id': made.record.request_id });
    expect(stored).not.toHaveProperty(['lictor.on_behalf_of']);
    expect(await rawRun(id)).toMatch(/"big":12345678901234567890,"one":1\.0/);
  });

  it('is not attributed when an idempotency key brings back an earlier run', async () => {
    const path = `/api/deployments/${deploymentId}/create_flow_run`;
    const body = { idempotency_key: randomUUID() };
    const first = await send('POST', path, body);
    const second = await send('POST', path, body);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(field(second.body, 'id')).toBe(field(first.body, 'id'));
    expect(second.record).toMatchObject({ flow_run_id: null, run_binding: 'none' });
  });

  it('in bulk: every run stamped and recorded', async () => {
    const made = await send('POST', `/api/deployments/${deploymentId}/create_flow_run/bulk`, [{ labels }, { parameters: { n: 1 } }]);
    expect(made.status).toBe(200);
    const bound = [1, 2].map((number) => text(records.get(`${made.record.request_id}.${number}`)?.flow_run_id));
    for (const id of bound) {
      expect(field(await prefect.get(`/flow_runs/${id}`), 'labels')).toMatchObject({
        'lictor.principal': 'alice@local',
        'lictor.request_id': made.record.request_id,
      });
    }
  });

  it('directly, as a local flow does', async () => {
    const made = await send('POST', '/api/flow_runs/', { flow_id: flowId, state: { type: 'PENDING' }, parameters: { n: 1 }, parent_task_run_id: null });
    expect(made.status).toBe(201);
    const id = text(field(made.body, 'id'));
    expect(made.record).toMatchObject({ flow_run_id: id, resource_id: id, run_binding: 'verified' });
    expect(field(await prefect.get(`/flow_runs/${id}`), 'labels')).toMatchObject({ 'lictor.principal': 'alice@local' });
  });

  it('below a task run, whose states are those of the run from then on, by a right besides', async () => {
    const outer = text(field(await prefect.post('/flow_runs/', { flow_id: flowId }), 'id'));
    const running = { flow_run_id: outer, task_key: 'k', dynamic_key: randomUUID(), state: { type: 'RUNNING' } };
    const task = text(field(await prefect.post('/task_runs/', running), 'id'));
    const stateOf = async () => field(await prefect.get(`/task_runs/${task}`), 'state_type');
    const path = `/api/deployments/${deploymentId}/create_flow_run`;
    const below = { parent_task_run_id: task };
    const ways: readonly (readonly [path: string, body: unknown])[] = [
      [path, below],
      [`${path}/bulk`, [below]],
      ['/api/flow_runs/', { ...below, flow_id: flowId, state: { type: 'PENDING' } }],
    ];
    for (const [way, body] of ways) expect((await send('POST', way, body, ['task_runs.set_state'])).status).toBe(403);
    expect(await stateOf()).toBe('RUNNING');
    expect((await send('POST', path, below)).status).toBe(201);
    expect(await stateOf()).toBe('SCHEDULED');
  });

  it('takes what the deployment has itself for no override, and refuses another image', async () => {
    const path = `/api/deployments/${deploymentId}/create_flow_run`;
    const denied = ['deployments.run.override'];
    expect(await send('POST', path, { job_variables: { image: 'own' }, enforce_parameter_schema: false }, denied)).toMatchObject({ status: 201 });
    const before = await runCount();
    expect(await send('POST', path, { job_variables: { image: 'other' } }, denied)).toMatchObject({ status: 403, body: { code: 'policy-forbids' } });
    expect(await send('POST', path, '{"job_variables":{"image":"other"},"job_variables":{}}')).toMatchObject({ status: 400, body: { code: 'body-not-json' } });
    expect(await runCount()).toBe(before);
  });

  const runCount = () => prefect.post('/flow_runs/count', { deployments: { id: { any_: [deploymentId] } } });
});

describe('changing runs', () => {
  const create = async () => text(field(await prefect.post(`/deployments/${deploymentId}/create_flow_run`, {}), 'id'));

  it('sets states, and none that is denied', async () => {
    const id = await create();
    const path = `/api/flow_runs/${id}/set_state`;
    expect(await send('POST', path, { state: { type: 'CANCELLING', name: 'Cancelling' }, force: true }, ['flow_runs.cancel'])).toMatchObject({ status: 403 });
    expect(await prefect.runState(id)).toBe('SCHEDULED');
    expect(await send('POST', path, { state: { type: 'CANCELLING', name: 'Cancelling' }, force: true })).toMatchObject({ status: 201 });
    // Prefect cancels at once what has not started.
    expect(await prefect.runState(id)).toBe('CANCELLED');
  });

  it('says with a state that steers where a result is only for what runs', async () => {
    const id = await create();
    const data = { type: 'reference', storage_key: '/tmp/planted', serializer: { type: 'pickle' } };
    const set = (without: string[], more: object) =>
      send('POST', `/api/flow_runs/${id}/set_state`, { state: { type: 'PAUSED', name: 'Paused', ...more }, force: true }, without);
    expect(await set(['flow_runs.set_state'], { data })).toMatchObject({ status: 403 });
    expect(await prefect.runState(id)).toBe('SCHEDULED');
    expect(await set(['flow_runs.set_state'], { data: null })).toMatchObject({ status: 201 });
    expect(await set([], { data })).toMatchObject({ status: 201 });
  });

  it('merges labels, but no reserved one and none that makes the run unreadable', async () => {
    const id = await create();
    const path = `/api/flow_runs/${id}/labels`;
    expect(await send('PATCH', path, { a: 1, 'lictor.principal': 'root' })).toMatchObject({ status: 204, body: null });
    expect(await send('PATCH', path, { b: null })).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
    const labels = field(await prefect.get(`/flow_runs/${id}`), 'labels');
    expect(labels).toMatchObject({ a: 1 });
    expect(labels).not.toHaveProperty(['lictor.principal']);
  });

  it("passes Prefect's own 404 and 422", async () => {
    const missing = randomUUID();
    expect(await send('POST', `/api/flow_runs/${missing}/set_state`, { state: { type: 'RUNNING' } })).toMatchObject({ status: 404 });
    expect(await send('POST', `/api/flow_runs/${await create()}/set_state`, { state: { type: 'NO_SUCH_TYPE' } })).toMatchObject({ status: 422 });
  });

  it('deletes without a body', async () => {
    const id = await create();
    expect(await send('DELETE', `/api/flow_runs/${id}`)).toMatchObject({ status: 204, record: { flow_run_id: id, status: 204 } });
    expect(await send('DELETE', `/api/flow_runs/${id}`)).toMatchObject({ status: 404 });
  });
});

describe('settings', () => {
  it('answers the UI with the API of this origin and no login', async () => {
    const own = await send('GET', '/ui-settings');
    expect(own).toMatchObject({ status: 200, body: { api_url: '/api', auth: null, default_ui: 'v2' } });
  });

  it("redacts the server's settings for others, in the same shape", async () => {
    const whole = await send('GET', '/api/admin/settings');
    const redacted = await send('GET', '/api/admin/settings', undefined, ['admin.settings.read_all']);
    expect(keysOf(redacted.body)).toEqual(keysOf(whole.body));
    expect(JSON.stringify(whole.body)).toContain('127.0.0.1');
    expect(JSON.stringify(redacted.body)).not.toMatch(/127\.0\.0\.1|\/tmp|sqlite:|https?:/);
  });
});

/** All key paths of an object. */
function keysOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [at];
  return Object.entries(value)
    .flatMap(([key, inner]) => keysOf(inner, `${at}.${key}`))
    .sort();
}
