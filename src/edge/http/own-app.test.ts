// The small answers of the app: status, the principal, and 404 for everything else (AD-01).
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../contract/names.ts';
import { cookieOf, HTML, useOwnApp } from './own-app.fixture.ts';

const { get, reconfigure, ask, logIn } = useOwnApp();

describe('every answer', () => {
  it.each(['/.lictor/health', '/.lictor/login', '/.lictor/nothing', '/.lictor/expired.js', '/.lictor/bar.js', '/.lictor/api/v1/me'])(
    'of %s has the request id and is not sniffed',
    async (url) => {
      const { headers } = await ask(url);
      expect(headers).toMatchObject({ 'x-request-id': 'request-1', 'x-content-type-options': 'nosniff' });
    },
  );

  const unknown = ['/.lictor/x', '/.lictor/admin', '/.lictor/metrics', '/.lictor/scim/v2/Users'] as const;
  const NOT_FOUND = { detail: 'Not Found', code: 'not-found', hint: '', request_id: 'request-1' };

  it.each(unknown)('of GET %s is 404: JSON for a program, a page for a person', async (url) => {
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
      const answer = await ask(url, { headers });
      expect([answer.statusCode, answer.headers['content-type'], answer.json()]).toEqual([404, 'application/json; charset=utf-8', NOT_FOUND]);
    }
    for (const headers of [HTML, { 'sec-fetch-mode': 'navigate' }]) {
      const page = await ask(url, { headers });
      expect([page.statusCode, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
      expect(page.body).toMatch(/Not Found[\s\S]*href="\/"[\s\S]*request-1/);
    }
  });

  it.each([
    ['GET', '/.lictor/../etc/passwd'],
    ['GET', '/'],
    ['GET', '/-/mediated'],
    ['POST', '/-/mediated'],
    ['GET', '/-/login'],
    ['POST', '/.lictor/health'],
    ['PUT', '/.lictor/login'],
    ['DELETE', '/.lictor/api/v1/me'],
    ['OPTIONS', '/.lictor/login'],
  ] as const)('of %s %s is 404 JSON, whoever asks', async (method, url) => {
    const answer = await ask(url, { method, headers: HTML });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual(NOT_FOUND);
  });

  it.each(['/.lictor/%zz', '/.lictor/%', '/.lictor/%ff'])('of %s is a refusal and no 500', async (url) => {
    expect([400, 404]).toContain((await ask(url)).statusCode);
  });
});

describe('a locked address', () => {
  const from = (address: string) => ({ headers: { ...HTML, [INPUT.address]: address } });

  it.each(['/.lictor/', '/.lictor/login', '/.lictor/device', '/.lictor/nothing', '/.lictor/api/v1/me'])('gets no page at %s, and others do', async (url) => {
    const lock = { why: '', by: 'local:root', expiresMs: null };
    await get().test.store.locks.put({ ...lock, kind: 'address', value: '192.0.2.0/24' });
    const refused = await ask(url, from('192.0.2.9'));
    expect([refused.statusCode, refused.body.includes('locked')]).toEqual([403, true]);
    expect((await ask(url, from('198.51.100.9'))).body).not.toContain('locked');
  });

  it('may ask whether the gateway is up', async () => {
    await get().test.store.locks.put({ why: '', by: 'local:root', expiresMs: null, kind: 'address', value: '192.0.2.0/24' });
    expect((await ask('/.lictor/health', from('192.0.2.9'))).statusCode).toBe(200);
  });
});

describe('health and ready', () => {
  it('health needs nothing', async () => expect((await ask('/.lictor/health')).json()).toEqual({ status: 'ok' }));

  it('ready is 200 when all checks are, and 503 naming the one that is not', async () => {
    const checks = { edge: async () => true, store: async () => true };
    reconfigure({ checks });
    expect([(await ask('/.lictor/ready')).statusCode, (await ask('/.lictor/ready')).json()]).toEqual([
      200,
      { status: 'ready', checks: { edge: 'ok', store: 'ok' } },
    ]);
    reconfigure({ checks: { ...checks, upstream: () => Promise.reject(new Error('10.0.0.1 refused')) } });
    const answer = await ask('/.lictor/ready');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toEqual({ status: 'not-ready', checks: { edge: 'ok', store: 'ok', upstream: 'failed' } });
    expect(answer.body).not.toContain('10.0.0.1');
    reconfigure({ checks: { ...checks, upstream: async () => false } });
    expect((await ask('/.lictor/ready')).statusCode).toBe(503);
  });

  it('ready is 200 and names the ledger when it alone fails: reads go on; with another it is 503', async () => {
    const checks = { edge: async () => true, store: async () => true, ledger: async () => false };
    reconfigure({ checks });
    const answer = await ask('/.lictor/ready');
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'degraded', checks: { edge: 'ok', store: 'ok', ledger: 'failed' } }]);
    reconfigure({ checks: { ...checks, store: async () => false } });
    expect((await ask('/.lictor/ready')).json()).toMatchObject({ status: 'not-ready' });
    expect((await ask('/.lictor/ready')).statusCode).toBe(503);
  });
});

describe('me', () => {
  it('says who a token or a session is, and refuses nobody and guesses', async () => {
    const { text, id } = await get().test.token({ roles: ['worker'] });
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

describe('listening', () => {
  it('is the caller’s business, and close ends it', async () => {
    const { app } = get();
    await app.ready();
    await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
    const address = app.server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    expect((await fetch(`http://127.0.0.1:${port}/.lictor/health`)).status).toBe(200);
    await app.close();
    expect(app.server.listening).toBe(false);
  });
});
