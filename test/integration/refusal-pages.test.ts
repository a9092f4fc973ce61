// What a person sees of a refusal: a styled page that nginx makes itself, with the words that a program gets as JSON, and the way to the account.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweepOnce } from '../../src/authorization/decide/sweep.ts';
import { bareService } from '../../src/config/service.fixture.ts';
import { OUTPUT } from '../../src/contract/names.ts';
import { listenOn } from '../../src/edge/http/listening.ts';
import { createServiceProxy } from '../../src/proxies/egress/proxy/service-proxy.ts';
import { rawRequest, request } from '../env/raw-request.ts';
import { refuse, type StubEdge, startStubEdge } from '../env/stub-edge.ts';

const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Accept: text/html,application/xhtml+xml'];
const TOKEN = 'X-Lictor-Token: tok';
const DENIED = 'token:ci (worker) may not create deployments (deployments.write); role deployer may.';
const billing = bareService('billing', [{ pattern: '/v1/*', methods: ['GET'] }], { servers: [{ origin: 'http://127.0.0.1:9', weight: 1, backup: false }] });
const ROUTES = [{ pattern: '/v1/*', methods: ['GET' as const] }];
const NOWHERE = [{ origin: 'http://127.0.0.1:9', weight: 1, backup: false }];
const retries = { attempts: 2, budget: null };
let edge: StubEdge;
/** Reads every call, and answers none. */
let silent: Server;
let proxied: Server;
beforeAll(async () => {
  silent = createServer((call) => call.resume());
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const address = silent.address();
  const slow = [{ origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, weight: 1, backup: false }];
  const services = [
    billing,
    bareService('proxied', ROUTES, { servers: NOWHERE, retries }),
    bareService('slow', ROUTES, { servers: slow, retries }),
    bareService('keyed', ROUTES, { servers: NOWHERE, injected: { query: { name: 'key', value: 'no-real-key' } } }),
  ];
  edge = await startStubEdge({ services });
  const proxy = createServiceProxy({ clock: Date.now, steady: () => performance.now(), log: { warn: () => undefined }, isDown: () => false });
  proxy.use({ services, forwardHeaders: [] });
  proxied = createServer((call, answer) => proxy.handle(call, answer));
  await listenOn(proxied, edge.paths.proxySocket);
});
afterAll(async () => {
  await edge?.stop();
  for (const server of [silent, proxied]) {
    server?.closeAllConnections();
    server?.close();
  }
});
beforeEach(async () => {
  edge.clear();
  edge.upstream.answerWith(undefined);
  await sweepOnce(edge.paths.decisionCache);
});

interface Seen {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

async function ask(at: StubEdge, target: string, headers: readonly string[], host = 'localhost'): Promise<Seen> {
  const { text } = await request(at.port, [`GET ${target} HTTP/1.1`, `Host: ${host}`, ...headers]);
  const [head = '', ...rest] = text.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: rest.join('\r\n\r\n') };
}

/** A page of ours with its own style, and with nothing that runs. */
function expectPage({ head, body }: Seen, code: string): void {
  expect(head).toContain('content-type: text/html; charset=utf-8');
  const style = /<style>([^<]*)<\/style>/.exec(body)?.[1] ?? '';
  expect(style).toContain('--accent');
  const hash = createHash('sha256').update(style).digest('base64').toLowerCase();
  expect(head).toContain(`content-security-policy: default-src 'none'; style-src 'sha256-${hash}';`);
  expect(head).not.toContain('sandbox');
  expect(head).toContain('cache-control: no-store');
  expect(head).toContain('x-content-type-options: nosniff');
  expect(body).toMatch(/^<!doctype html>[\s\S]*<h1>[\s\S]*<\/html>$/);
  expect(body).toContain(`<code>${code}</code><code>${/x-request-id: (\S+)/.exec(head)?.[1] ?? 'none'}</code>`);
  expect(body).not.toContain('<script');
}

function forbid(words?: string): void {
  edge.decideWith((_inputs, response) => refuse(response, 403, 'policy-default-deny', words));
}

const nothing = (): void => undefined;
const CALL = '/.lictor/svc/billing/v1/x';
const UNKNOWN = '/.lictor/svc/biling/v1/x';

