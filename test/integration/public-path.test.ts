// public_url with a path, at the edge alone: nothing outside it, everything below it as at the root, byte for byte.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweepOnce } from '../../src/authorization/decide/sweep.ts';
import { createCatalogue, OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { rawRequest, request } from '../env/raw-request.ts';
import { allow, refuse, type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';
import { startRecorder } from '../env/upstream-recorder.ts';

const BASE = '/tools/prefect';
const UUID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const TOKEN = { 'x-lictor-token': 'tok' };

let edge: StubEdge;
beforeAll(async () => {
  edge = await startStubEdge({}, process.env, BASE);
});
afterAll(() => edge.stop());
beforeEach(async () => {
  edge.clear();
  edge.upstream.answerWith(undefined);
  await sweepOnce(edge.paths.decisionCache);
});

function get(path: string, headers: Record<string, string> = TOKEN): Promise<Response> {
  return fetch(`${edge.url}${path}`, { headers, redirect: 'manual' });
}

/** A raw target, since fetch would normalise it. */
async function raw(target: string, headers: readonly string[] = ['X-Lictor-Token: tok'], method = 'GET'): Promise<number> {
  const answer = await request(edge.port, [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers]);
  return answer.statuses[0] ?? 0;
}

function expectNobodyAsked(): void {
  expect([edge.asked(), edge.controlled(), edge.upstream.seen()]).toEqual([[], [], []]);
}

describe('outside the path', () => {
  it.each([
    '/',
    '/api/health',
    '/api/flows/filter',
    '/v2/',
    '/ui-settings',
    '/.lictor/login',
    '/.lictor/health',
    '/tools',
    '/tools/',
    '/tools/prefectx/api/flows/filter',
    '/tools/prefect.x',
    '/TOOLS/prefect/api/flows/filter',
    '/api/tools/prefect/',
    '/x/tools/prefect/',
    '/?/tools/prefect/',
    '/api/events/in',
  ])('%s is 404 of the gateway, and nobody is asked', async (target) => {
    const response = await get(target);
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'not-found' }]);
    expectNobodyAsked();
  });

  it('neither a navigation, nor a socket, nor another method is answered there', async () => {
    expect(await raw('/v2/runs', ['Sec-Fetch-Mode: navigate', 'Accept: text/html'])).toBe(404);
    const upgrade = ['Upgrade: websocket', 'Connection: upgrade, close', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    const answer = await rawRequest(edge.port, ['GET /api/events/in HTTP/1.1', 'Host: localhost', ...upgrade, '', ''].join('\r\n'));
    expect(answer.statuses).toEqual([404]);
    expect(await raw('/api/flows/', ['X-Lictor-Token: tok', 'Content-Length: 0'], 'POST')).toBe(404);
    expectNobodyAsked();
  });

  it.each([
    [BASE, `${BASE}/`],
    [`${BASE}?a=%2f|b`, `${BASE}/?a=%2f|b`],
  ])('%s leads to the door', async (target, location) => {
    const answer = await request(edge.port, [`GET ${target} HTTP/1.1`, 'Host: localhost']);
    expect(answer.statuses).toEqual([308]);
    expect(answer.text).toContain(`\r\nLocation: ${location}\r\n`);
    expectNobodyAsked();
  });
});

describe('what clients of the authorization server read first', () => {
  it.each([
    '/.well-known/oauth-authorization-server',
    `/.well-known/oauth-authorization-server${BASE}`,
    `${BASE}/.well-known/openid-configuration`,
    `/.well-known/oauth-protected-resource${BASE}`,
    '/.well-known/lictor-jwks.json',
  ])('%s is the gateway’s own, at the root of the host too', async (target) => {
    await get(target);
    expect([edge.asked(), edge.controlled().length, edge.upstream.seen()]).toEqual([[], 1, []]);
  });

  it.each(['/.well-known/', '/.well-known/security.txt', '/.well-known/oauth-authorization-server/other'])('%s is not', async (target) => {
    expect((await get(target)).status).toBe(404);
    expectNobodyAsked();
  });
});

