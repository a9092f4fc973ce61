import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPasswords } from '../authn/accounts/password.ts';
import { createAuthenticator } from '../authn/authenticator.ts';
import { openTestStore, type TestStore } from '../authn/test-store.ts';
import type { Config } from '../config/config.ts';
import { LictorError } from '../contract/error.ts';
import { INPUT } from '../contract/names.ts';
import type { NewRecord } from '../contract/record.ts';
import type { MediatedRequest, MediatedResponse } from '../mediate/mediator.ts';
import { HOSTILE_RETURN_PATHS } from './hostile-return-paths.ts';
import { createOwnApp, type OwnAppParts } from './own-app.ts';

const CONFIG: OwnAppParts['config'] = {
  publicUrl: { origin: 'http://localhost:8200', hostname: 'localhost', port: 8200, secure: false, basePath: '' },
  identityProviders: [{ id: 'local', type: 'accounts' }],
  roles: [],
  sessions: { idleSeconds: 3600, absoluteSeconds: 86_400 },
  ledger: { failClosed: true },
};
const PASSWORD = 'correct horse';
const HTML = { accept: 'text/html,application/xhtml+xml' };

let test: TestStore;
let app: FastifyInstance;
let records: NewRecord[];
let mediated: MediatedRequest[];
let ledgerBroken: boolean;
let syncs: number;
let mediatorAnswer: () => Promise<MediatedResponse>;
let phc = '';

beforeEach(async () => {
  test = await openTestStore();
  records = [];
  mediated = [];
  ledgerBroken = false;
  syncs = 0;
  mediatorAnswer = async () => ({ status: 201, headers: { 'content-type': 'application/json', 'x-extra': 'yes' }, body: Buffer.from('{"id":1}') });
  app = appWith({});
  phc ||= await createPasswords().hash(PASSWORD);
  await test.store.accounts.create({ id: '1', name: 'alice', roles: ['admin'], password: phc });
});
afterEach(async () => {
  await app.close();
  await test.close();
});

function appWith({ config = {}, checks = {} }: { config?: Partial<Config>; checks?: OwnAppParts['checks'] }): FastifyInstance {
  const whole = { ...CONFIG, ...config };
  const { store, clock } = test;
  return createOwnApp({
    config: whole,
    store,
    clock,
    ledger: {
      append: async (record) => {
        if (ledgerBroken) throw new LictorError('ledger-unavailable', 'disk full');
        records.push(record);
      },
    },
    authenticator: createAuthenticator({ store, config: whole, clock }),
    mediator: {
      handle: (request) => {
        mediated.push(request);
        return mediatorAnswer();
      },
    },
    log: { error: () => {} },
    checks,
    sync: async () => {
      syncs += 1;
    },
    revision: 7,
  });
}

interface Ask {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  readonly session?: string;
  readonly sameOrigin?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

function ask(url: string, { method = 'GET', session = '', sameOrigin = false, headers = {}, body }: Ask = {}) {
  const inputs = {
    [INPUT.requestId]: 'request-1',
    [INPUT.address]: '192.0.2.1',
    [INPUT.session]: session,
    [INPUT.sameOrigin]: sameOrigin ? '1' : '',
    [INPUT.method]: method,
  };
  return app.inject({ method, url, headers: { ...inputs, ...headers }, ...(body !== undefined && { payload: body }) });
}

type Answer = Awaited<ReturnType<typeof ask>>;

function post(url: string, form: Readonly<Record<string, string>>, more: Ask = {}): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...HTML, ...more.headers };
  return ask(url, { sameOrigin: true, ...more, method: 'POST', headers, body: new URLSearchParams(form).toString() });
}

const logIn = (form: Readonly<Record<string, string>> = {}, more: Ask = {}) => post('/.lictor/login', { username: 'alice', password: PASSWORD, ...form }, more);
const cookieOf = (answer: Answer): string => /^lictor=([^;]*)/.exec(String(answer.headers['set-cookie'] ?? ''))?.[1] ?? '';
const purpose = { 'x-lictor-in-purpose': 'login' };

