// Rows XA-01, EG-01, EG-02 and JW-07: what callers try on the way to a service, and what a service tries on the way back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EDGE_SECRET, INPUT, OUTPUT } from '../../../src/contract/names.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../../env/gateway.ts';
import { workersAfter } from '../../env/gateway-processes.ts';
import { signalProcess, waitFor } from '../../env/process.ts';
import { request } from '../../env/raw-request.ts';
import { noteSecret } from '../../env/stored-secrets.ts';
import { type Recorder, startRecorder } from '../../env/upstream-recorder.ts';
import { bearerLine, expectRefusal, expectStatus } from './harness.ts';

/** Everything that means something to nginx, to a shell or to a reader of headers. */
const SECRET = 'pa$$w0rd-$host"; return 200; #\\{}\'`$(id)';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-services-'));
let prefect: Recorder;
let billing: Recorder;
let vault: Recorder;
let gateway: Gateway;
let caller: Token;
let stranger: Token;

beforeAll(async () => {
  [prefect, billing, vault] = await Promise.all([startRecorder(), startRecorder(), startRecorder()]);
  noteSecret(SECRET);
  writeFileSync(join(directory, 'key'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(
    join(directory, 'services.cedar'),
    '@id("caller-billing")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource in Service::"billing");\n',
  );
  gateway = await startGateway({
    upstream: prefect,
    config: {
      identity_providers: [{ id: 'local', type: 'accounts' }],
      policies: directory,
      services: [
        {
          name: 'billing',
          servers: [billing.url],
          allow: [{ methods: ['GET', 'POST'], paths: ['/v1/*', '/odd:path', '/r/*/a*/a*/a*/b'] }],
          inject: { header: { name: 'X-Api-Key', value_file: join(directory, 'key') } },
        },
        { name: 'vault', servers: [`${vault.url}/api`] },
      ],
    },
  });
  [caller, stranger] = await Promise.all([gateway.token('caller', ['viewer']), gateway.token('stranger', ['viewer'])]);
});
beforeEach(() => {
  for (const recorder of [prefect, billing, vault]) {
    recorder.clear();
    recorder.answerWith(undefined);
  }
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([prefect, billing, vault].map((recorder) => recorder?.close()));
  rmSync(directory, { recursive: true });
});

const call = (path: string, init: Parameters<Gateway['fetch']>[1] = {}) => gateway.fetch(`/.lictor/svc${path}`, { token: caller.secret, ...init });

function expectNothingSeen(): void {
  expect([...prefect.seen(), ...billing.seen(), ...vault.seen()].map(({ method, target }) => `${method} ${target}`)).toEqual([]);
}

describe('who may call what', () => {
  it('an allowed call arrives byte for byte, with an assertion and the key, and with nothing of the caller', async () => {
    const response = await call('/billing/v1/a%20b/c?x=%2F..%2F&y=1', {
      method: 'POST',
      body: '{"n":1}',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k1', cookie: 'other=1', 'x-lictor-token': caller.secret, 'x-custom': 'no' },
    });
    expect(response.status).toBe(200);
    const [seen, ...more] = billing.seen();
    expect(more).toEqual([]);
    expect(seen).toMatchObject({ method: 'POST', target: '/v1/a%20b/c?x=%2F..%2F&y=1', body: Buffer.from('{"n":1}') });
    expect(seen?.headers).toMatchObject({ host: new URL(billing.url).host, 'idempotency-key': 'k1', 'content-type': 'application/json' });
    expect(seen?.headers['x-lictor-assertion']).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(seen?.headers['x-api-key']).toBe(SECRET);
    for (const header of ['authorization', 'cookie', 'x-lictor-token', 'x-custom']) expect(seen?.headers[header], header).toBeUndefined();
  });

  it.each([
    ['a method outside the list', '/billing/v1/x', { method: 'DELETE' }, 'service-route-unknown'],
    ['a path outside the list', '/billing/v2/x', {}, 'service-route-unknown'],
    ['a service that no policy permits', '/vault/v1/x', {}, 'policy-default-deny'],
  ])('%s is refused', async (_what, path, init, code) => {
    await expectRefusal(await call(path, init), 403, code);
    expectNothingSeen();
  });

  it('a principal without a policy is refused, and a client without a credential gets 401 without a redirect', async () => {
    await expectRefusal(await call('/billing/v1/x', { token: stranger.secret }), 403, 'policy-default-deny');
    const page = { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } };
    await expectRefusal(await gateway.fetch('/.lictor/svc/billing/v1/x', page), 401, 'credential-missing');
    expectNothingSeen();
  });

  it.each(['/.lictor/svc/', '/.lictor/svc/none', '/.lictor/svc/none/x', '/.lictor/svc/BILLING/v1/x', '/.lictor/svc/bil:ling/v1/x'])(
    '%s is no service: 404 for a known caller, and what a real service answers for anybody else',
    async (path) => {
      const answer = await gateway.fetch(path, { token: caller.secret });
      expect(answer.headers.get('location')).toBeNull();
      await expectRefusal(answer, 404, 'service-unknown');
      await expectRefusal(await gateway.fetch(path), 401, 'credential-missing');
      await expectRefusal(await gateway.fetch('/.lictor/svc/billing/v1/x'), 401, 'credential-missing');
      expectNothingSeen();
    },
  );

  it('/.lictor/svc names none: 404', async () => {
    const answer = await gateway.fetch('/.lictor/svc');
    expect(answer.headers.get('location')).toBeNull();
    await expectRefusal(answer, 404, 'not-found');
  });

  it('the record of a call to an unknown service names the caller and the service', async () => {
    const answer = await call('/biling/v1/x');
    await expectRefusal(answer.clone(), 404, 'service-unknown');
    const request = answer.headers.get('x-request-id') ?? '';
    const found = async () => jsonLines(await gateway.lictorOk('audit', '--request', request, '--json'));
    const [record] =
      (await waitFor(async () => ((await found()).length === 0 ? undefined : found()), { what: 'the record of the call', timeoutMs: 30_000 })) ?? [];
    expect(record).toMatchObject({
      ...{ principal: 'token:caller', action: 'services.call', resource_type: 'Service', resource_id: 'biling', service: 'biling' },
      ...{ decision: 'deny', reason: 'service-unknown', status: 404, path_taken: 'egress' },
    });
    const explained = await gateway.lictorOk('explain', request);
    expect(explained).toContain('lictor.yaml names no service biling');
  });

  it('a long path is read once, however often what its route looks for is in it', async () => {
    const path = `/billing/r/x${'/a'.repeat(3_000)}`;
    await expectRefusal(await call(`${path}${'/a'.repeat(9_000)}`), 403, 'service-route-unknown');
    expectNothingSeen();
    expect((await call(`${path}/b`)).status).toBe(200);
    // What an expression takes too long for, nginx says so there, and goes on without.
    expect(readFileSync(join(gateway.stateDir, 'log', 'edge-error.log'), 'utf8')).not.toContain('pcre');
  });

  it('a path is of the same route raw and encoded', async () => {
    for (const path of ['/odd:path', '/odd%3Apath', '/odd:path/']) expect((await call(`/billing${path}`)).status, path).toBe(200);
    expect(billing.seen().map(({ target }) => target)).toEqual(['/odd:path', '/odd%3Apath', '/odd:path/']);
    await expectRefusal(await call('/billing/odd:pathx'), 403, 'service-route-unknown');
  });

  it('EG-01: a browser session is not accepted, and a token is', async () => {
    const session = await gateway.login(await gateway.account('alice', 'admin'));
    expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(200);
    prefect.clear();
    await expectRefusal(await gateway.fetch('/.lictor/svc/billing/v1/x', { session }), 403, 'session-not-accepted');
    expectNothingSeen();
    const admin = await gateway.token('boss', ['admin']);
    for (const [location, wanted] of [
      ['/api/v1/y', '/.lictor/svc/vault/v1/y'],
      ['/v1/y', null],
      ['/apiv1/y', null],
    ] as const) {
      vault.answerWith(() => ({ status: 200, headers: { location }, body: '' }));
      const response = await call('/vault/v1/x?y=%2F', { token: admin.secret });
      expect([response.status, response.headers.get('location')], location).toEqual([200, wanted]);
    }
    expect(vault.seen().map(({ target }) => target)).toEqual(['/api/v1/x?y=%2F', '/api/v1/x?y=%2F', '/api/v1/x?y=%2F']);
  });
});

describe('no other service is reached', () => {
  const line = (target: string, host = `localhost:${gateway.port}`) =>
    request(gateway.port, [`GET ${target} HTTP/1.1`, `Host: ${host}`, bearerLine(caller.secret)]);

  it.each([
    '/.lictor/svc/billing/../vault/v1/x',
    '/.lictor/svc/billing/v1/../../vault/x',
    '/.lictor/svc/billing/v1/%2e%2e/%2e%2e/vault/x',
    '/.lictor/svc/billing/v1/..%2F..%2Fvault/x',
    '/.lictor/svc/billing%2Fv1/x',
    '/.lictor/svc/billing/v1//x',
    '/.lictor/svc/billing/v1/x;a=b',
    '/.lictor/svc/billing/v1/x%00',
    '/.lictor/svc/billing/v1\\..\\x',
    '/.lictor/svc/b%69lling/v1/x',
    '/.lictor/svc/billing/v1/./x',
  ])('%s is 400', async (target) => {
    expectStatus(await line(target), 400, target);
    expectNothingSeen();
  });

  it.each([
    ['/.lictor/svc/vaul/v1/x', 404],
    ['/.lictor/svc/BILLING/v1/x', 404],
    ['/.lictor/svc/billing', 403],
    ['/.lictor/svc/', 404],
  ])('%s is no call that a service takes: %i', async (target, status) => {
    expectStatus(await line(target), status, target);
    expectNothingSeen();
  });

  it('absolute-form and Host lead to this gateway or nowhere', async () => {
    expectStatus(await line('http://vault.internal/.lictor/svc/billing/v1/x'), 400, 'another host in the target');
    expectStatus(await line('http://vault.internal/v1/x'), 400, 'the other service in the target');
    expectStatus(await line('/.lictor/svc/billing/v1/x', 'vault.internal'), 400, 'another Host');
    expectStatus(await line('http://vault.internal/.lictor/svc/billing/v1/x', `localhost:${gateway.port}`), 400, 'the target counts');
    expectNothingSeen();
    expectStatus(await line(`http://localhost:${gateway.port}/.lictor/svc/billing/v1/x`), 200, 'its own name');
    expect(billing.seen().map(({ target, headers }) => `${headers['host']} ${target}`)).toEqual([`${new URL(billing.url).host} /v1/x`]);
  });
});

describe('what a caller claims never arrives', () => {
  it('its own assertion, in any spelling, is replaced', async () => {
    const forged = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.';
    const lines = [`GET /.lictor/svc/billing/v1/x HTTP/1.1`, `Host: localhost:${gateway.port}`, bearerLine(caller.secret)];
    for (const name of ['X-Lictor-Assertion', 'x-lictor-assertion', 'X_Lictor_Assertion', 'X-LICTOR-ASSERTION'])
      expectStatus(await request(gateway.port, [...lines, `${name}: ${forged}`]), 200, name);
    for (const { headers } of billing.seen()) {
      expect(JSON.stringify(headers)).not.toContain(forged);
      expect(headers['x-lictor-assertion']).toMatch(/^eyJ/);
    }
    expect(billing.seen()).toHaveLength(4);
  });

  it('X-Forwarded-*, X-Lictor-*, the key of the service and Upgrade do not either', async () => {
    const headers = {
      'x-forwarded-for': '192.0.2.9',
      'x-forwarded-host': 'evil.example',
      'x-lictor-in-token': 'x',
      'x-real-ip': '192.0.2.9',
      forwarded: 'for=192.0.2.9',
      'x-api-key': 'mine',
    };
    expect((await call('/billing/v1/x', { headers })).status).toBe(200);
    const [seen] = billing.seen();
    expect(seen?.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-api-key': SECRET });
    expect(JSON.stringify(seen?.headers)).not.toMatch(/192\.0\.2\.9|evil|mine/);
    const socket = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
    expectStatus(
      await request(gateway.port, [`GET /.lictor/svc/billing/v1/x HTTP/1.1`, `Host: localhost:${gateway.port}`, bearerLine(caller.secret), ...socket]),
      400,
      'an upgrade',
    );
    expect(billing.seen().filter(({ socket: upgraded }) => upgraded)).toEqual([]);
  });

  it('JW-07: an assertion opens nothing here', async () => {
    await call('/billing/v1/x');
    const assertion = billing.seen()[0]?.headers['x-lictor-assertion'] ?? '';
    await expectRefusal(await gateway.fetch('/api/admin/version', { token: assertion }), 401, 'jwt-kind');
    await expectRefusal(await call('/billing/v1/x', { token: assertion }), 401, 'jwt-kind');
    expect((await gateway.fetch('/api/admin/version', { token: caller.secret })).status).toBe(200);
  });
});

describe('what a service answers', () => {
  const answers = (headers: Readonly<Record<string, string>>, status = 200) => billing.answerWith(() => ({ status, headers, body: '<script>1</script>' }));

  it('XA-01: it does not steer nginx', async () => {
    for (const target of ['@mediated', '/api/variables/filter', '/.lictor-decision', '@service_vault_call']) {
      answers({ 'x-accel-redirect': target, 'x-accel-buffering': 'no', 'x-accel-charset': 'utf-7', 'x-accel-expires': '60', 'x-accel-limit-rate': '1' });
      const response = await call('/billing/v1/x');
      expect([response.status, await response.text()], target).toEqual([200, '<script>1</script>']);
    }
    expect([...prefect.seen(), ...vault.seen()]).toEqual([]);
  });

  it('EG-01: it is sandboxed, and sets, clears, opens and refreshes nothing', async () => {
    const hostile = {
      'set-cookie': 'lictor=stolen; Path=/',
      'clear-site-data': '"*"',
      'service-worker-allowed': '/',
      refresh: '0;url=https://evil.example/',
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      'content-security-policy': "default-src *; script-src 'unsafe-inline' *",
      'content-security-policy-report-only': 'report-uri https://evil.example',
      'www-authenticate': 'Basic realm="Prefect"',
      'alt-svc': 'h3="evil.example:443"',
      'strict-transport-security': 'max-age=1; includeSubDomains',
      'speculation-rules': '"https://evil.example/r.json"',
      'secure-session-registration': '(ES256);path="/.lictor/svc/billing/v1/register";challenge="x"',
      'secure-session-challenge': '"x";id="y"',
      'sec-session-registration': '(ES256);path="/.lictor/svc/billing/v1/register";challenge="x"',
      'sec-session-challenge': '"x";id="y"',
      'set-login': 'logged-in',
      'use-as-dictionary': 'match="/*"',
      'accept-ch': 'Sec-CH-UA-Model',
      'x-lictor-assertion': 'x',
      'x-lictor-facts': 'x',
      ...Object.fromEntries([...Object.values(INPUT), ...Object.values(OUTPUT), EDGE_SECRET, 'x-lictor-token', 'x-lictor-audience'].map((name) => [name, 'x'])),
      'content-type': 'text/html',
    };
    answers(hostile);
    const response = await call('/billing/v1/x');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-type')).toBe('text/html');
    const kept = Object.keys(hostile).filter((name) => response.headers.get(name) !== null);
    expect(kept).toEqual(['content-security-policy', 'content-type']);
  });

  it.each([
    ['/v1/y?a=b#c', '/.lictor/svc/billing/v1/y?a=b#c'],
    ['y/z', 'y/z'],
    ['?page=2', '?page=2'],
    ['SELF/v1/y', '/.lictor/svc/billing/v1/y'],
    ['https://evil.example/', null],
    ['//evil.example/', null],
    ['/\\evil.example/', null],
    ['\\\\evil.example', null],
    ['javascript:alert(1)', null],
    ['../../../api/flows', null],
    ['/v1/../../../../api/flows', null],
    ['/v1/%2e%2E/%2e./x', null],
    ['..', null],
    ['VAULT/v1/y', null],
  ])('EG-01: Location %s becomes %s', async (given, wanted) => {
    answers({ location: given.replace('SELF', billing.url).replace('VAULT', vault.url) }, 302);
    const response = await call('/billing/v1/x');
    expect([response.status, response.headers.get('location')]).toEqual([302, wanted]);
  });

  it.each([
    ['</v1/y?page=2>; rel="next"', '</.lictor/svc/billing/v1/y?page=2>; rel="next"'],
    ['<SELF/v1/y>; rel="next", <SELF/v1/z>; rel="last"', '</.lictor/svc/billing/v1/y>; rel="next", </.lictor/svc/billing/v1/z>; rel="last"'],
    ['<https://evil.example/x.css>; rel=stylesheet', null],
    ['</v1/x.js>; rel=preload; as=script', null],
    ['</v1/y>; rel="next", <https://evil.example/>; rel="next"', null],
  ])('EG-01: Link %s becomes %s', async (given, wanted) => {
    answers({ link: given.replaceAll('SELF', billing.url) });
    expect((await call('/billing/v1/x')).headers.get('link')).toBe(wanted);
  });

  it('its 401 differs from the gateway’s, which alone names its realm', async () => {
    answers({ 'www-authenticate': 'Bearer realm="lictor"' }, 401);
    const response = await call('/billing/v1/x');
    expect([response.status, response.headers.get('www-authenticate'), await response.text()]).toEqual([401, null, '<script>1</script>']);
    const refused = await call('/billing/v1/x', { token: 'nobody' });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="lictor"']);
  });

  it('its own errors pass; when it is away the gateway says so, without any promise', async () => {
    answers({}, 502);
    expect([(await call('/billing/v1/x')).status]).toEqual([502]);
    await billing.pause();
    const response = await call('/billing/v1/x');
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(response.headers.get('prefect-maintenance')).toBeNull();
    await expectRefusal(response, 503, 'service-unavailable');
    await billing.resume();
    billing.answerWith(undefined);
    await expect.poll(async () => (await call('/billing/v1/x')).status, { timeout: 60_000, interval: 250 }).toBe(200);
  });
});

describe('a reload', () => {
  it('brings a service and takes one away; what was allowed there is asked again', async () => {
    const boss = await gateway.token('reloader', ['admin']);
    const status = async (path: string) => (await call(path, { token: boss.secret })).status;
    expect([await status('/vault/v1/x'), await status('/safe/v1/x')]).toEqual([200, 404]);
    const [before, { supervisor, workers }] = [readFileSync(gateway.configFile, 'utf8'), gateway.pids()];
    writeFileSync(gateway.configFile, before.replace('name: vault', 'name: safe'));
    signalProcess(supervisor, 'SIGHUP');
    await waitFor(async () => (await status('/safe/v1/x')) === 200, { what: 'the new service', timeoutMs: 60_000, everyMs: 250 });
    await workersAfter(workers, gateway.pids);
    expect([await status('/vault/v1/x'), await status('/billing/v1/x')]).toEqual([404, 200]);
    expect(vault.seen().at(-1)?.target).toBe('/api/v1/x');
  });
});
