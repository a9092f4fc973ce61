// The edge by itself: the rendered nginx configuration between a client and stubs. Each fact here fails silently when it is lost.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCatalogue, OPERATIONS } from '../../src/catalog/catalogue.ts';
import { sweepDecisions } from '../../src/decide/sweep.ts';
import { request } from '../env/raw-request.ts';
import { allow, refuse, type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';

let edge: StubEdge;
beforeAll(async () => {
  edge = await startStubEdge();
});
afterAll(() => edge.stop());
beforeEach(async () => {
  edge.clear();
  edge.upstream.answerWith(undefined);
  await sweepDecisions(edge.paths.decisionCache);
});

const UUID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const TOKEN = { 'x-lictor-token': 'tok' };

async function get(path: string, headers: Record<string, string> = TOKEN): Promise<Response> {
  const response = await fetch(`${edge.url}${path}`, { headers, redirect: 'manual' });
  await response.clone().text();
  return response;
}

/** A raw target, since fetch would normalise it. */
async function raw(target: string, headers: readonly string[] = ['X-Lictor-Token: tok'], method = 'GET'): Promise<number> {
  const answer = await request(edge.port, [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers]);
  return answer.statuses[0] ?? 0;
}

describe('canonical targets', () => {
  it.each([
    '/api/health/../variables/filter',
    '/api/./flows/filter',
    '/api/flows/..',
    '/..',
    '//api/admin/version',
    '/api//flows/filter',
    '/api%2Fadmin%5Cdatabase',
    '/api/%252e%252e/admin',
    '/api/%2e%2e/admin',
    '/api/..;/admin/',
    '/api/flows;x=1/filter',
    '/api/flows\\filter',
    '/x#/../secret',
    '/api/%C0%AFx',
    '/api/%E0%80%80',
    '/api/%ED%A0%80',
    '/api/%F5%80%80%80',
    '/api/%FF',
    '/api/x%00',
    '/api/x%0a',
    '/api/x%7F',
    '/api/%zz',
    '/api/x%',
    '/api/x%4',
    '/api/%68ealth',
    '/api/flows%2ffilter',
    '/api/name%3a',
    '/api/a|b',
    '/api/a"b',
    '/api/a<b',
    '/api/\xff',
    '/%09/evil',
  ])('refuses %j with 400 and asks nobody', async (target) => {
    expect(await raw(target)).toBe(400);
    expect(edge.asked()).toEqual([]);
    expect(edge.upstream.seen()).toEqual([]);
  });

  it.each([
    '/api/variables/name/a%20b',
    '/api/variables/name/%C3%A9t%C3%A9',
    '/api/variables/name/%F0%9F%90%8D',
    "/api/variables/name/a.b-c_d~!$&'()*+,=:@",
    '/api/variables/name/a%3F%23',
    '/',
    '/v2/',
    '/api/flows/filter?x=/../;%zz|',
  ])('forwards %j byte for byte', async (target) => {
    expect(await raw(target)).toBe(200);
    expect(edge.upstream.seen().map((seen) => seen.target)).toEqual([target]);
  });
});

describe('the action map', () => {
  const catalogue = createCatalogue();
  const anyName = fc.constantFrom(
    'etl',
    'a%20b',
    '%C3%A9',
    UUID,
    UUID.toUpperCase(),
    UUID.replaceAll('-', ''),
    'filter',
    'count',
    'name',
    'ETL',
    '1',
    `${UUID}0`,
    UUID.slice(1),
  );
  const anyMethod = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'PROPFIND');

  /** Operations with parameters filled in, in both slash spellings, sometimes with another method, case or tail. */
  const anyRequest = fc
    .record({
      operation: fc.constantFrom(...OPERATIONS),
      names: fc.array(anyName, { minLength: 3, maxLength: 3 }),
      otherMethod: fc.option(anyMethod),
      twist: fc.constantFrom('', '', '', '/', 'x', '/x', 'upper'),
    })
    .map(({ operation, names, otherMethod, twist }) => {
      let at = 0;
      const filled = operation.path
        .replaceAll(/\{(\w+)\}/g, (_all, name: string) => (operation.uuids.includes(name) && names[at] === 'etl' ? UUID : (names[at++ % 3] ?? 'x')))
        .replace(/\*$/, names[0] ?? '');
      const path = twist === 'upper' ? filled.replace('/api', '/API') : twist === '/' && filled.endsWith('/') ? filled.slice(0, -1) || '/' : filled + twist;
      return { method: otherMethod ?? operation.method, path: path.replaceAll('//', '/') };
    });

  it('names the same operation in nginx as the catalogue does', async () => {
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(anyRequest, async ({ method, path }) => {
        const expected = catalogue.match(method, path)?.operation;
        // Sockets have locations of their own, whatever the method.
        if (catalogue.match('GET', path)?.operation.taken === 'relay') return;
        edge.clear();
        edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
        await raw(path, ['X-Lictor-Token: tok', 'Content-Length: 0'], method);
        expect(
          edge.asked().map((inputs) => inputs.operation),
          `${method} ${path}`,
        ).toEqual([expected?.operationId ?? '']);
        if (expected !== undefined) allowed += 1;
      }),
      { numRuns: 1500, seed: 20261125 },
    );
    expect(allowed).toBeGreaterThan(250);
  });

  it('finds every operation of the catalogue', async () => {
    for (const operation of OPERATIONS.filter((entry) => entry.taken !== 'relay')) {
      edge.clear();
      edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (operation.uuids.includes(name) ? UUID : 'some-name')).replace(/\*$/, 'x');
      await raw(path, ['X-Lictor-Token: tok', 'Content-Length: 0'], operation.method);
      expect(
        edge.asked().map((inputs) => inputs.operation),
        `${operation.method} ${path}`,
      ).toEqual([operation.operationId]);
    }
  });
});