describe('every answer', () => {
  it.each(['/.lictor/health', '/.lictor/login', '/.lictor/nothing', '/.lictor/expired.js', '/.lictor/api/v1/me'])(
    'of %s has the request id and is not sniffed',
    async (url) => {
      const { headers } = await ask(url);
      expect(headers).toMatchObject({ 'x-request-id': 'request-1', 'x-content-type-options': 'nosniff' });
    },
  );

  it.each([
    ['GET', '/.lictor/'],
    ['GET', '/.lictor/x'],
    ['GET', '/.lictor/admin'],
    ['GET', '/.lictor/../etc/passwd'],
    ['GET', '/'],
    ['GET', '/-/mediated'],
    ['POST', '/-/mediated'],
    ['GET', '/-/login'],
    ['POST', '/.lictor/health'],
    ['PUT', '/.lictor/login'],
    ['DELETE', '/.lictor/api/v1/me'],
    ['OPTIONS', '/.lictor/login'],
    ['GET', '/.lictor/metrics'],
    ['GET', '/.lictor/scim/v2/Users'],
  ] as const)('of %s %s is 404 JSON', async (method, url) => {
    const answer = await ask(url, { method, headers: HTML });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({ detail: 'Not Found', code: 'not-found', hint: '', request_id: 'request-1' });
  });

  it.each(['/.lictor/%zz', '/.lictor/%', '/.lictor/%ff'])('of %s is a refusal and no 500', async (url) => {
    expect([400, 404]).toContain((await ask(url)).statusCode);
  });
});

describe('health and ready', () => {
  it('health needs nothing', async () => expect((await ask('/.lictor/health')).json()).toEqual({ status: 'ok' }));

  it('ready is 200 when all checks are, and 503 naming the one that is not', async () => {
    const checks = { edge: async () => true, store: async () => true };
    app = appWith({ checks });
    expect([(await ask('/.lictor/ready')).statusCode, (await ask('/.lictor/ready')).json()]).toEqual([
      200,
      { status: 'ready', checks: { edge: 'ok', store: 'ok' } },
    ]);
    app = appWith({ checks: { ...checks, upstream: () => Promise.reject(new Error('10.0.0.1 refused')) } });
    const answer = await ask('/.lictor/ready');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toEqual({ status: 'not-ready', checks: { edge: 'ok', store: 'ok', upstream: 'failed' } });
    expect(answer.body).not.toContain('10.0.0.1');
    app = appWith({ checks: { ...checks, upstream: async () => false } });
    expect((await ask('/.lictor/ready')).statusCode).toBe(503);
  });
});

describe('me', () => {
  it('says who a token or a session is, and refuses nobody and guesses', async () => {
    const { text, id } = await test.token({ roles: ['worker'] });
    const me = async (headers: Readonly<Record<string, string>>) => (await ask('/.lictor/api/v1/me', { headers })).json();
    expect(await me({ [INPUT.authorization]: `Bearer ${text}` })).toMatchObject({
      principal: 'token:etl',
      principal_kind: 'worker',
      roles: ['worker'],
      credential_id: id,
      carrier: 'authorization',
    });
    expect(await me({ [INPUT.session]: cookieOf(await logIn()) })).toMatchObject({
      principal: 'alice@local',
      idp: 'local',
      roles: ['admin'],
      carrier: 'session',
    });
    expect(await me({})).toMatchObject({ code: 'credential-missing' });
    expect(await me({ authorization: `Bearer ${text}`, 'x-lictor-token': text, cookie: 'lictor=x' })).toMatchObject({ code: 'credential-missing' });
    const answer = await ask('/.lictor/api/v1/me', { headers: { [INPUT.token]: 'lct_x' } });
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="lictor"']);
  });
});

describe('a refused navigation', () => {
  it('is sent to the login page, with its address kept here; the login leads back to it', async () => {
    const answer = await ask('/runs?tab=Logs&x=a%20b', { headers: purpose });
    expect(answer.statusCode).toBe(302);
    const location = String(answer.headers.location);
    expect(location).toMatch(/^\/\.lictor\/login\?attempt=[\w-]{22}$/);
    const page = await ask(location, { headers: HTML });
    const attempt = /name="attempt" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
    const done = await logIn({ attempt });
    expect([done.statusCode, done.headers.location]).toEqual([303, '/runs?tab=Logs&x=a%20b']);
    expect((await logIn({ attempt })).headers.location).toBe('/');
  });

  it('of the root needs nothing to be kept', async () => expect((await ask('/', { headers: purpose })).headers.location).toBe('/.lictor/login'));

  it('that is hostile leads to the root (RD-01)', async () => {
    for (const path of ['//evil.example', '/a//b', '/%2f%2fevil.example', '/.lictor/logout', '/a;b']) {
      expect((await ask(path, { headers: purpose })).headers.location, path).toBe('/.lictor/login');
    }
  });

  it('is one by its header alone, even with an operation', async () => {
    const answer = await ask('/api/flow_runs/', { method: 'POST', headers: { ...purpose, [INPUT.operation]: 'create_flow_run' } });
    expect([answer.statusCode, mediated.length]).toEqual([302, 0]);
  });
});