describe('canonical targets below the path', () => {
  it.each([
    '/../tools/prefect/api/flows/filter',
    '/tools/../tools/prefect/api/flows/filter',
    '/tools//prefect/api/flows/filter',
    '//tools/prefect/api/flows/filter',
    '/%74ools/prefect/api/flows/filter',
    '/tools%2Fprefect/api/flows/filter',
    `${BASE}/../prefect/api/flows/filter`,
    `${BASE}//api/flows/filter`,
    `${BASE}/./api/flows/filter`,
    `${BASE}/%2e%2e/api`,
    `${BASE};x/api/flows/filter`,
    `${BASE}/api/flows;x=1/filter`,
    `${BASE}%2Fapi/flows/filter`,
    `${BASE}/api/%68ealth`,
    `${BASE}/api/x%0a`,
    `${BASE}/..`,
  ])('refuses %j with 400 and asks nobody', async (target) => {
    expect(await raw(target)).toBe(400);
    expectNobodyAsked();
  });

  it.each([
    ['/api/variables/name/a%20b', '/api/variables/name/a%20b'],
    ["/api/variables/name/a.b-c_d~!$&'()*+,=:@", "/api/variables/name/a.b-c_d~!$&'()*+,=:@"],
    ['/api/variables/name/%F0%9F%90%8D', '/api/variables/name/%F0%9F%90%8D'],
    ['/api/variables/name/a%3F%23', '/api/variables/name/a%3F%23'],
    ['/api/flows/filter?x=/../;%zz|', '/api/flows/filter?x=/../;%zz|'],
    ['/api/flows/filter?', '/api/flows/filter?'],
    ['/api/flows/filter?%00%FF=%2e%2E/%zz', '/api/flows/filter?%00%FF=%2e%2E/%zz'],
    [`/api/variables/name/x?y=${BASE}/api`, `/api/variables/name/x?y=${BASE}/api`],
    ['/docs', '/docs'],
    ['/', `${BASE}/`],
    ['/?a=%2f', `${BASE}/?a=%2f`],
    ['/v2/runs/x%20y?tab=Logs', `${BASE}/v2/runs/x%20y?tab=Logs`],
    [`${BASE}/`, `${BASE}${BASE}/`],
  ])('forwards %j as %j', async (below, forwarded) => {
    expect(await raw(`${BASE}${below}`)).toBe(200);
    expect(edge.upstream.seen().map((seen) => seen.target)).toEqual([forwarded]);
  });
});

describe('the action map below the path', () => {
  const catalogue = createCatalogue();

  it('names every operation, with the object as the catalogue knows it', async () => {
    for (const operation of OPERATIONS.filter((entry) => entry.taken !== 'relay')) {
      edge.clear();
      edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
      const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (operation.uuids.includes(name) ? UUID : 'some-name')).replace(/\*$/, 'x');
      await raw(`${BASE}${path}`, ['X-Lictor-Token: tok', 'Content-Length: 0'], operation.method);
      expect(edge.asked().map((inputs) => [inputs.operation, inputs.path])).toEqual([[operation.operationId, operation.objectScoped ? path : '']]);
    }
  });

  it('knows nothing that the catalogue does not know', async () => {
    const anyPath = fc.array(fc.constantFrom('api', 'tools', 'prefect', 'flows', 'filter', 'admin', 'version', 'v2', UUID), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(anyPath, async (segments) => {
        const path = `/${segments.join('/')}`;
        if (catalogue.match('GET', path)?.operation.taken === 'relay') return;
        edge.clear();
        edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
        await raw(`${BASE}${path}`);
        expect(
          edge.asked().map((inputs) => inputs.operation),
          path,
        ).toEqual([catalogue.match('GET', path)?.operation.operationId ?? '']);
      }),
      { numRuns: 60, seed: 20261125 },
    );
  });

  it('the decision of one object does not open another', async () => {
    edge.decideWith((inputs, response) => (inputs.path === `/api/flow_runs/${UUID}` ? allow(response) : refuse(response, 403, 'policy-default-deny')));
    expect((await get(`${BASE}/api/flow_runs/${UUID}`)).status).toBe(200);
    expect((await get(`${BASE}/api/flow_runs/2b4e28ba-2fa1-41d2-883f-0016d3cca427`)).status).toBe(403);
  });
});

