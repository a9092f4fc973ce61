// The edge by itself: the rendered nginx configuration between a client and stubs. Each fact here fails silently when it is lost.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweepOnce } from '../../src/authorization/decide/sweep.ts';
import { OUTPUT } from '../../src/contract/names.ts';
import { createCatalogue, OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { request } from '../env/raw-request.ts';
import { allow, refuse, type StubEdge, startStubEdge, waitFor } from '../env/stub-edge.ts';
import { edgeEssence } from './edge-essence.ts';

let edge: StubEdge;
beforeAll(async () => {
  edge = await startStubEdge();
});
afterAll(() => edge.stop());
beforeEach(async () => {
  edge.clear();
  edge.upstream.answerWith(undefined);
  await sweepOnce(edge.paths.decisionCache);
});

describe('on every nginx', () => edgeEssence(() => process.env));

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
});

describe('the decision', () => {
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

  it.each([302, 400, 404, 407, 429, 500, 503])('that answers %i lets nothing through', async (status) => {
    edge.decideWith((_inputs, response) => response.writeHead(status, { location: '/', 'x-lictor-path': 'direct' }).end());
    expect((await get('/api/flows/filter')).status).toBe(503);
    expect(edge.upstream.seen()).toEqual([]);
  });

  it.each(['', 'deny', 'relay', 'own', 'lictor_prefect', 'direct\t', 'no:policy-forbids', 'no:object-foreign:direct', 'no:', 'direct:1'])(
    'that allows without a way to go (%j) lets nothing through',
    async (way) => {
      edge.decideWith((_inputs, response) => response.writeHead(200, way === '' ? {} : { 'x-lictor-path': way.trim() === 'direct' ? 'directx' : way }).end());
      expect((await get('/api/flows/filter')).status).toBe(503);
      expect(edge.upstream.seen()).toEqual([]);
    },
  );

  it.each(['direct', 'mediated', 'egress', '', 'no:', 'no:POLICY-FORBIDS', 'no:policy-forbids/x', 'no:"}'])(
    'that refuses with a way of no known form (%j) is a refusal without a code',
    async (way) => {
      edge.decideWith((_inputs, response) => response.writeHead(403, { [OUTPUT.path]: way, 'cache-control': 'no-store' }).end());
      const response = await get('/api/flows/filter');
      expect([response.status, await response.json()]).toEqual([403, { detail: '', code: '', hint: '', request_id: response.headers.get('x-request-id') }]);
      expect([edge.upstream.seen(), edge.controlled()]).toEqual([[], []]);
    },
  );

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
  it("passes Prefect's own 500, 503, 404 and 403 unchanged", async () => {
    for (const status of [500, 503, 404, 403]) {
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

  it('a refused body is refused by the limit of its location', async () => {
    const detailOf = async (path: string, bytes: number): Promise<unknown> => {
      // The head alone: nginx ends the connection of a body that it does not read.
      const { text } = await request(edge.port, [`POST ${path} HTTP/1.1`, 'Host: localhost', `Content-Length: ${bytes}`]);
      return JSON.parse(text.split('\r\n\r\n')[1] ?? '').detail;
    };
    expect(await detailOf('/.lictor/saml/corp/acs', 74_000)).toBe('The body is larger than 64 KiB, the most for pages of the gateway.');
    expect(await detailOf('/api/logs/', 17 << 20)).toBe('The body is larger than 16 MiB.');
  });
});

describe('refusals', () => {
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

  it('all of an unknown host but the health, which a balancer asks by an address', async () => {
    const ask = async (line: string) => (await request(edge.port, [`${line} HTTP/1.1`, 'Host: 192.0.2.7:8200', 'X-Lictor-Token: tok'])).text;
    for (const path of ['/.lictor/health', '/.lictor/login/..%2fhealth?next=/x', '/%2elictor/he%61lth'])
      expect(await ask(`GET ${path}`)).not.toContain('host-unknown');
    expect(edge.controlled().map(({ url }) => url?.replace(/\?.*/, ''))).toEqual(Array.from({ length: 3 }, () => '/.lictor/health'));
    for (const line of ['POST /.lictor/health', 'GET /.lictor/ready', 'GET /.lictor/health/', 'GET /.lictor/api/v1/me'])
      expect(await ask(line)).toContain('host-unknown');
    expect(edge.controlled()).toHaveLength(3);
  });

  it('an unknown host, and none', async () => {
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil']) {
      expect((await request(edge.port, ['GET /api/flows/filter HTTP/1.1', `Host: ${host}`, 'X-Lictor-Token: tok'])).text).toContain('host-unknown');
    }
    expect((await request(edge.port, ['GET /api/flows/filter HTTP/1.0'])).statuses).toEqual([400]);
    expect((await request(edge.port, ['GET http://evil.example/api/flows/filter HTTP/1.1', 'Host: localhost', 'X-Lictor-Token: tok'])).statuses).toEqual([400]);
    expect(await raw('/api/flows/filter', ['X-Lictor-Token: tok'])).toBe(200);
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

  it('forms from elsewhere by cookie, but for those of a SAML provider, whose page may be of the same site', async () => {
    const send = (path: string): Promise<number> => raw(path, ['Cookie: lictor=abc', 'Content-Length: 0', 'Origin: http://idp.localhost'], 'POST');
    const others = [
      'login',
      'logout',
      'logout/adfs',
      'device',
      'oauth/token',
      'saml/adfs/metadata',
      'saml/adfs/acs/',
      'saml/adfs/acs/x',
      'saml/a/b/acs',
      'saml/acs',
    ];
    for (const path of [...others.map((page) => `/.lictor/${page}`), '/saml/adfs/acs']) expect(await send(path), path).toBe(403);
    expect(edge.controlled()).toEqual([]);
    for (const path of ['acs', 'acs?state=x', 'logout']) expect(await send(`/.lictor/saml/adfs/${path}`), path).toBe(200);
    expect(edge.controlled().map(({ url }) => url)).toEqual(['/.lictor/saml/adfs/acs', '/.lictor/saml/adfs/acs?state=x', '/.lictor/saml/adfs/logout']);
  });
});

describe('the identity limit', () => {
  it('answers 429 with numbers that a stock worker survives, per principal', async () => {
    const limited = await startStubEdge({ limits: [{ kind: 'everyone', name: '', rate: { perSecond: 1, burst: 1 }, concurrency: null }] });
    try {
      limited.decideWith((inputs, response) => response.writeHead(200, { 'x-lictor-path': 'direct', 'x-lictor-limit': inputs.token }).end());
      const ask = (token: string): Promise<Response> => fetch(`${limited.url}/api/flows/filter`, { headers: { 'x-lictor-token': token } });
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask('greedy')));
      const refused = answers.find((answer) => answer.status === 429);
      expect(refused?.headers.get('retry-after')).toBe('1');
      expect(refused?.headers.get('prefect-maintenance')).toBe('true');
      expect(await refused?.json()).toMatchObject({ code: 'limit-exceeded' });
      expect((await ask('modest')).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('a Prefect that is away', () => {
  const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  it.each([
    ['a person who opens the UI', '/', 'GET', { accept: HTML, 'sec-fetch-mode': 'navigate' }, 'page'],
    ['a person with an old browser', '/runs', 'GET', { accept: HTML }, 'page'],
    ['a program that asks for the UI', '/', 'GET', {}, 'json'],
    ['a script of the UI', '/api/flows/filter', 'POST', { accept: 'application/json, text/plain, */*' }, 'json'],
    ['a program that would take HTML of a write', '/api/flows/filter', 'POST', { accept: HTML }, 'json'],
  ] as const)('is to %s what they can read, with the same headers', async (_who, path, method, headers, kind) => {
    const lonely = await startStubEdge();
    await lonely.upstream.close();
    try {
      const response = await fetch(`${lonely.url}${path}`, { method, headers: { ...TOKEN, accept: '*/*', ...headers } });
      expect([response.status, response.headers.get('retry-after'), response.headers.get('prefect-maintenance')]).toEqual([503, '2', 'true']);
      const [type, text] = [response.headers.get('content-type'), await response.text()];
      expect(text).toContain(response.headers.get('x-request-id'));
      if (kind === 'json') expect([type, JSON.parse(text)]).toMatchObject(['application/json', { code: 'upstream-unavailable' }]);
      else expect([type, text]).toEqual(['text/html; charset=utf-8', expect.stringMatching(/^<!doctype html>.*Prefect does not answer.*upstream-unavailable/)]);
      expect(response.headers.get('refresh')).toBe(kind === 'page' ? '3' : null);
      expect(response.headers.has('lictorcode')).toBe(false);
    } finally {
      await lonely.stop();
    }
  });

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
      await waitFor(() => behind.accessLog().some((line) => line['addr'] === '203.0.113.9'), { what: 'the address in the log' });
    } finally {
      await behind.stop();
    }
  });
});