describe('an address given by the page itself (expired.js)', () => {
  it('is kept when it is a path, and the script names where to go', async () => {
    const answer = await ask(`/.lictor/login?return=${encodeURIComponent('/runs?x=1')}`, { headers: HTML });
    expect(answer.statusCode).toBe(303);
    const attempt = new URL(String(answer.headers.location), 'http://x').searchParams.get('attempt') ?? '';
    expect((await logIn({ attempt })).headers.location).toBe('/runs?x=1');
    const script = await ask('/.lictor/expired.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.body).toContain('"/.lictor/login"');
  });

  it(`is dropped when it is one of ${HOSTILE_RETURN_PATHS.length} hostile ones (RD-01)`, async () => {
    for (const path of HOSTILE_RETURN_PATHS) {
      const answer = await ask(`/.lictor/login?return=${encodeURIComponent(path.toWellFormed())}`, { headers: HTML });
      expect([answer.statusCode, answer.headers.location], path).toEqual([303, '/.lictor/login']);
    }
  });
});

describe('the login page', () => {
  it('loads nothing from anywhere and lets nobody frame it', async () => {
    const page = await ask('/.lictor/login', { headers: HTML });
    const csp = String(page.headers['content-security-policy']);
    expect(csp).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/);
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'same-origin' });
    expect(page.body).not.toMatch(/<script|https?:\/\/|url\(| on\w+=/);
    expect(page.body).toMatch(/<label for="username">.*autocomplete="username".*<label for="password">.*autocomplete="current-password"/s);
    expect(page.body).toContain('<title>Sign in - Lictor</title>');
  });

  it('has no form when the configuration has no accounts', async () => {
    app = appWith({ config: { identityProviders: [] } });
    const page = await ask('/.lictor/login', { headers: HTML });
    expect([page.statusCode, page.body.includes('<form')]).toEqual([404, false]);
    expect((await logIn()).statusCode).toBe(401);
  });

  it('shows who is signed in already, and the way on', async () => {
    const session = cookieOf(await logIn());
    const page = await ask('/.lictor/login', { session, headers: HTML });
    expect(page.body).toContain('alice@local');
    expect(/href="([^"]*)"/.exec(page.body)?.[1]).toBe('/');
  });

  it('puts nothing of the request into its text unescaped', async () => {
    const page = await logIn({ username: '"><script>alert(1)</script>', attempt: '"><b>' });
    expect(page.body).not.toContain('<script>');
    expect(page.body).not.toContain('"><b>');
    expect(page.body).toContain('&quot;&gt;&lt;script&gt;');
  });
});