describe('the three ways', () => {
  it('the mediator gets the path without the base', async () => {
    edge.decideWith((_inputs, response) => response.writeHead(200, { 'x-lictor-path': 'mediated' }).end());
    const headers = { ...TOKEN, 'content-type': 'application/json' };
    await fetch(`${edge.url}${BASE}/api/flow_runs/${UUID}/set_state?a=1`, { method: 'POST', headers, body: '{}' });
    expect(edge.controlled()[0]?.headers).toMatchObject({
      'x-lictor-in-operation': 'set_flow_run_state_flow_runs__id__set_state_post',
      'x-lictor-in-path': `/api/flow_runs/${UUID}/set_state`,
      'x-lictor-in-args': 'a=1',
    });
    expect(edge.upstream.seen()).toEqual([]);
  });

  it.each(['/api/events/in', '/api/events/out', '/api/logs/out', '/api/task_runs/subscriptions/scheduled', '/api/work_pools/a%20b/workers/connect'])(
    'sockets have their places below the path: %s',
    async (path) => {
      // No relay listens here: 503, and no decision was asked for.
      expect(await raw(`${BASE}${path}`)).toBe(503);
      expectNobodyAsked();
    },
  );

  it('what only looks like a socket is decided like anything else', async () => {
    expect(await raw(`${BASE}/api/events/in/x`)).toBe(200);
    expect(edge.asked()).toHaveLength(1);
  });

  it("the gateway's own pages are below the path", async () => {
    expect((await get(`${BASE}/.lictor/login?x=1`)).status).toBe(200);
    expect(edge.controlled()).toMatchObject([{ url: `${BASE}/.lictor/login?x=1` }]);
    expect((await get(`${BASE}/.lictor`)).status).toBe(404);
    expect(edge.asked()).toEqual([]);
  });

  it('a navigation without a session goes to the control plane with its whole address', async () => {
    await raw(`${BASE}/runs/x?y=1`, ['Sec-Fetch-Mode: navigate', 'Accept: text/html']);
    expect(edge.controlled()).toMatchObject([{ url: `${BASE}/runs/x?y=1`, headers: { 'x-lictor-in-purpose': 'login' } }]);
  });

  it('the session cookie reaches the decision', async () => {
    await get(`${BASE}/api/flows/filter`, { cookie: 'a=1; lictor=abc' });
    expect(edge.asked()[0]).toMatchObject({ session: 'abc', operation: '' });
  });
});