describe('the decision', () => {
  it('gets nginx variables, never a raw cookie or a header that the client named like ours', async () => {
    edge.decideWith((_inputs, response, incoming) => {
      expect(incoming.headers['cookie']).toBeUndefined();
      expect(incoming.headers['authorization']).toBeUndefined();
      refuse(response, 403, 'policy-default-deny');
    });
    await get('/api/flows/filter', {
      ...TOKEN,
      cookie: 'a=1; lictor=abc',
      authorization: 'Bearer x',
      'x-lictor-in-session': 'evil',
      'x-lictor-in-address': '9.9.9.9',
    });
    expect(edge.asked()[0]).toMatchObject({ session: 'abc', authorization: 'Bearer x', token: 'tok', address: '127.0.0.1', host: 'localhost' });
  });

  it('is asked once for many, and again for each other input', async () => {
    for (let i = 0; i < 20; i += 1) await get(`/api/flow_runs/${UUID}`);
    const first = edge.asked().length;
    expect(first).toBeLessThanOrEqual(3);
    const other = '2b4e28ba-2fa1-41d2-883f-0016d3cca427';
    const variations: readonly (readonly [string, Record<string, string>])[] = [
      [`/api/flow_runs/${other}`, TOKEN],
      [`/api/flow_runs/${UUID}`, { 'x-lictor-token': 'tok2' }],
      [`/api/flow_runs/${UUID}`, { authorization: 'Bearer tok' }],
      [`/api/flow_runs/${UUID}`, { cookie: 'lictor=tok' }],
      [`/api/flow_runs/${UUID}`, { cookie: 'lictor=tok', 'sec-fetch-site': 'same-origin' }],
      [`/api/flow_runs/${UUID}/graph-v2`, TOKEN],
      [`/api/block_documents/${UUID}?include_secrets=true`, TOKEN],
      [`/api/block_documents/${UUID}?include_secrets=false`, TOKEN],
    ];
    for (const [path, headers] of variations) {
      const before = edge.asked().length;
      await get(path, headers);
      expect(edge.asked().length, `${path} ${JSON.stringify(headers)}`).toBe(before + 1);
    }
  });

  it('of a public path does not open a secret one', async () => {
    edge.decideWith((inputs, response) => {
      if (inputs.operation === 'read_version_admin_version_get') allow(response);
      else refuse(response, 403, 'policy-default-deny');
    });
    expect((await get('/api/admin/version')).status).toBe(200);
    expect((await get('/api/admin/settings')).status).toBe(403);
    expect((await fetch(`${edge.url}/api/admin/version`, { method: 'DELETE', headers: TOKEN })).status).toBe(403);
  });

  it.each(['x-lictor-in-path', 'x-forwarded-uri'])('of one run does not open another (%s)', async (header) => {
    edge.decideWith((inputs, response) => {
      if (inputs.path.endsWith(UUID)) allow(response);
      else refuse(response, 403, 'policy-default-deny');
    });
    expect((await get(`/api/flow_runs/${UUID}`)).status).toBe(200);
    expect((await get('/api/flow_runs/2b4e28ba-2fa1-41d2-883f-0016d3cca427', { ...TOKEN, [header]: `/api/flow_runs/${UUID}` })).status).toBe(403);
  });

  it('never keeps a refusal', async () => {
    edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
    for (let i = 0; i < 3; i += 1) expect((await get('/api/flows/filter')).status).toBe(403);
    expect(edge.asked()).toHaveLength(3);
    edge.clear();
    expect((await get('/api/flows/filter')).status).toBe(200);
  });

  it('is asked again by the first request after a sweep', async () => {
    await get('/api/flows/filter');
    edge.decideWith((_inputs, response) => refuse(response, 401, 'credential-revoked'));
    await sweepDecisions(edge.paths.decisionCache);
    expect((await get('/api/flows/filter')).status).toBe(401);
  });

  it('carries the decided through an outage, and refuses the others with 503 that stock clients wait for', async () => {
    expect((await get('/api/flows/filter')).status).toBe(200);
    await edge.killDecisions();
    try {
      await waitFor(() => true, { timeoutMs: 10, what: 'a tick' });
      expect((await get('/api/flows/filter')).status).toBe(200);
      const refused = await get('/api/flows/filter', { 'x-lictor-token': 'never-seen' });
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('2');
      expect(refused.headers.get('prefect-maintenance')).toBe('true');
      expect(await refused.json()).toMatchObject({ code: 'gateway-unavailable', request_id: refused.headers.get('x-request-id') });
      await sweepDecisions(edge.paths.decisionCache);
      expect((await get('/api/flows/filter')).status).toBe(503);
    } finally {
      await edge.restoreDecisions();
    }
    expect((await get('/api/flows/filter')).status).toBe(200);
  });

  it.each([302, 400, 404, 407, 429, 500, 503])('that answers %i lets nothing through', async (status) => {
    edge.decideWith((_inputs, response) => response.writeHead(status, { location: '/', 'x-lictor-path': 'direct' }).end());
    expect((await get('/api/flows/filter')).status).toBe(503);
    expect(edge.upstream.seen()).toEqual([]);
  });

  it.each(['', 'deny', 'relay', 'own', 'lictor_prefect', 'direct\t'])('that allows without a way to go (%j) lets nothing through', async (way) => {
    edge.decideWith((_inputs, response) => response.writeHead(200, way === '' ? {} : { 'x-lictor-path': way.trim() === 'direct' ? 'directx' : way }).end());
    expect((await get('/api/flows/filter')).status).toBe(503);
    expect(edge.upstream.seen()).toEqual([]);
  });

  it('that says mediated goes to the mediator with the whole target', async () => {
    edge.decideWith((_inputs, response) => response.writeHead(200, { 'x-lictor-path': 'mediated' }).end());
    const response = await fetch(`${edge.url}/api/flow_runs/${UUID}/set_state?a=1`, {
      method: 'POST',
      headers: { ...TOKEN, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await response.json()).toEqual({ from: 'control' });
    expect(edge.controlled()[0]?.headers).toMatchObject({
      'x-lictor-in-operation': 'set_flow_run_state_flow_runs__id__set_state_post',
      'x-lictor-in-path': `/api/flow_runs/${UUID}/set_state`,
      'x-lictor-in-args': 'a=1',
      'x-lictor-in-token': 'tok',
    });
    expect(edge.upstream.seen()).toEqual([]);
  });
});

describe('what reaches Prefect', () => {
  it("is an allow-list of headers, with the gateway's own host and credential", async () => {
    const hostile = [
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-user',
      'x-forwarded-uri',
      'x-original-url',
      'x-rewrite-url',
      'forwarded',
      'x-real-ip',
      'remote-user',
      'x-auth-request-user',
      'prefect-automation-id',
      'prefect-automation-name',
      'x-http-method-override',
      'proxy-authorization',
      'x-lictor-principal',
      'x-prefect-worker-id',
      'upgrade-insecure-requests',
      'cookie',
      'origin',
      'x-lictor-token',
    ];
    await get('/api/flows/filter', {
      ...Object.fromEntries(hostile.map((name) => [name, 'hostile'])),
      'x-lictor-token': 'hostile',
      origin: edge.url,
      'x-prefect-api-version': '0.8.4',
      traceparent: '00-1-1-01',
    });
    const headers = edge.upstream.seen()[0]?.headers ?? {};
    expect(Object.values(headers).join('\n')).not.toContain('hostile');
    expect(headers).toMatchObject({
      host: `localhost:${edge.port}`,
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
      'x-prefect-api-version': '0.8.4',
      traceparent: '00-1-1-01',
    });
    expect(headers['authorization']).toBe(`Basic ${Buffer.from(edge.upstream.authString).toString('base64')}`);
  });

  it('comes back without CORS headers, and cannot steer nginx by X-Accel-*', async () => {
    for (const header of [
      { 'x-accel-redirect': '/api/variables/filter' },
      { 'x-accel-redirect': '@mediated' },
      { 'x-accel-expires': '1000' },
      { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' },
    ]) {
      edge.upstream.clear();
      edge.upstream.answerWith(() => ({
        status: 200,
        headers: { 'content-type': 'text/plain', ...Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined)) },
        body: 'as it is',
      }));
      const response = await get('/api/flows/filter');
      expect(await response.text()).toBe('as it is');
      expect([...response.headers.keys()].filter((name) => /^(x-accel|access-control)/.test(name))).toEqual([]);
      expect(edge.upstream.seen()).toHaveLength(1);
    }
  });

  it("passes Prefect's own 500, 503 and 404 unchanged", async () => {
    for (const status of [500, 503, 404, 401, 403]) {
      edge.upstream.answerWith(() => ({ status, headers: { 'content-type': 'application/json' }, body: `{"own":${status}}` }));
      const response = await get('/api/flows/filter');
      expect([response.status, await response.text()]).toEqual([status, `{"own":${status}}`]);
      expect(response.headers.get('prefect-maintenance')).toBeNull();
    }
  });

  it('bodies arrive whole up to 16 MiB, and not at all beyond', async () => {
    const send = (bytes: number): Promise<Response> =>
      fetch(`${edge.url}/api/logs/`, { method: 'POST', headers: { ...TOKEN, 'content-type': 'application/json' }, body: Buffer.alloc(bytes, 'x') });
    expect((await send(15 * 1024 * 1024)).status).toBe(200);
    expect(edge.upstream.seen()[0]?.body.length).toBe(15 * 1024 * 1024);
    edge.clear();
    const refused = await send(17 * 1024 * 1024)
      .then((response) => response.status)
      .catch(() => 413);
    expect(refused).toBe(413);
    expect(edge.upstream.seen()).toEqual([]);
  });
});

describe('refusals', () => {
  it('are JSON with code, hint and request id, never a redirect, to programs', async () => {
    const response = await get('/api/flows/filter', { accept: 'application/json' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.json()).toEqual({ detail: 'No.', code: 'credential-missing', hint: 'Ask.', request_id: response.headers.get('x-request-id') });
  });

  it('send a navigation to the control plane, which knows the login page', async () => {
    await raw('/runs/flow-run/x?y=1', ['Sec-Fetch-Mode: navigate', 'Accept: text/html']);
    expect(edge.controlled()).toMatchObject([{ url: '/runs/flow-run/x?y=1', headers: { 'x-lictor-in-purpose': 'login' } }]);
    expect(edge.upstream.seen()).toEqual([]);
  });

  it('answer OPTIONS at the gateway', async () => {
    const response = await fetch(`${edge.url}/api/flows/filter`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('x-request-id')).not.toBeNull();
    expect([edge.asked(), edge.upstream.seen()]).toEqual([[], []]);
  });

  it('an unknown host, and none', async () => {
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil']) {
      expect((await request(edge.port, ['GET /api/flows/filter HTTP/1.1', `Host: ${host}`, 'X-Lictor-Token: tok'])).text).toContain('host-unknown');
    }
    expect((await request(edge.port, ['GET /api/flows/filter HTTP/1.0'])).statuses).toEqual([400]);
    expect((await request(edge.port, ['GET http://evil.example/api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok'])).statuses).toEqual([400]);
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: tok'])).toBe(200);
  });

  it('session cookies that are doubled in whatever case', async () => {
    expect(await raw('/api/flows/filter', ['Cookie: LICTOR=junk; lictor=VALID'])).toBe(400);
    expect(await raw('/api/flows/filter', ['Cookie: lictor=; lictor=VALID'])).toBe(400);
    expect(await raw('/api/flows/filter', ['Cookie: lictor=a', 'Cookie: lictor=b'])).toBe(400);
    expect(await raw('/api/flows/filter', ['Cookie: LICTOR=junk'])).toBe(401);
    expect(await raw('/api/flows/filter', ['Cookie: x=1; lictor=VALID; y=2'])).toBe(200);
  });

  it('carriers that could forge a place in the key', async () => {
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: a|b'])).toBe(400);
    expect(await raw('/api/flows/filter', ['Authorization: Bearer a|b'])).toBe(400);
    expect(await raw('/api/flows/filter', ['Authorization: Bearer a', 'Authorization: Bearer b'])).toBe(400);
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: a\x01'])).toBe(400);
  });

  it('writes by cookie from elsewhere, before anything is asked', async () => {
    const write = (headers: readonly string[]): Promise<number> => raw('/api/flows/', ['Cookie: lictor=abc', 'Content-Length: 0', ...headers], 'POST');
    expect(await write([])).toBe(403);
    expect(await write(['Origin: https://evil.example'])).toBe(403);
    expect(await write([`Origin: http://localhost:${edge.port + 1}`])).toBe(403);
    expect(await write(['Origin: null', 'Sec-Fetch-Site: same-origin'])).toBe(403);
    expect(await write(['Sec-Fetch-Site: same-site'])).toBe(403);
    expect(edge.asked()).toEqual([]);
    expect(await write([`Origin: ${edge.url}`])).toBe(200);
    expect(await write(['Sec-Fetch-Site: same-origin'])).toBe(200);
  });
});

describe('the access log', () => {
  it('has one JSON object a line, without query, cookie or credential', async () => {
    const response = await get('/api/flows/filter?secret=query', {
      'x-lictor-token': 'very-secret',
      cookie: 'lictor=cookie-secret',
      authorization: 'Bearer bearer-secret',
    });
    const id = response.headers.get('x-request-id');
    const find = (): Record<string, unknown> | undefined => edge.accessLog().find((entry) => entry['request_id'] === id);
    // nginx writes the line after it has answered.
    await waitFor(() => find() !== undefined, { timeoutMs: 5000, what: 'the line of this request' });
    const line = find();
    expect(line).toMatchObject({ method: 'GET', path: '/api/flows/filter', status: 200, addr: '127.0.0.1', taken: 'direct', facts: 'e30', code: '' });
    expect(JSON.stringify(edge.accessLog())).not.toMatch(/very-secret|cookie-secret|bearer-secret|secret=query/);
  });
});

describe('the identity limit', () => {
  it('answers 429 with numbers that a stock worker survives, per principal', async () => {
    const limited = await startStubEdge({ limit: { ratePerSecond: 1, burst: 1 } });
    try {
      limited.decideWith((inputs, response) => response.writeHead(200, { 'x-lictor-path': 'direct', 'x-lictor-limit': inputs.token }).end());
      const ask = (token: string): Promise<Response> => fetch(`${limited.url}/api/flows/filter`, { headers: { 'x-lictor-token': token } });
      const answers = await Promise.all(Array.from({ length: 6 }, () => ask('greedy')));
      const refused = answers.find((answer) => answer.status === 429);
      expect(refused?.headers.get('retry-after')).toBe('1');
      expect(refused?.headers.get('prefect-maintenance')).toBe('true');
      expect(await refused?.json()).toMatchObject({ code: 'rate-limited' });
      expect((await ask('modest')).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('a Prefect that is away', () => {
  it('is 503 that may be repeated for ever only when nothing was forwarded', async () => {
    const lonely = await startStubEdge();
    await lonely.upstream.close();
    try {
      const response = await fetch(`${lonely.url}/api/flows/filter`, { headers: TOKEN });
      expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')]).toEqual([503, '2', 'true']);
      expect(await response.json()).toMatchObject({ code: 'upstream-unavailable' });
    } finally {
      await lonely.stop();
    }
  });
});

describe('behind another proxy', () => {
  const ask = (from: StubEdge, forwarded: string): Promise<Response> =>
    fetch(`${from.url}/api/flows/filter`, { headers: { ...TOKEN, 'x-forwarded-for': forwarded } });

  it('nobody else names the client, by default', async () => {
    await ask(edge, '203.0.113.9');
    expect(edge.asked().map((inputs) => inputs.address)).toEqual(['127.0.0.1']);
  });

  it('a trusted one names it: the last address that is not itself trusted', async () => {
    const behind = await startStubEdge({ proxies: { terminateTls: false, trusted: ['127.0.0.1', '10.0.0.0/8'] } });
    try {
      behind.clear();
      await ask(behind, '198.51.100.1, 203.0.113.9, 10.1.2.3');
      expect(behind.asked().map((inputs) => inputs.address)).toEqual(['203.0.113.9']);
      expect(behind.upstream.seen()[0]?.headers['x-forwarded-for']).toBe('203.0.113.9');
      await waitFor(() => behind.accessLog().some((line) => line['addr'] === '203.0.113.9'), { timeoutMs: 5000, what: 'the address in the log' });
    } finally {
      await behind.stop();
    }
  });
});