describe('a login', () => {
  it('sets a cookie for this origin only, leads to the root and is recorded', async () => {
    const answer = await logIn();
    expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
    expect(answer.headers['set-cookie']).toMatch(/^lictor=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(records).toMatchObject([
      {
        action: 'session.login',
        decision: 'allow',
        reason: null,
        principal: 'alice@local',
        principal_kind: 'user',
        idp: 'local',
        source_ip: '192.0.2.1',
        request_id: 'request-1',
        revision: 7,
      },
    ]);
    expect(records[0]?.session_id).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(records)).not.toContain(cookieOf(answer));
  });

  it('on https sets the __Host- cookie, and the __Secure- one below a path', async () => {
    app = appWith({ config: { publicUrl: { ...CONFIG.publicUrl, origin: 'https://x.example', secure: true } } });
    expect((await logIn()).headers['set-cookie']).toMatch(/^__Host-lictor=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    app = appWith({ config: { publicUrl: { ...CONFIG.publicUrl, origin: 'https://x.example', secure: true, basePath: '/prefect' } } });
    const below = await post('/prefect/.lictor/login', { username: 'alice', password: PASSWORD });
    expect(below.headers['set-cookie']).toMatch(/^__Secure-lictor=[\w-]{43}; Path=\/prefect; HttpOnly; SameSite=Lax; Secure$/);
    expect(below.headers.location).toBe('/prefect/');
  });

  it('takes the name as a phone writes it', async () => expect((await logIn({ username: ' Alice ' })).statusCode).toBe(303));

  it('that fails is 401, shows the form again with the name, keeps the way back, and is recorded', async () => {
    const attempt = 'A'.repeat(22);
    const page = await logIn({ password: 'wrong', attempt });
    expect([page.statusCode, page.headers['set-cookie']]).toEqual([401, undefined]);
    expect(page.body).toContain('role="alert"');
    expect(page.body).toContain('value="alice"');
    expect(page.body).toContain(`value="${attempt}"`);
    expect(page.body).not.toContain('wrong"');
    expect(records).toMatchObject([{ action: 'session.login', decision: 'deny', reason: 'login-failed', principal: 'alice@local', status: 401 }]);
  });

  it('under a name that does not exist is recorded without it: it may be a password', async () => {
    await logIn({ username: 'hunter2', password: 'x' });
    expect(records).toMatchObject([{ reason: 'login-failed', principal: null, idp: null }]);
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });

  it('answers JSON to a program', async () => {
    const answer = await logIn({ password: 'wrong' }, { headers: { accept: '*/*' } });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'login-failed']);
  });

  it('from another origin, or from nowhere, is 403 whatever the password (SE-02)', async () => {
    const answer = await logIn({}, { sameOrigin: false });
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([403, undefined]);
    expect(records).toMatchObject([{ action: 'session.login', decision: 'deny', reason: 'origin-foreign' }]);
    expect(
      (await logIn({}, { sameOrigin: false, headers: { accept: '*/*', origin: 'http://localhost:8200', 'sec-fetch-site': 'same-origin' } })).json().code,
    ).toBe('origin-foreign');
  });

  it('never takes over the id that came along, and ends that session (SE-01)', async () => {
    const first = cookieOf(await logIn());
    const planted = 'A'.repeat(43);
    expect(cookieOf(await logIn({}, { session: planted }))).not.toBe(planted);
    expect(syncs).toBe(0);
    const second = cookieOf(await logIn({}, { session: first }));
    expect(syncs).toBe(1);
    const me = async (session: string) => (await ask('/.lictor/api/v1/me', { session })).statusCode;
    expect(await Promise.all([me(first), me(second), me(planted)])).toEqual([401, 200, 401]);
  });

  it('is throttled with 429 and Retry-After, recorded', async () => {
    for (let index = 0; index < 5; index += 1) await logIn({ password: 'wrong' });
    const page = await logIn();
    expect([page.statusCode, page.headers['retry-after']]).toEqual([429, '60']);
    expect(page.body).toContain('Too many failed logins');
    expect(records.at(-1)).toMatchObject({ decision: 'deny', reason: 'login-throttled', status: 429 });
    expect((await logIn({}, { headers: { accept: '*/*' } })).json().code).toBe('login-throttled');
  });

  it('of somebody without a role says so and starts no session', async () => {
    await test.store.accounts.create({ id: '2', name: 'nemo', roles: [], password: phc });
    const page = await logIn({ username: 'nemo' });
    expect([page.statusCode, page.headers['set-cookie']]).toEqual([403, undefined]);
    expect(page.body).toContain('nemo@local');
    expect(records).toMatchObject([{ decision: 'deny', reason: 'policy-default-deny', principal: 'nemo@local' }]);
  });

  it('that cannot be recorded does not begin, unless the configuration says so', async () => {
    ledgerBroken = true;
    const answer = await logIn({}, { headers: { accept: '*/*' } });
    expect([answer.statusCode, answer.json().code, answer.headers['set-cookie']]).toEqual([503, 'ledger-unavailable', undefined]);
    expect(await test.store.changeNumber()).toBe(2);
    app = appWith({ config: { ledger: { failClosed: false } } });
    expect((await logIn()).statusCode).toBe(303);
  });

  it.each([
    ['an endless form', 'username=alice&password='.padEnd(17_000, 'x'), 413],
    ['nothing', '', 401],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), 401],
  ])('with %s is refused', async (_name, body, status) => {
    expect(
      (await ask('/.lictor/login', { method: 'POST', sameOrigin: true, body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).statusCode,
    ).toBe(status);
  });
});

describe('a logout', () => {
  const me = async (session: string) => (await ask('/.lictor/api/v1/me', { session })).statusCode;

  it('asks first; then ends the session, expires the cookie and is recorded', async () => {
    const session = cookieOf(await logIn());
    const asked = await ask('/.lictor/logout', { session, headers: HTML });
    expect(asked.body).toContain('<form method="post" action="/.lictor/logout">');
    expect(await me(session)).toBe(200);
    const done = await post('/.lictor/logout', {}, { session });
    expect(done.statusCode).toBe(200);
    expect(done.headers).toMatchObject({ 'set-cookie': 'lictor=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0', 'clear-site-data': '"cache"' });
    expect(done.body).toContain('signed out');
    expect(syncs).toBe(1);
    expect(await me(session)).toBe(401);
    expect(records.at(-1)).toMatchObject({ action: 'session.logout', decision: 'allow', principal: 'alice@local' });
  });

  it('from another origin is 403 and ends nothing (SE-02)', async () => {
    const session = cookieOf(await logIn());
    expect((await post('/.lictor/logout', {}, { session, sameOrigin: false })).statusCode).toBe(403);
    expect(await me(session)).toBe(200);
  });

  it('without a session still expires the cookie, and records nothing', async () => {
    const done = await post('/.lictor/logout', {}, { session: 'A'.repeat(43) });
    expect([done.statusCode, records.length, syncs]).toEqual([200, 0, 0]);
    expect(done.headers['set-cookie']).toContain('Max-Age=0');
  });

  it('happens although it cannot be recorded', async () => {
    const session = cookieOf(await logIn());
    ledgerBroken = true;
    expect((await post('/.lictor/logout', {}, { session })).statusCode).toBe(200);
    expect(await me(session)).toBe(401);
  });
});