describe('a refusal to a browser', () => {
  const cases: readonly (readonly [what: string, status: number, code: string, target: string, headers: readonly string[], given: () => void])[] = [
    ['a path that is not canonical', 400, 'path-not-canonical', '/a//b', [TOKEN], nothing],
    ['a doubled cookie', 400, 'request-invalid', '/', ['Cookie: lictor=a; lictor=b'], nothing],
    ['a header that nginx cannot read', 400, 'request-invalid', '/', [TOKEN, 'Content-Length: x'], nothing],
    ['a query that decides twice', 400, 'query-invalid', '/', [TOKEN], () => edge.decideWith((_i, response) => refuse(response, 403, 'query-invalid'))],
    ['a right that is missing', 403, 'policy-default-deny', '/', [TOKEN], () => forbid(DENIED)],
    ['an address that is none', 404, 'not-found', '/.lictor', [], nothing],
    ['a body that is too large', 413, 'body-too-large', '/', [TOKEN, `Content-Length: ${17 * 1024 * 1024}`], nothing],
    ['no decision', 503, 'gateway-unavailable', '/', [TOKEN], () => edge.decideWith((_inputs, response) => response.destroy())],
    ['a service, without a credential', 401, 'credential-missing', CALL, [], nothing],
    ['a service, without a right', 403, 'policy-default-deny', CALL, [TOKEN], () => forbid(DENIED)],
    ['a service, without a decision', 503, 'gateway-unavailable', CALL, [TOKEN], () => edge.decideWith((_inputs, response) => response.destroy())],
    ['a service that is none, without a credential', 401, 'credential-missing', UNKNOWN, [], nothing],
    ['a service that is none', 404, 'service-unknown', UNKNOWN, [TOKEN], () => edge.decideWith((_i, response) => refuse(response, 403, 'service-unknown'))],
    ['a service that is none, though a decision allows it', 503, 'gateway-unavailable', UNKNOWN, [TOKEN], () => toService('egress')],
    ['a service that is away', 503, 'service-unavailable', CALL, [TOKEN], () => toService('egress')],
    ['a service without a credential of its own', 503, 'service-credential-unavailable', CALL, [TOKEN], () => toService('uncredentialed')],
    ['an upgrade to a service', 400, 'service-upgrade', CALL, [TOKEN, 'Upgrade: h2c'], nothing],
  ];

  it.each(cases)('of %s is a styled page with status %i and code %s', async (_what, status, code, target, headers, given) => {
    given();
    const page = await ask(edge, target, [...headers, ...NAVIGATION]);
    expect(page.status).toBe(status);
    expectPage(page, code);
    expect(page.body).toContain('href="/.lictor/"');
    expect(edge.upstream.seen()).toEqual([]);
    expect(edge.accessLog().at(-1)).toMatchObject({ status, code });
  });

  it.each(cases)('twin: of %s a program gets the same as JSON, status %i and code %s', async (_what, status, code, target, headers, given) => {
    given();
    const { head, body, ...answer } = await ask(edge, target, [...headers, 'Accept: application/json']);
    expect([answer.status, JSON.parse(body)]).toMatchObject([status, { code }]);
    expect(head).toContain('content-type: application/json');
  });

  it.each([
    ['that takes no connection', 503, 'service-unavailable', '/.lictor/svc/proxied/v1/x'],
    ['that does not answer in time', 503, 'service-timeout', '/.lictor/svc/slow/v1/x'],
    ['whose key the call names itself', 400, 'request-invalid', '/.lictor/svc/keyed/v1/x?key=mine'],
  ])('of a service behind the service proxy %s is a page for a browser, and JSON for a program', async (_what, status, code, target) => {
    toService('egress');
    const page = await ask(edge, target, [TOKEN, ...NAVIGATION]);
    expect(page.status).toBe(status);
    expectPage(page, code);
    expect(edge.accessLog().at(-1)).toMatchObject({ status, code });
    const { body, ...answer } = await ask(edge, target, [TOKEN]);
    expect([answer.status, JSON.parse(body)]).toMatchObject([status, { code }]);
    expect(answer.head).not.toContain('x-accel');
  });

  it('of a service behind the service proxy, which is away, is a page too', async () => {
    toService('egress');
    renameSync(edge.paths.proxySocket, `${edge.paths.proxySocket}.away`);
    try {
      const pages = () => Promise.all(Array.from({ length: 50 }, () => ask(edge, '/.lictor/svc/proxied/v1/x', [TOKEN, ...NAVIGATION])));
      for (const page of await pages()) expectPage(page, 'service-unavailable');
    } finally {
      renameSync(`${edge.paths.proxySocket}.away`, edge.paths.proxySocket);
    }
  });

  it('twin: a task that asks a service for HTML gets JSON; an old browser at a page of Prefect gets a page', async () => {
    forbid(DENIED);
    const old = [TOKEN, 'Accept: text/html,*/*'];
    expect(JSON.parse((await ask(edge, CALL, old)).body)).toMatchObject({ code: 'policy-default-deny' });
    expectPage(await ask(edge, '/', old), 'policy-default-deny');
  });

  it('of another host is a page without a link to this gateway', async () => {
    const page = await ask(edge, '/', NAVIGATION, 'elsewhere.example');
    expect(page.status).toBe(400);
    expectPage(page, 'host-unknown');
    expect(page.body).not.toContain('href');
  });

  it('of too many requests is a page that says when to come back', async () => {
    const limited = await startStubEdge({ limits: [{ kind: 'everyone', name: '', rate: { perSecond: 1, burst: 1 }, concurrency: null }] });
    try {
      limited.decideWith((_inputs, response) => response.writeHead(200, { [OUTPUT.path]: 'direct', [OUTPUT.limit]: 'greedy' }).end());
      const pages = await Promise.all(Array.from({ length: 20 }, () => ask(limited, '/', [TOKEN, ...NAVIGATION])));
      const refused = pages.find(({ status }) => status === 429);
      expectPage(refused ?? { status: 0, head: '', body: '' }, 'limit-exceeded');
      expect(refused?.head).toContain('retry-after: 1');
    } finally {
      await limited.stop();
    }
  });

  it('on the way to the login page is a page too: where nobody can be asked, and of too many requests', async () => {
    const own = await startStubEdge();
    try {
      expect((await ask(own, '/flows', NAVIGATION)).body).toContain('"from":"control"');
      renameSync(own.paths.controlSocket, `${own.paths.controlSocket}.away`);
      const away = await ask(own, '/flows', NAVIGATION);
      expect(away.status).toBe(503);
      expectPage(away, 'gateway-unavailable');
      expect(away.head).toContain('retry-after: 2');
      renameSync(`${own.paths.controlSocket}.away`, own.paths.controlSocket);
      const refused = await firstRefused(own);
      expectPage(refused, 'rate-limited');
      expect(refused.head).toContain('retry-after: 1');
    } finally {
      await own.stop();
    }
  });

  it('closes the connection where the end of the request is not known', async () => {
    const head = ['GET /a//b HTTP/1.1', 'Host: localhost', TOKEN, ...NAVIGATION].join('\r\n');
    const { statuses, closed } = await rawRequest(edge.port, `${head}\r\n\r\nGET /api/flows/filter HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([statuses, closed, edge.asked()]).toEqual([[400], true, []]);
  });

  it('is no page for a client that asks for it by its address', async () => {
    for (const status of [400, 401, 403, 404, 413, 429, 503]) {
      const { status: answered, body } = await ask(edge, `/.lictor-page/${status}`, [TOKEN]);
      expect([answered, JSON.parse(body)]).toMatchObject([404, { code: 'not-found' }]);
    }
    expect(edge.upstream.seen()).toEqual([]);
  });
});

describe('the words of a decision', () => {
  it('are the detail of the JSON and stand on the page', async () => {
    forbid(DENIED);
    expect(JSON.parse((await ask(edge, '/api/flows/filter', [TOKEN])).body)).toMatchObject({ detail: DENIED, code: 'policy-default-deny' });
    expect((await ask(edge, '/', [TOKEN, ...NAVIGATION])).body).toContain(`<p>${DENIED} Ask an administrator`);
    expect(JSON.parse((await ask(edge, CALL, [TOKEN])).body)).toMatchObject({ detail: DENIED });
  });

  it('twin: without any, those of the reason are said', async () => {
    forbid();
    expect(JSON.parse((await ask(edge, '/api/flows/filter', [TOKEN])).body)).toMatchObject({ detail: 'No policy permits this.' });
  });

  it('never leave the gateway beside an allow', async () => {
    edge.decideWith((_inputs, response) => response.writeHead(200, { [OUTPUT.path]: `no:policy-default-deny:${DENIED}` }).end());
    expect(JSON.parse((await ask(edge, '/api/flows/filter', [TOKEN])).body)).toMatchObject({ code: 'gateway-unavailable' });
    expect(edge.upstream.seen()).toEqual([]);
  });
});

describe("Lictor's scripts in Prefect's pages", () => {
  const BODY = '<html><head></head><body>"</head>"</body></html>';

  it.each([
    ['/', 'text/html', true],
    ['/assets/index.js', 'text/javascript', false],
    ['/assets/index.css', 'text/css', false],
    ['/api/flows/filter', 'application/json', false],
    ['/api/flows/filter', 'text/html', false],
  ])('%s as %s: changed %j', async (target, type, changed) => {
    edge.upstream.answerWith(() => ({ status: 200, headers: { 'content-type': type, 'content-length': String(BODY.length) }, body: BODY }));
    const { body } = await fetch(`${edge.url}${target}`, { headers: { 'x-lictor-token': 'tok' } }).then(async (response) => ({ body: await response.text() }));
    const scripts = '<script src="/.lictor/expired.js"></script><script src="/.lictor/bar.js" defer></script>';
    expect(body).toBe(changed ? BODY.replace('</head>', `${scripts}</head>`) : BODY);
  });
});

/** More than nginx lets through at once, as fast as it answers. */
async function firstRefused(at: StubEdge): Promise<Seen> {
  for (let round = 0; round < 30; round += 1) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(at, '/flows', NAVIGATION)));
    const refused = answers.find(({ status }) => status === 429);
    if (refused !== undefined) return refused;
  }
  return { status: 0, head: '', body: '' };
}

function toService(way: string): void {
  edge.decideWith((_inputs, response) => response.writeHead(200, { [OUTPUT.path]: way, [OUTPUT.limit]: 'caller', 'cache-control': 'no-store' }).end());
}