describe('what comes back', () => {
  const answer = (headers: Record<string, string>, body: string, status = 200): void =>
    edge.upstream.answerWith(() => ({ status, headers: { 'content-type': 'application/json', ...headers }, body }));

  it.each([
    ['/api/flows/', `${BASE}/api/flows/`],
    ['HOST/api/flows/', `${BASE}/api/flows/`],
    [`${BASE}/v2/`, `${BASE}/v2/`],
    [`HOST${BASE}/v2/?x=/api`, `${BASE}/v2/?x=/api`],
    ['https://elsewhere.example/x', 'https://elsewhere.example/x'],
  ])('a redirect to %s leads to %s', async (location, expected) => {
    for (const scheme of ['http', 'https']) {
      answer({ location: location.replace('HOST', `${scheme}://localhost:${edge.port}`) }, '', 307);
      expect((await get(`${BASE}/api/admin/version`)).headers.get('location')).toBe(expected);
    }
  });

  it('the link to the next page is below the path; the same text elsewhere is left alone', async () => {
    const page = (root: string) =>
      JSON.stringify({ events: [{ payload: '"next_page":"x' }], total: 1, next_page: `${root}/api/events/filter/next?page-token=abc%3D` });
    for (const [method, path] of [
      ['POST', '/api/events/filter'],
      ['GET', '/api/events/filter/next?page-token=x'],
    ] as const) {
      for (const scheme of ['http', 'https']) {
        answer({}, page(`${scheme}://localhost:${edge.port}`));
        const response = await fetch(`${edge.url}${BASE}${path}`, { method, headers: TOKEN });
        expect(await response.text()).toBe(page(`${edge.url}${BASE}`));
      }
      expect(edge.upstream.seen().at(-1)?.headers['accept-encoding']).toBeUndefined();
    }
    answer({}, page(edge.url));
    expect(await (await get(`${BASE}/api/admin/version`)).text()).toBe(page(edge.url));
  });

  it('pages of the UI get the script from below the path, and the API documents their address', async () => {
    edge.upstream.answerWith(() => ({ status: 200, headers: { 'content-type': 'text/html' }, body: "<head></head>url: '/api/openapi.json'" }));
    const expected = `<head><script src="${BASE}/.lictor/expired.js"></script><script src="${BASE}/.lictor/bar.js" defer></script></head>url: '${BASE}/api/openapi.json'`;
    for (const path of ['/v2/', '/api/docs', '/docs']) expect(await (await get(`${BASE}${path}`)).text()).toBe(expected);
    expect(edge.upstream.seen().map(({ target }) => target)).toEqual([`${BASE}/v2/`, '/api/docs', '/docs']);
  });

  it("scripts of the UIs find their icons below the path; the API's answers are left alone", async () => {
    const script = 'a("</head>",`/ico/${b}.svg`,`/${e.toLowerCase()}.svg`)';
    edge.upstream.answerWith(() => ({ status: 200, headers: { 'content-type': 'text/javascript', etag: '"1"' }, body: script }));
    const response = await get(`${BASE}/assets/index-x.js`);
    expect([await response.text(), response.headers.get('etag')]).toEqual([
      `a("</head>",\`${BASE}/ico/\${b}.svg\`,\`${BASE}/v2/\${e.toLowerCase()}.svg\`)`,
      'W/"1"',
    ]);
    expect(edge.upstream.seen().map(({ target }) => target)).toEqual([`${BASE}/assets/index-x.js`]);
    expect(await (await get(`${BASE}/api/collections/views/aggregate-worker-metadata`)).text()).toBe(script);
  });

  it('the page of a refused navigation leads back below the path', async () => {
    edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
    const answered = await request(edge.port, [`GET ${BASE}/v2/ HTTP/1.1`, 'Host: localhost', 'Sec-Fetch-Mode: navigate', 'Cookie: lictor=a']);
    expect(answered.text).toContain(`href="${BASE}/"`);
  });

  it('the access log has the whole path', async () => {
    const id = (await get(`${BASE}/api/admin/version?secret=1`)).headers.get('x-request-id');
    // nginx writes a line behind its answer.
    const line = await waitFor(() => edge.accessLog().find(({ request_id }) => request_id === id), { what: 'the line of the request' });
    expect(line).toMatchObject({ path: `${BASE}/api/admin/version`, status: 200 });
  });
});

describe('a path with a dot, before several servers', () => {
  it('is taken literally, and cut on the way to each of them', async () => {
    const recorders = await Promise.all([startRecorder(), startRecorder()]);
    const servers = recorders.map(({ url }) => url);
    const dotted = await startStubEdge(
      { prefect: { servers, authString: null, apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs: 55_000 } },
      process.env,
      '/a.b',
    );
    try {
      const ask = async (target: string) => (await request(dotted.port, [`GET ${target} HTTP/1.1`, 'Host: localhost', 'X-Lictor-Token: tok'])).statuses[0];
      expect(await ask('/aXb/api/admin/version')).toBe(404);
      for (let i = 0; i < 4; i += 1) expect(await ask('/a.b/api/variables/name/a%20b?x=%zz')).toBe(200);
      expect(await ask('/a.b/v2/x')).toBe(200);
      const seen = recorders.map((recorder) => recorder.seen().map(({ target }) => target));
      expect(seen.every((targets) => targets.length > 0)).toBe(true);
      expect([...new Set(seen.flat())].sort()).toEqual(['/a.b/v2/x', '/api/variables/name/a%20b?x=%zz']);
    } finally {
      await dotted.stop();
      for (const recorder of recorders) await recorder.close();
    }
  });
});