describe('a mediated request', () => {
  const operation = { [INPUT.operation]: 'create_flow_run', [INPUT.path]: '/api/flow_runs/' };
  const mediate = (more: Ask = {}) => ask('/api/flow_runs/?x=1', { method: 'POST', ...more, headers: { ...operation, ...more.headers } });

  it('goes to the mediator with inputs, headers and the very bytes, and its answer comes back as it is', async () => {
    const body = Buffer.from('\ufeff{"a":1,"a":2}\u0000');
    const answer = await mediate({ body, headers: { 'content-type': 'application/json', 'user-agent': 'prefect/3' } });
    expect([answer.statusCode, answer.body, answer.headers['x-extra'], answer.headers['x-request-id']]).toEqual([201, '{"id":1}', 'yes', 'request-1']);
    expect(mediated).toMatchObject([
      {
        inputs: { operation: 'create_flow_run', path: '/api/flow_runs/', method: 'POST' },
        headers: { 'content-type': 'application/json', 'user-agent': 'prefect/3' },
      },
    ]);
    expect(mediated[0]?.body.equals(body)).toBe(true);
  });

  it.each(['application/vnd.x+json', 'text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])(
    'with Content-Type %s is the mediator’s to judge',
    async (type) => {
      expect((await mediate({ body: 'x', headers: { 'content-type': type } })).statusCode).toBe(201);
      expect(mediated[0]?.body.toString()).toBe('x');
    },
  );

  it('with a Content-Type that is none, or with no Content-Type, never reaches it without its body', async () => {
    for (const headers of [{ 'content-type': '???' }, { 'content-type': '' }]) {
      const answer = await mediate({ body: 'x', headers });
      if (answer.statusCode === 201) expect(mediated.at(-1)?.body.toString()).toBe('x');
      else expect([answer.statusCode, answer.json().code]).toEqual([415, 'content-type-unsupported']);
    }
  });

  it.each(['PUT', 'DELETE', 'GET'] as const)('may be a %s', async (method) => expect((await mediate({ method })).statusCode).toBe(201));

  it('of 16 MiB passes; one byte more is 413 and does not', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await mediate({ body: Buffer.alloc(16 * 1024 * 1024, 32), headers: json })).statusCode).toBe(201);
    const answer = await mediate({ body: Buffer.alloc(16 * 1024 * 1024 + 1, 32), headers: json });
    expect([answer.statusCode, answer.json().code, mediated.length]).toEqual([413, 'body-too-large', 1]);
  });

  it('is one by its header and not by its path', async () => {
    await ask('/.lictor/login', { method: 'POST', headers: operation });
    expect(mediated).toHaveLength(1);
  });

  it('keeps 204 empty and passes Prefect’s own 500', async () => {
    mediatorAnswer = async () => ({ status: 204, headers: {}, body: Buffer.alloc(0) });
    expect([(await mediate()).statusCode, (await mediate()).body]).toEqual([204, '']);
    mediatorAnswer = async () => ({ status: 500, headers: { 'content-type': 'text/plain' }, body: Buffer.from('Prefect broke') });
    expect([(await mediate()).statusCode, (await mediate()).body]).toEqual([500, 'Prefect broke']);
  });

  it('that breaks the mediator is 503 JSON, never 500, and does not claim that nothing was forwarded', async () => {
    mediatorAnswer = () => Promise.reject(new Error('a defect with a secret'));
    const answer = await mediate({ headers: HTML });
    expect([answer.statusCode, answer.json().code, answer.headers['prefect-maintenance']]).toEqual([503, 'gateway-unavailable', undefined]);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.body).not.toContain('defect');
  });
});

describe('listening', () => {
  it('is the caller’s business, and close ends it', async () => {
    await app.ready();
    await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
    const address = app.server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    expect((await fetch(`http://127.0.0.1:${port}/.lictor/health`)).status).toBe(200);
    await app.close();
    expect(app.server.listening).toBe(false);
  });
});
