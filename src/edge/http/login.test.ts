// Login page, login, logout and return address (RD-01, SE-01, SE-02), through the whole app.
import { describe, expect, it } from 'vitest';
import { INPUT, LOGIN_DEVICE } from '../../contract/names.ts';
import { HOSTILE_RETURN_PATHS } from './hostile-return-paths.fixture.ts';
import { CONFIG, cookieOf, HTML, PASSWORD, useOwnApp } from './own-app.fixture.ts';

const { get, reconfigure, ask, post, logIn, me } = useOwnApp();
const purpose = { 'x-lictor-in-purpose': 'login' };

describe('a refused navigation', () => {
  it('is sent to the login page, with its address stored here; the login leads back to it', async () => {
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

  it('of the root stores nothing', async () => expect((await ask('/', { headers: purpose })).headers.location).toBe('/.lictor/login'));

  it('that is hostile leads to the root (RD-01)', async () => {
    for (const path of ['//evil.example', '/a//b', '/%2f%2fevil.example', '/.lictor/logout', '/a;b']) {
      expect((await ask(path, { headers: purpose })).headers.location, path).toBe('/.lictor/login');
    }
  });

  it('is one by its header alone, even with an operation', async () => {
    const answer = await ask('/api/flow_runs/', { method: 'POST', headers: { ...purpose, [INPUT.operation]: 'create_flow_run' } });
    expect([answer.statusCode, get().mediated.length]).toEqual([302, 0]);
  });
});

describe('the account page', () => {
  it('says who is signed in and with which role, and has the way out', async () => {
    const page = await ask('/.lictor/', { headers: HTML, session: cookieOf(await logIn()) });
    expect(page.statusCode).toBe(200);
    expect(page.body).toMatch(
      /alice@local<\/strong>[\s\S]*with the role admin\.[\s\S]*<form method="post" action="\/\.lictor\/logout"><button class="quiet">Sign out/,
    );
  });

  it('twin: without a session it leads to the login, and a program finds nothing', async () => {
    const session = cookieOf(await logIn());
    for (const headers of [HTML, { 'sec-fetch-mode': 'navigate' }]) {
      const answer = await ask('/.lictor/', { headers, session: `${session.slice(0, -2)}xx` });
      expect([answer.statusCode, answer.headers.location]).toEqual([303, '/.lictor/login']);
    }
    expect((await ask('/.lictor/', { session })).json()).toMatchObject({ code: 'not-found' });
  });

  it('is one click away from a page of a refusal', async () => {
    expect((await ask('/.lictor/x', { headers: HTML })).body).toContain('href="/.lictor/"');
  });
});

describe('the bar in Prefect’s pages (bar.js)', () => {
  it('asks who it is and signs out below the path of public_url', async () => {
    const script = await ask('/.lictor/bar.js');
    expect([script.statusCode, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(script.body).toContain('{"me":"/.lictor/api/v1/me","account":"/.lictor/","console":"/.lictor/console/","logout":"/.lictor/logout"}');
    expect(script.body).not.toContain('innerHTML');
    reconfigure({ config: { publicUrl: { ...CONFIG.publicUrl, basePath: '/prefect' } } });
    expect((await ask('/prefect/.lictor/bar.js')).body).toContain('"logout":"/prefect/.lictor/logout"');
  });
});

describe('an address given by the page itself (expired.js)', () => {
  it('is accepted if it is a path, and the script names the target', async () => {
    const answer = await ask(`/.lictor/login?return=${encodeURIComponent('/runs?x=1')}`, { headers: HTML });
    expect(answer.statusCode).toBe(303);
    const attempt = new URL(String(answer.headers.location), 'http://x').searchParams.get('attempt') ?? '';
    expect((await logIn({ attempt })).headers.location).toBe('/runs?x=1');
    const script = await ask('/.lictor/expired.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.body).toContain('"/.lictor/login"');
  });

  it('is asked for below the path of public_url, where script and login page are', async () => {
    reconfigure({ config: { publicUrl: { ...CONFIG.publicUrl, basePath: '/prefect' } } });
    expect((await ask('/prefect/.lictor/expired.js')).body).toContain('"/prefect/.lictor/login"');
    expect((await ask('/.lictor/expired.js')).statusCode).toBe(404);
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
    reconfigure({ config: { identityProviders: [] } });
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
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^lictor=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/),
      expect.stringMatching(/^lictor-device=[\w-]{60,200}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=7776000$/),
    ]);
    expect(get().records).toMatchObject([
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
        grants: [{ role: 'admin', scope: null, members: ['alice@local'], rules: ['account alice'], networks: [], expires_at: expect.any(String) }],
      },
    ]);
    expect(get().records[0]?.session_id).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(get().records)).not.toContain(cookieOf(answer));
  });

  it('of a known device is not throttled by the failures of strangers', async () => {
    const [, line = ''] = [(await logIn()).headers['set-cookie'] ?? []].flat().map(String);
    const [, device = ''] = /^lictor-device=([^;]+)/.exec(line) ?? [];
    for (let count = 0; count < 5; count += 1) await logIn({ password: 'wrong' });
    expect((await logIn()).statusCode).toBe(429);
    expect((await logIn({}, { headers: { [LOGIN_DEVICE]: `${device}x` } })).statusCode).toBe(429);
    expect((await logIn({}, { headers: { [LOGIN_DEVICE]: device } })).statusCode).toBe(303);
  });

  it('on https sets the __Host- cookie, and the __Secure- one below a path', async () => {
    reconfigure({ config: { publicUrl: { ...CONFIG.publicUrl, origin: 'https://x.example', secure: true } } });
    expect((await logIn()).headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-lictor=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
      expect.stringMatching(/^__Host-lictor-device=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=7776000$/),
    ]);
    reconfigure({ config: { publicUrl: { ...CONFIG.publicUrl, origin: 'https://x.example', secure: true, basePath: '/prefect' } } });
    const below = await post('/prefect/.lictor/login', { username: 'alice', password: PASSWORD });
    expect(below.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Secure-lictor=[\w-]{43}; Path=\/prefect\/; HttpOnly; SameSite=Lax; Secure$/),
      expect.stringMatching(/^__Secure-lictor-device=[\w-]+; Path=\/prefect\/; HttpOnly; SameSite=Lax; Secure; Max-Age=7776000$/),
    ]);
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
    expect(get().records).toMatchObject([{ action: 'session.login', decision: 'deny', reason: 'login-failed', principal: 'alice@local', status: 401 }]);
  });

  it('under a name that does not exist is recorded without it: it may be a password', async () => {
    await logIn({ username: 'hunter2', password: 'x' });
    expect(get().records).toMatchObject([{ reason: 'login-failed', principal: null, idp: null }]);
    expect(JSON.stringify(get().records)).not.toContain('hunter2');
  });

  it('answers JSON to a program', async () => {
    const answer = await logIn({ password: 'wrong' }, { headers: { accept: '*/*' } });
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'login-failed']);
  });

  it('from another origin, or from nowhere, is 403 whatever the password (SE-02)', async () => {
    const answer = await logIn({}, { sameOrigin: false });
    expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([403, undefined]);
    expect(get().records).toMatchObject([{ action: 'session.login', decision: 'deny', reason: 'origin-foreign' }]);
    expect(
      (await logIn({}, { sameOrigin: false, headers: { accept: '*/*', origin: 'http://localhost:8200', 'sec-fetch-site': 'same-origin' } })).json().code,
    ).toBe('origin-foreign');
  });

  it('never takes over the id that came along, and ends that session (SE-01)', async () => {
    const first = cookieOf(await logIn());
    const planted = 'A'.repeat(43);
    expect(cookieOf(await logIn({}, { session: planted }))).not.toBe(planted);
    expect(get().syncs).toBe(0);
    const second = cookieOf(await logIn({}, { session: first }));
    expect(get().syncs).toBe(1);
    expect(await Promise.all([me(first), me(second), me(planted)])).toEqual([401, 200, 401]);
  });

  it('is throttled with 429 and Retry-After, recorded', async () => {
    for (let index = 0; index < 5; index += 1) await logIn({ password: 'wrong' });
    const page = await logIn();
    expect([page.statusCode, page.headers['retry-after']]).toEqual([429, '60']);
    expect(page.body).toContain('Too many failed logins');
    const record = get().records.at(-1);
    expect(record).toMatchObject({ decision: 'deny', reason: 'login-throttled', status: 429, request_id: 'request-1' });
    // As every unauthenticated request: otherwise a client that knows a name could fill the ledger with it (src/record/ledger/floods.ts).
    expect([record?.principal, record?.credential_id, record?.session_id, record?.grant_id]).toEqual([null, null, null, null]);
    expect((await logIn({}, { headers: { accept: '*/*' } })).json().code).toBe('login-throttled');
  });

  it('of an account without a role shows that and starts no session', async () => {
    await get().test.store.accounts.create({ id: '2', name: 'nemo', roles: [], password: get().phc });
    const page = await logIn({ username: 'nemo' });
    expect([page.statusCode, page.headers['set-cookie']]).toEqual([403, undefined]);
    expect(page.body).toContain('nemo@local');
    expect(get().records).toMatchObject([{ decision: 'deny', reason: 'policy-default-deny', principal: 'nemo@local' }]);
  });

  it('that cannot be recorded does not begin, unless the configuration says so', async () => {
    get().ledgerBroken = true;
    const answer = await logIn({}, { headers: { accept: '*/*' } });
    expect([answer.statusCode, answer.json().code, answer.headers['set-cookie']]).toEqual([503, 'ledger-unavailable', undefined]);
    expect(await get().test.store.changeNumber()).toBe(2);
    reconfigure({ config: { ledger: { failClosed: false, retentionSeconds: null } } });
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
  it('asks first; then ends the session, expires the cookie and is recorded', async () => {
    const session = cookieOf(await logIn());
    const asked = await ask('/.lictor/logout', { session, headers: HTML });
    expect(asked.body).toContain('<form method="post" action="/.lictor/logout">');
    expect(await me(session)).toBe(200);
    const done = await post('/.lictor/logout', {}, { session });
    expect(done.statusCode).toBe(200);
    expect(done.headers).toMatchObject({ 'set-cookie': 'lictor=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0', 'clear-site-data': '"cache"' });
    expect(done.body).toContain('signed out');
    expect(get().syncs).toBe(1);
    expect(await me(session)).toBe(401);
    expect(get().records.at(-1)).toMatchObject({ action: 'session.logout', decision: 'allow', principal: 'alice@local' });
  });

  it('from another origin is 403 and ends nothing (SE-02)', async () => {
    const session = cookieOf(await logIn());
    expect((await post('/.lictor/logout', {}, { session, sameOrigin: false })).statusCode).toBe(403);
    expect(await me(session)).toBe(200);
  });

  it('without a session still expires the cookie, and get().records nothing', async () => {
    const done = await post('/.lictor/logout', {}, { session: 'A'.repeat(43) });
    expect([done.statusCode, get().records.length, get().syncs]).toEqual([200, 0, 0]);
    expect(done.headers['set-cookie']).toContain('Max-Age=0');
  });

  it('happens although it cannot be recorded', async () => {
    const session = cookieOf(await logIn());
    get().ledgerBroken = true;
    expect((await post('/.lictor/logout', {}, { session })).statusCode).toBe(200);
    expect(await me(session)).toBe(401);
  });
});
