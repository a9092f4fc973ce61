// What every nginx version must do alike, each a fact that fails silently when it is lost. test/integration/edge.test.ts has the rest.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweepDecisions, sweepOnce } from '../../src/authorization/decide/sweep.ts';
import { REASONS } from '../../src/contract/reasons.ts';
import { atLeast, findNginx } from '../../src/edge/nginx/version.ts';
import { OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { selfSigned } from '../env/certificate.ts';
import { edgeForms } from '../env/edge-forms.ts';
import { wordsAbout } from '../env/edge-words.ts';
import { askHttp2, postHttp2 } from '../env/http2-client.ts';
import { rawRequest, rawRequestFrom, request } from '../env/raw-request.ts';
import { allow, allowTokens, listenUnix, refuse, type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';
import { CANONICAL, NOT_CANONICAL } from './canonical-targets.ts';

const UUID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
/** A worker keeps a file for the rest of a second alone: one turn could miss it. */
const TURNS = 12;
const TOKEN = { 'x-lictor-token': 'tok' };

let edge: StubEdge;
let environment: NodeJS.ProcessEnv;

/** Registers the tests in the suite around it; `find` is asked once they start: LICTOR_NGINX in it names the nginx. */
export function edgeEssence(find: () => NodeJS.ProcessEnv): void {
  beforeAll(async () => {
    environment = find();
    edge = await startStubEdge({}, environment);
  });
  afterAll(() => edge?.stop());
  beforeEach(async () => {
    edge.clear();
    edge.upstream.answerWith(undefined);
    await sweepOnce(edge.paths.decisionCache);
  });
  describe('canonical targets', canonicalTargets);
  describe('the decision', decisions);
  describe('the cached decision', keptDecisions);
  describe('what reaches Prefect', forwarding);
  describe('refusals', refusals);
  describe('TLS, log and limits', surroundings);
}

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

/** The statuses for one client on several connections, which reach all workers. */
async function statuses(): Promise<ReadonlySet<number>> {
  const answers: number[] = [];
  for (let connection = 0; connection < 6; connection += 1) answers.push(await raw('/api/flows/filter'));
  return new Set(answers);
}

function canonicalTargets(): void {
  it('refuses others with 400 and asks nobody', async () => {
    for (const target of NOT_CANONICAL) expect(await raw(target), target).toBe(400);
    expect([edge.asked(), edge.upstream.seen()]).toEqual([[], []]);
  });

  it('forwards them byte for byte', async () => {
    for (const target of CANONICAL) expect(await raw(target), target).toBe(200);
    expect(edge.upstream.seen().map((seen) => seen.target)).toEqual(CANONICAL);
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
}

function decisions(): void {
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

  it('never keeps a refusal', async () => {
    edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny'));
    for (let i = 0; i < 3; i += 1) expect((await get('/api/flows/filter')).status).toBe(403);
    expect(edge.asked()).toHaveLength(3);
    edge.clear();
    expect((await get('/api/flows/filter')).status).toBe(200);
  });
}

function keptDecisions(): void {
  it('is asked once for many, and again for each other input', async () => {
    const beganMs = performance.now();
    for (let i = 0; i < 20; i += 1) await get(`/api/flow_runs/${UUID}`);
    // nginx caches a decision for at least a second, so it asks at most once in each second.
    expect(edge.asked().length).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - beganMs) / 1000));
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

  it('of one address is no answer for another, within the same second too', async () => {
    const ask = async (address: string): Promise<number | undefined> => {
      const lines = ['GET /api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok', 'Connection: close', '', ''];
      return (await rawRequestFrom(address, edge.port, lines.join('\r\n'))).statuses[0];
    };
    edge.decideWith((inputs, response) => (inputs.address === '127.0.0.1' ? allow(response) : refuse(response, 401, 'credential-unknown')));
    for (let turn = 0; turn < 3; turn += 1) expect([await ask('127.0.0.1'), await ask('127.0.0.2')]).toEqual([200, 401]);
  });

  it('is asked again by the first request after a sweep', async () => {
    await get('/api/flows/filter');
    edge.decideWith((_inputs, response) => refuse(response, 401, 'credential-revoked'));
    await sweepDecisions(edge.paths.decisionCache);
    expect((await get('/api/flows/filter')).status).toBe(401);
  });

  it('is over with the sweep, also where a worker has its file open: each time anew', async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      edge.decideWith(allowTokens);
      expect(await statuses(), `turn ${turn}`).toEqual(new Set([200]));
      edge.decideWith((_inputs, response) => refuse(response, 401, 'credential-revoked'));
      await sweepOnce(edge.paths.decisionCache);
      expect(await statuses(), `turn ${turn}`).toEqual(new Set([401]));
    }
  });

  it('is over with the sweep while the control plane is away as well, just decided or already stale', async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      expect(await statuses(), `turn ${turn}`).toEqual(new Set([200]));
      const decidedMs = Date.now();
      await edge.killDecisions();
      try {
        // Beyond its time it is answered from all the same, and looked for on the disk once a second.
        const stale = turn === TURNS - 1 ? 2_500 : 0;
        await waitFor(async () => (await statuses()).has(200) && Date.now() - decidedMs >= stale, { timeoutMs: 20_000, what: 'a stale decision' });
        await sweepOnce(edge.paths.decisionCache);
        expect(await statuses(), `turn ${turn}`).toEqual(new Set([503]));
      } finally {
        await edge.restoreDecisions();
      }
    }
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
}

function forwarding(): void {
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
}

function refusals(): void {
  it('are JSON with code, hint and request id, never a redirect, to programs', async () => {
    const response = await get('/api/flows/filter', { accept: 'application/json' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    const { detail, hint } = REASONS['credential-missing'];
    expect(await response.json()).toEqual({ detail, code: 'credential-missing', hint, request_id: response.headers.get('x-request-id') });
  });

  it('of a foreign object are what Prefect says of one that is not there, byte for byte', async () => {
    const body = '{"detail":"Block: no:such \\"caf\u00e9\\" $lictor_code \u65e5\u672c not found"}';
    edge.decideWith((_inputs, response) => refuse(response, 403, 'object-foreign', Buffer.from(body).toString('latin1')));
    const response = await get('/api/flows/filter');
    expect([response.status, await response.text()]).toEqual([404, body]);
    edge.decideWith((_inputs, response) => refuse(response, 403, 'query-invalid'));
    const invalid = await get('/api/flows/filter');
    expect([invalid.status, await invalid.json()]).toMatchObject([400, { code: 'query-invalid' }]);
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
    // As nginx joins two headers.
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: a, b'])).toBe(400);
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: a,b'])).toBe(400);
  });

  it('a length beside a coding, and nothing after it is read', async () => {
    const head = ['POST /api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok', 'Content-Length: 6', 'Transfer-Encoding: chunked'];
    const answer = await rawRequest(edge.port, `${head.join('\r\n')}\r\n\r\n0\r\n\r\nGET /api/flows/filter HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([answer.statuses, answer.closed, edge.asked()]).toEqual([[400], true, []]);
  });

  it('a socket that is refused ends its connection: nothing behind it is read as another request', async () => {
    const upgrade = ['Upgrade: websocket', 'Connection: upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    const socket = ['GET /api/events/in HTTP/1.1', 'Host: localhost', ...upgrade, '', ''];
    const behind = ['GET /api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok', '', ''];
    const answer = await rawRequest(edge.port, [...socket, ...behind].join('\r\n'));
    expect([answer.statuses.length, answer.closed, edge.upstream.seen()]).toEqual([1, true, []]);
  });

  it('too many requests for its own pages by one address, and no other address waits', async () => {
    // More than a slow machine is allowed in the time in which it can be asked for them.
    const many = Array.from(
      { length: 2_000 },
      (_, place) => `GET /.lictor/health HTTP/1.1\r\nHost: localhost\r\n${place === 1_999 ? 'Connection: close\r\n' : ''}\r\n`,
    );
    const { statuses } = await rawRequestFrom('127.0.0.9', edge.port, many.join(''));
    expect(new Set(statuses)).toContain(429);
    const other = await request(edge.port, ['GET /.lictor/health HTTP/1.1', 'Host: localhost']);
    expect(other.statuses).not.toEqual([429]);
  });

  it('two tokens in two headers: one never hides the other', async () => {
    const status = await raw('/api/flows/filter', ['X-Lictor-Token: first', 'X-Lictor-Token: second']);
    // Since 1.23 nginx joins them, and both are refused; before, key and decision alike see the first alone.
    const joined = atLeast(await findNginx(environment), 1, 23, 0);
    expect([status, edge.asked().map((inputs) => inputs.token)]).toEqual(joined ? [400, []] : [200, ['first']]);
    expect(
      edge.upstream
        .seen()
        .map((seen) => Object.values(seen.headers).join())
        .join(),
    ).not.toMatch(/first|second/);
  });
}

function surroundings(): void {
  it('an upgrade that shows a credential, by whatever header, has another queue than one without', async () => {
    const queues = { relaySocket: 'with a credential', anonymousSocket: 'without one' };
    const answerWith = (path: string, queue: string) => listenUnix(path, (_request, response) => response.end(queue));
    const servers = await Promise.all([answerWith(edge.paths.relaySocket, queues.relaySocket), answerWith(edge.paths.anonymousSocket, queues.anonymousSocket)]);
    const queueOf = async (...headers: readonly string[]): Promise<string | undefined> => {
      const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
      const { text } = await rawRequest(edge.port, ['GET /api/events/in HTTP/1.1', 'Host: localhost', ...upgrade, ...headers, '', ''].join('\r\n'));
      return Object.values(queues).find((queue) => text.includes(queue));
    };
    try {
      for (const header of ['Authorization: Bearer lct_a', 'X-Lictor-Token: lct_a', 'Cookie: lictor=abc'])
        expect(await queueOf(header), header).toBe(queues.relaySocket);
      for (const header of ['Authorization:', 'X-Lictor-Token:', 'Cookie: lictor=', 'Cookie: other=abc', 'X-Lictor-In-Authorization: Bearer lct_a'])
        expect(await queueOf(header), header).toBe(queues.anonymousSocket);
    } finally {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    }
  });

  it('has one JSON object a line, without query, cookie or credential', async () => {
    const response = await get('/api/flows/filter?secret=query', {
      'x-lictor-token': 'very-secret',
      cookie: 'lictor=cookie-secret',
      authorization: 'Bearer bearer-secret',
    });
    const id = response.headers.get('x-request-id');
    const find = (): Record<string, unknown> | undefined => edge.accessLog().find((entry) => entry['request_id'] === id);
    // nginx writes the line after it has answered.
    await waitFor(() => find() !== undefined, { what: 'the line of this request' });
    const line = find();
    expect(line).toMatchObject({ method: 'GET', path: '/api/flows/filter', status: 200, addr: '127.0.0.1', taken: 'direct', facts: 'e30', code: '' });
    expect(JSON.stringify(edge.accessLog())).not.toMatch(/very-secret|cookie-secret|bearer-secret|secret=query/);
  });

  it('names each request by its time, the same to the client, the decision and the log', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) ids.push((await get('/api/flows/filter')).headers.get('x-request-id') ?? '');
    expect(ids.join(' ')).toMatch(/^[0-9a-f]{32}( [0-9a-f]{32}){2}$/);
    expect(new Set(ids.map((id) => id.slice(13))).size).toBe(3);
    const times = ids.map((id) => Number(id.slice(0, 13)));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.abs(Date.now() - (times[2] ?? 0))).toBeLessThan(60_000);
    expect(edge.asked().length).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(edge.asked().map(({ requestId }) => requestId)));
    await waitFor(() => ids.every((id) => edge.accessLog().some((entry) => entry['request_id'] === id)), { what: 'the lines of the requests' });
  });

  it('speaks TLS 1.2 and HTTP/2, decides there too, and refuses plain http in its own words', async () => {
    const { cert, key } = await selfSigned();
    const secure = await startStubEdge({ tls: { certFile: cert, keyFile: key, selfMadeBy: null, client: null } }, environment);
    try {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        expect(await askHttp2(secure.port, maxVersion, TOKEN)).toBe(200);
        expect(await askHttp2(secure.port, maxVersion, {})).toBe(401);
      }
      expect(secure.upstream.seen().length).toBe(2);
      // Its length is known when it has been read, and so is what nginx says of it: in the gateway's words.
      expect(await postHttp2(secure.port, TOKEN, Buffer.from('{}'))).toMatchObject({ status: 200 });
      const large = await postHttp2(secure.port, TOKEN, Buffer.alloc(17 << 20, ' '));
      expect(large).toEqual({ status: 413, text: expect.stringContaining('body-too-large') });
      const plain = await request(secure.port, ['GET /api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok']);
      expect(plain.text).toContain('request-invalid');
      expect(plain.statuses).toEqual([400]);
    } finally {
      await secure.stop();
    }
  });

  it('has nothing to say about any form of the configuration', async () => {
    const { cert, key } = await selfSigned();
    const forms = edgeForms({ certFile: cert, keyFile: key, caFile: cert });
    for (const [name, form] of Object.entries(forms)) expect(await wordsAbout(form, environment), name).toBe('');
  });
}
