// research rows HD: what a client writes into headers is neither believed nor passed on.
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { request } from '../../env/raw-request.ts';
import { bearerLine, expectNothingUpstream, expectRefusal, expectStatus, useHarness } from './harness.ts';

const harness = useHarness();

describe('no header opens a way round', () => {
  it.each([
    ['HD-01', { 'x-forwarded-uri': '/api/health' }],
    ['HD-01', { 'x-original-uri': '/api/health' }],
    ['HD-01', { 'x-original-url': '/.lictor/login' }],
    ['HD-01', { 'x-rewrite-url': '/.lictor/health' }],
    ['HD-01', { 'x-forwarded-method': 'OPTIONS', 'x-forwarded-host': 'localhost' }],
    ['HD-02', { 'user-agent': 'GoogleHC/1.0' }],
    ['HD-02', { 'user-agent': 'kube-probe/1.30' }],
    ['HD-03', { 'x-forwarded-user': 'alice', 'remote-user': 'alice', 'x-auth-request-user': 'alice' }],
    ['HD-03', { 'x-lictor-in-authorization': 'Bearer x', 'x-lictor-path': 'direct' }],
  ])('%s: a protected path with %j is 401', async (_row, headers) => {
    await expectRefusal(await harness.gateway.fetch('/api/admin/settings', { headers }), 401, 'credential-missing');
    expectNothingUpstream(harness);
  });
});

const FORGED = [
  'X-Forwarded-User: root',
  'X-Forwarded-Email: root@example.com',
  'X-Forwarded-Groups: admin',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Prefix: /evil',
  'X-Real-IP: 127.0.0.1',
  'Forwarded: for=127.0.0.1;host=evil.example',
  'X-Auth-Request-User: root',
  'Remote-User: root',
  'X-Lictor-Principal: root',
  'X-Lictor-Assertion: forged',
  'X-Lictor-In-Operation: read_settings_admin_settings_get',
  'X-Lictor-In-Session: forged',
  'Prefect-Automation-Id: forged',
  'X-Upstream-Authorization: Basic Zm9yZ2Vk',
  'Proxy-Authorization: Basic Zm9yZ2Vk',
  'X-HTTP-Method-Override: DELETE',
  'X-Request-Id: forged',
  'Cookie: other=forged',
];
const FORGED_VALUE = /root|forged|Zm9yZ2Vk|evil|127\.0\.0\.1|DELETE/;
/** What the gateway itself may say upstream about where a request came from. */
const OWN = new Set(['host', 'connection', 'x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host']);

function forgedHeadersUpstream(): string[] {
  return harness.recorder
    .seen()
    .flatMap(({ headers }) => Object.entries(headers))
    .filter(([name, value]) => FORGED_VALUE.test(value) && !OWN.has(name))
    .map(([name, value]) => `${name}: ${value}`);
}

describe("HD-03: a client's identity headers never reach the upstream", () => {
  const host = () => `Host: localhost:${harness.gateway.port}`;

  it('HD-03, HD-08: direct path', async () => {
    expectStatus(await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), bearerLine(harness.admin), ...FORGED]), 200, 'direct');
    expect(harness.recorder.seen()).toHaveLength(1);
    expect(forgedHeadersUpstream()).toEqual([]);
  });

  it('HD-03, HD-08: mediated path', async () => {
    const body = '{"name":"v","value":1}';
    const lines = ['POST /api/variables/ HTTP/1.1', host(), bearerLine(harness.admin), 'Content-Type: application/json', `Content-Length: ${body.length}`];
    const answer = await request(harness.gateway.port, [...lines, ...FORGED], body);
    expect(answer.statuses[0], answer.text).toBe(200);
    expect(harness.recorder.seen()).toHaveLength(1);
    expect(forgedHeadersUpstream()).toEqual([]);
  });

  it('HD-03: socket', async () => {
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: prefect',
    ];
    const { rawRequest } = await import('../../env/raw-request.ts');
    await rawRequest(
      harness.gateway.port,
      ['GET /api/events/in HTTP/1.1', host(), bearerLine(harness.admin), ...upgrade, ...FORGED, '', ''].join('\r\n'),
      1_500,
    );
    expect(forgedHeadersUpstream()).toEqual([]);
  });

  it('HD-03: refusals and OPTIONS reach nobody', async () => {
    await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), ...FORGED]);
    await request(harness.gateway.port, ['OPTIONS /api/work_pools/p HTTP/1.1', host(), bearerLine(harness.admin), ...FORGED]);
    expectNothingUpstream(harness);
  });

  it('HD-08: the upstream credential is ours alone', async () => {
    await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), bearerLine(harness.admin), ...FORGED]);
    const own = `Basic ${Buffer.from(harness.recorder.authString).toString('base64')}`;
    expect(harness.recorder.seen().map(({ headers }) => headers['authorization'])).toEqual([own]);
    expect(JSON.stringify(harness.recorder.seen())).not.toContain(harness.admin);
  });

  it('HD-03: Connection cannot nominate away a header that the gateway sets', async () => {
    await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), bearerLine(harness.admin), 'Connection: close, Authorization, Host']);
    expect(harness.recorder.seen()[0]?.headers['authorization']).toMatch(/^Basic /);
  });

  it('HD-05: underscores are dropped or 400', async () => {
    for (const line of ['X_Lictor_Token: TOKEN', 'X-Lictor_Token: TOKEN', 'X_Forwarded_User: root']) {
      const answer = await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), line.replace('TOKEN', harness.admin)]);
      expect([400, 401], answer.text).toContain(answer.statuses[0]);
    }
    expectNothingUpstream(harness);
  });

  it('HD-09: a method override is not passed on', async () => {
    await request(harness.gateway.port, [
      'GET /api/work_pools/p?_method=DELETE HTTP/1.1',
      host(),
      bearerLine(harness.admin),
      'X-HTTP-Method-Override: DELETE',
      'X-Method-Override: DELETE',
    ]);
    const [seen] = harness.recorder.seen();
    expect(seen?.method).toBe('GET');
    expect(Object.keys(seen?.headers ?? {}).filter((name) => name.includes('override'))).toEqual([]);
  });

  it('HD-09: a viewer cannot write by overriding', async () => {
    await request(harness.gateway.port, ['GET /api/work_pools/p HTTP/1.1', host(), bearerLine(harness.viewer), 'X-HTTP-Method-Override: DELETE']);
    expect(harness.recorder.seen().map(({ method }) => method)).toEqual(['GET']);
  });
});

it('HD-07: the address in the ledger is the socket peer, whatever X-Forwarded-For says', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', forwarded: 'for=203.0.113.9', 'user-agent': 'hd-07' };
  await harness.gateway.fetch('/api/work_pools/hd07', { token: harness.admin, headers });
  const record = await waitFor(
    async () => jsonLines(await harness.gateway.lictorOk('audit', '--json')).find((line) => line['path'] === '/api/work_pools/hd07'),
    { what: 'the record of the request' },
  );
  expect(record).toMatchObject({ source_ip: '127.0.0.1', user_agent: 'hd-07', principal: 'token:t-admin' });
});

it('HD-07: a token bound to a network is not fooled by X-Forwarded-For', async () => {
  const { secret } = await harness.gateway.token('elsewhere', ['viewer'], '--cidr', '203.0.113.0/24');
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' };
  await expectRefusal(await harness.gateway.fetch('/api/work_pools/p', { token: secret, headers }), 401, 'credential-address');
  expectNothingUpstream(harness);
});
