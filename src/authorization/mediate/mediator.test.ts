import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { AT_ONCE } from './body-work.ts';
import { codeOf, DEPLOYMENT, json, prefectWith, RUN, type Sent, startMediator } from './mediator.fixture.ts';

const VARIABLE: Sent = { role: 'deployer', path: '/api/variables/', body: { name: 'a', value: 1 } };

describe('mediator', () => {
  it('writes intent before and outcome after, and forwards between them', async () => {
    const gate = startMediator({ prefect: () => ({ status: 201, body: json({ id: 'v1' }) }) });
    expect(await gate.send(VARIABLE)).toMatchObject({ status: 201 });
    expect(gate.order).toEqual(['intend', 'prefect POST', 'settle']);
    expect(gate.record()).toMatchObject({
      principal: 'token:deployer',
      credential_id: 'lct_x',
      action: 'variables.write',
      resource_type: 'Variable',
      resource_id: 'v1',
      decision: 'allow',
      reason: 'policy-permits',
      policies: expect.arrayContaining(['deployer']),
      status: 201,
      upstream_ms: 3,
      path_taken: 'mediated',
      source_ip: '10.0.0.9',
      user_agent: 'prefect/3.9.1',
      revision: 7,
    });
  });

  it('answers with a created object when the ledger has its id, and without one at once', async () => {
    const [asked, settled] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const settle = (): Promise<void> => {
      asked.resolve();
      return settled.promise;
    };
    const body = (): Buffer => json({ id: RUN, status: 'ACCEPT', state: { type: 'RUNNING' } });
    const gate = startMediator({ prefect: () => ({ status: 201, body: body() }), ledger: { settle } });
    const run = { role: 'deployer', path: `/api/deployments/${DEPLOYMENT}/create_flow_run`, body: {} };
    const creating = gate.send(run);
    await asked.promise;
    expect(await Promise.race([creating, new Promise((resolve) => setImmediate(resolve, 'waits'))])).toBe('waits');
    const state = { role: 'deployer', path: `/api/flow_runs/${RUN}/set_state`, body: { state: { type: 'RUNNING' } } };
    expect(await gate.send(state)).toMatchObject({ status: 201 });
    settled.resolve();
    expect(await creating).toMatchObject({ status: 201 });
  });

  it('refuses what the role may not, forwards nothing, and records who, what and why', async () => {
    const gate = startMediator();
    const response = await gate.send({ ...VARIABLE, role: 'viewer' });
    expect(response.status).toBe(403);
    expect(JSON.parse(response.body.toString())).toMatchObject({
      detail: 'token:viewer (viewer) may not create variables (variables.write); role deployer may.',
      code: 'policy-default-deny',
      request_id: 'r1',
      hint: expect.stringContaining('administrator'),
    });
    expect(gate.forwarded).toEqual([]);
    expect(gate.record()).toMatchObject({ principal: 'token:viewer', action: 'variables.write', decision: 'deny', reason: 'policy-default-deny', status: 403 });
  });

  it('answers 401 with WWW-Authenticate, before it looks at the body', async () => {
    const gate = startMediator();
    const response = await gate.send({ ...VARIABLE, role: 'none', body: 'no json' });
    expect(response).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="lictor"', 'content-type': 'application/json' } });
    expect(codeOf(response)).toBe('credential-unknown');
    expect(gate.record()).toMatchObject({ principal: null, decision: 'deny', reason: 'credential-unknown' });
  });

  it('refuses operations that are unknown, sockets, or of another path or method', async () => {
    const gate = startMediator();
    expect(codeOf(await gate.send({ role: 'admin', path: '/api/no/such' }))).toBe('action-unknown');
    expect(codeOf(await gate.send({ role: 'admin', method: 'GET', path: '/api/events/out' }))).toBe('route-denied');
    const operation = 'create_variable_variables__post';
    expect(codeOf(await gate.send({ role: 'admin', path: '/api/flows/', body: {}, inputs: { operation } }))).toMatch(/^(request-invalid|action-unknown)$/);
    expect(codeOf(await gate.send({ role: 'admin', method: 'PUT', path: '/api/variables/', body: {}, inputs: { operation } }))).toBe('route-denied');
    expect(gate.forwarded).toEqual([]);
  });

  it('takes application/json in UTF-8 only, never encoded', async () => {
    const gate = startMediator();
    const send = (headers: Record<string, string>) => gate.send({ ...VARIABLE, headers });
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset="UTF-8"']) {
      expect(await send({ 'content-type': type })).toMatchObject({ status: 200 });
    }
    for (const type of ['', 'text/plain', 'application/vnd.x+json', 'application/json; charset=utf-16', 'application/json, text/plain', 'application/jsonp']) {
      expect(codeOf(await send({ 'content-type': type }))).toBe('content-type-unsupported');
    }
    for (const encoding of ['gzip', 'br', 'identity, gzip']) expect(codeOf(await send({ 'content-encoding': encoding }))).toBe('content-encoding-unsupported');
    expect(await send({ 'content-encoding': 'identity' })).toMatchObject({ status: 200 });
  });

  it('bounds the body', async () => {
    const gate = startMediator();
    const big = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(9 * 1024 * 1024, 'x'), Buffer.from('"}')]);
    expect(await gate.send({ ...VARIABLE, body: big })).toMatchObject({ status: 413 });
    expect(await gate.send({ role: 'worker', method: 'PATCH', path: `/api/flow_runs/${RUN}/labels`, body: big.subarray(0, 300_000) })).toMatchObject({
      status: 413,
    });
    expect(gate.forwarded).toEqual([]);
  });

  it('BD-03: refuses what parsers read differently, and forwards numbers as they were', async () => {
    const gate = startMediator();
    const hostile = ['{"a":{"b":1,"\\u0062":2}}', '{"a":NaN}', '\ufeff{}', '{"a":1e400}', Buffer.from('{}', 'utf16le'), Buffer.alloc(1_000_000, '[')];
    for (const body of hostile) expect(codeOf(await gate.send({ ...VARIABLE, body }))).toBe('body-not-json');
    expect(gate.forwarded).toEqual([]);
    const body = '{ "value": [12345678901234567890, 1.0, 1e2, -0], "__proto__": {"x": 1} }';
    await gate.send({ ...VARIABLE, body });
    expect(gate.forwarded.at(-1)?.body?.toString()).toBe('{"value":[12345678901234567890,1.0,1e2,-0],"__proto__":{"x":1}}');
  });

  it('refuses a body of more values than its bound, whatever its size, and says so', async () => {
    const gate = startMediator();
    const values = (count: number) => `{"name":"x","value":[${'0,'.repeat(count)}0]}`;
    const refused = await gate.send({ ...VARIABLE, body: values(300_000) });
    expect([refused.status, codeOf(refused), gate.record().reason]).toEqual([413, 'body-too-complex', 'body-too-complex']);
    expect(gate.forwarded).toEqual([]);
    expect((await gate.send({ ...VARIABLE, body: values(290_000) })).status).toBe(200);
  });

  it('refuses a body that names more objects than are decided on at once', async () => {
    const gate = startMediator();
    const poll = (count: number) => ({
      ...{ role: 'admin', path: '/api/deployments/get_scheduled_flow_runs' },
      body: { deployment_ids: Array.from({ length: count }, (_, at) => `${DEPLOYMENT.slice(0, -4)}${String(at).padStart(4, '0')}`) },
    });
    const refused = await gate.send(poll(501));
    expect([refused.status, codeOf(refused)]).toEqual([413, 'body-too-complex']);
    expect(gate.forwarded).toEqual([]);
    expect((await gate.send(poll(500))).status).toBe(200);
  });

  it('forwards keys in the order in which they were written, whole numbers too', async () => {
    const gate = startMediator();
    await gate.send({ ...VARIABLE, body: '{"name":"x","value":{"1":"a","0":{"9":1.0,"b":2,"3":4}}}' });
    expect(gate.forwarded.at(-1)?.body?.toString()).toBe('{"name":"x","value":{"1":"a","0":{"9":1.0,"b":2,"3":4}}}');
  });

  it('reads a body when there is room for it, and not before', async () => {
    const ended: string[] = [];
    const begin = async (who: string, bytes: number) =>
      bytes > 100 ? ('bodies-waiting' as const) : { ...AT_ONCE, end: () => void ended.push(`${who} ${bytes}`) };
    const gate = startMediator({ parts: { bodies: { begin } } });
    let reads = 0;
    const read = async () => {
      reads += 1;
      return Buffer.from(`{"name":"x","value":${reads}}`);
    };
    const late = (length: number) => ({ length, read });
    const refused = await gate.sendLate(VARIABLE, late(101));
    expect([refused.status, codeOf(refused), refused.headers['retry-after'], gate.record().reason, reads]).toEqual([
      ...[429, 'bodies-waiting', '2', 'bodies-waiting', 0],
    ]);
    expect((await gate.sendLate(VARIABLE, late(9 * 1024 * 1024))).status).toBe(413);
    expect((await gate.sendLate({ ...VARIABLE, role: 'none' }, late(20))).status).toBe(401);
    expect([reads, gate.forwarded.length, ended]).toEqual([0, 0, []]);
    expect((await gate.sendLate(VARIABLE, late(20))).status).toBe(200);
    expect([reads, ended]).toEqual([1, ['token:deployer 20']]);
  });

  it.each([
    // After the body is read, before each body's asks, four looks of those, after the plan, before what is forwarded is made, and before it is written.
    [`/api/deployments/${DEPLOYMENT}/create_flow_run`, 9],
    [`/api/deployments/${DEPLOYMENT}/create_flow_run/bulk`, 14],
    ['/api/flow_runs/', 8],
  ])('%s lets others come between its looks at a large body', async (path, expected) => {
    let turns = 0;
    const turn = async () => {
      turns += 1;
    };
    const gate = startMediator({ parts: { bodies: { begin: async () => ({ ...AT_ONCE, turn }) } } });
    const one = { flow_id: DEPLOYMENT, parameters: { a: [1] } };
    await gate.send({ role: 'admin', path, body: path.endsWith('bulk') ? [one, one] : one });
    expect([gate.forwarded.length, turns]).toEqual([1, expected]);
  });

  it('gives the room back and forwards nothing when a body cannot be read', async () => {
    const ended: number[] = [];
    const begin = async (_who: string, bytes: number) => ({ ...AT_ONCE, end: () => void ended.push(bytes) });
    const gate = startMediator({ parts: { bodies: { begin } } });
    const broken = await gate.sendLate(VARIABLE, { length: 20, read: () => Promise.reject(new Error('gone')) });
    expect([broken.status, codeOf(broken), ended, gate.forwarded.length]).toEqual([503, 'gateway-unavailable', [20], 0]);
  });

  it('takes requests without a body, and a DELETE without a type', async () => {
    const gate = startMediator({ prefect: prefectWith({}, { status: 204, headers: {}, body: Buffer.alloc(0) }) });
    expect(await gate.send({ role: 'deployer', method: 'DELETE', path: `/api/deployments/${DEPLOYMENT}` })).toMatchObject({ status: 204 });
    expect(gate.forwarded.at(-1)).toMatchObject({ method: 'DELETE', path: `/api/deployments/${DEPLOYMENT}`, body: null });
    expect(gate.record()).toMatchObject({ resource_id: DEPLOYMENT, deployment_id: DEPLOYMENT, action: 'deployments.delete', run_binding: 'none' });
    expect(await gate.send({ role: 'operator', method: 'DELETE', path: `/api/deployments/${DEPLOYMENT}` })).toMatchObject({ status: 403 });
  });

  it('forwards an allow-list of headers, and never identity, provenance or hop', async () => {
    const gate = startMediator();
    const foreign = {
      cookie: 'a=1',
      authorization: 'Basic x',
      'prefect-automation-id': 'x',
      'prefect-automation-name': 'x',
      'x-forwarded-for': '127.0.0.1',
      'x-lictor-token': 'x',
      'x-http-method-override': 'DELETE',
      host: 'evil',
      'transfer-encoding': 'chunked',
    };
    const wanted = { 'prefect-csrf-token': 't', 'x-prefect-api-version': '0.8.4', 'x-prefect-flow-id': 'f', traceparent: '00', accept: '*/*', 'x-team': 'a' };
    await gate.send({ ...VARIABLE, headers: { ...foreign, ...wanted } });
    expect(gate.forwarded.at(-1)?.headers).toEqual({ ...wanted, 'user-agent': 'prefect/3.9.1', 'content-type': 'application/json' });
  });

  it("passes Prefect's own answers unchanged, an error of its too, with an allow-list of headers", async () => {
    const headers = {
      'content-type': 'text/plain',
      etag: '"1"',
      server: 'uvicorn',
      'access-control-allow-origin': '*',
      'x-accel-redirect': '/x',
      'set-cookie': 'a=1',
    };
    const gate = startMediator({ prefect: () => ({ status: 500, headers, body: Buffer.from('Internal Server Error') }) });
    const response = await gate.send(VARIABLE);
    expect(response).toMatchObject({ status: 500, headers: { 'content-type': 'text/plain', etag: '"1"' } });
    expect(Object.keys(response.headers)).toEqual(['content-type', 'etag']);
    expect(response.body.toString()).toBe('Internal Server Error');
    expect(gate.record()).toMatchObject({ status: 500, decision: 'allow' });
  });

  it('says Prefect-Maintenance only when nothing was forwarded', async () => {
    const away = startMediator({ prefect: () => new UpstreamError('upstream-unavailable', { forwarded: false }) });
    const first = await away.send(VARIABLE);
    expect(first).toMatchObject({ status: 503, headers: { 'retry-after': '2', 'prefect-maintenance': 'true' } });
    expect(away.record()).toMatchObject({ status: 503, decision: 'allow', reason: 'upstream-unavailable' });
    const slow = startMediator({ prefect: () => new UpstreamError('upstream-timeout', { forwarded: true }) });
    const second = await slow.send(VARIABLE);
    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(second.headers).not.toHaveProperty('prefect-maintenance');
    expect([codeOf(first), codeOf(second)]).toEqual(['upstream-unavailable', 'upstream-timeout']);
    expect(slow.record()).toMatchObject({ reason: 'upstream-timeout' });
  });

  it('changes nothing while the ledger cannot be written, and reads on', async () => {
    const broken = { append: refused, intend: refused, settle: refused };
    for (const ledger of [{ healthy: () => false }, broken]) {
      const gate = startMediator({ ledger });
      const response = await gate.send(VARIABLE);
      expect(response).toMatchObject({ status: 503, headers: { 'retry-after': '5', 'prefect-maintenance': 'true' } });
      expect(codeOf(response)).toBe('ledger-unavailable');
      expect(gate.forwarded).toEqual([]);
    }
    const reading = startMediator({ ledger: { ...broken, healthy: () => false } });
    expect(await reading.send({ role: 'viewer', path: '/api/block_documents/filter', body: {} })).toMatchObject({ status: 200 });
    expect(codeOf(await reading.send({ role: 'deployer', path: '/api/block_documents/filter', body: { include_secrets: true } }))).toBe('ledger-unavailable');
  });

  it('still answers a refusal when its record cannot be written', async () => {
    const gate = startMediator({ ledger: { append: refused } });
    expect(await gate.send({ ...VARIABLE, role: 'viewer' })).toMatchObject({ status: 403 });
  });

  it('refuses a write by cookie that does not come from its own origin', async () => {
    const gate = startMediator();
    const byCookie = { token: '', session: 'deployer' };
    expect(codeOf(await gate.send({ ...VARIABLE, inputs: byCookie }))).toBe('origin-foreign');
    expect(gate.forwarded).toEqual([]);
    expect(await gate.send({ ...VARIABLE, inputs: { ...byCookie, sameOrigin: true } })).toMatchObject({ status: 200 });
    expect(gate.record()).toMatchObject({ session_id: 's1' });
  });

  it('turns a defect into a 503, never a 500', async () => {
    const gate = startMediator({
      parts: {
        decider: {
          readsParameters: false,
          precheck: refused,
          authorizeNow: refused,
        },
      },
    });
    const response = await gate.send(VARIABLE);
    expect(response.status).toBe(503);
    expect(codeOf(response)).toBe('gateway-unavailable');
    expect(gate.forwarded).toEqual([]);
  });

  it('forwards path and query as they came', async () => {
    const gate = startMediator();
    const path = `/api/deployments/${DEPLOYMENT.toUpperCase().replaceAll('-', '')}`;
    await gate.send({ role: 'deployer', method: 'PATCH', path, body: { paused: true }, inputs: { args: 'a=%20b' } });
    expect(gate.forwarded.at(-1)).toMatchObject({ path, query: 'a=%20b' });
    expect(gate.record()).toMatchObject({ deployment_id: DEPLOYMENT });
  });

  it('drops reserved labels of what runs inherit from', async () => {
    const gate = startMediator({ prefect: prefectWith({}, { status: 201, body: json({ id: DEPLOYMENT }) }) });
    const deployment = { name: 'd', flow_id: RUN };
    await gate.send({ role: 'deployer', path: '/api/deployments/', body: { ...deployment, labels: { 'lictor.principal': 'x', team: 'a' } } });
    expect(gate.last()).toEqual({ ...deployment, labels: { team: 'a' } });
    expect(gate.record()).toMatchObject({ resource_id: DEPLOYMENT, deployment_id: DEPLOYMENT });
    expect(codeOf(await gate.send({ role: 'deployer', path: '/api/deployments/', body: { ...deployment, labels: [1] } }))).toBe('body-invalid');
  });
});

async function refused(): Promise<never> {
  throw new Error('no space left on device');
}
