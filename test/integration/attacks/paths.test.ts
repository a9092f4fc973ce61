// research rows PN: a path that is decided in one form and forwarded in another. All with an admin's token: no role helps.
import { describe, expect, it } from 'vitest';
import { rawRequest, request } from '../../env/raw-request.ts';
import { bearerLine, expectNothingUpstream, expectRefusal, expectStatus, useHarness } from './harness.ts';

const harness = useHarness();

const NOT_CANONICAL: readonly (readonly [row: string, target: string])[] = [
  ['PN-01', '/api/health/../variables/filter'],
  ['PN-01', '/public/../admin/secrets'],
  ['PN-01', '/api/./admin/version'],
  ['PN-01', '/api/admin/version/..'],
  ['PN-01', '/api/%2e%2e/admin/version'],
  ['PN-01', '/api/.%2E/admin/version'],
  ['PN-02', '//api/admin/version'],
  ['PN-02', '/api//admin/version'],
  ['PN-03', '/api%2Fadmin%5Cdatabase'],
  ['PN-03', '/api/admin\\version'],
  ['PN-03', '/api/flows%2Ffilter'],
  ['PN-04', '/api/%252e%252e/admin'],
  ['PN-04', '/api/%25/admin'],
  ['PN-05', '/api/public/..;/admin/'],
  ['PN-05', '/api/admin;x=1/version'],
  ['PN-12', '/api/%C0%AF/version'],
  ['PN-12', '/api/%00/version'],
  ['PN-12', '/api/%zz/version'],
  ['PN-12', '/api/admin/version%'],
  ['PN-12', '/api/admin/version%4'],
  ['PN-12', '/api/%FF%FE/version'],
  ['PN-12', '/api/%61dmin/version'],
  ['PN-12', '/api/work_pools/%c3%a4'],
  ['PN-12', '/api/work_pools/%ED%A0%80'],
  ['PN-12', '/api/admin/version#/../secret'],
];

describe('a target that is not canonical', () => {
  it.each(NOT_CANONICAL)('%s: %s is 400 and goes nowhere', async (_row, target) => {
    const answer = await request(harness.gateway.port, [`GET ${target} HTTP/1.1`, `Host: localhost:${harness.gateway.port}`, bearerLine(harness.admin)]);
    expectStatus(answer, 400, target);
    expectNothingUpstream(harness);
  });

  it('PN-01: the refusal is JSON with code path-not-canonical', async () => {
    const answer = await request(harness.gateway.port, ['GET /api//x HTTP/1.1', `Host: localhost:${harness.gateway.port}`]);
    expect(answer.text).toContain('"code":"path-not-canonical"');
    expect(answer.text).toMatch(/content-type: application\/json/i);
  });

  it('twin: reserved characters, raw or encoded, and valid UTF-8 pass', async () => {
    for (const path of [
      '/api/work_pools/a%20b',
      '/api/work_pools/a(b)',
      '/api/work_pools/%C3%A4',
      "/api/work_pools/it's",
      '/api/work_pools/a%40b',
      '/api/work_pools/a@b',
    ]) {
      const response = await harness.gateway.fetch(path, { token: harness.admin });
      expect(response.status, path).toBe(200);
    }
    expect(harness.recorder.seen()).toHaveLength(6);
  });

  it('the bytes decided on are the bytes forwarded', async () => {
    await request(harness.gateway.port, [
      "GET /api/work_pools/a%20b@c?x=%2F..;%00'&y=// HTTP/1.1",
      `Host: localhost:${harness.gateway.port}`,
      bearerLine(harness.admin),
    ]);
    expect(harness.recorder.seen().map(({ target }) => target)).toEqual(["/api/work_pools/a%20b@c?x=%2F..;%00'&y=//"]);
  });
});

describe('no path is exempt', () => {
  it.each([
    ['PN-06', 'GET', '/api/variables/name/system-health'],
    ['PN-06', 'GET', '/api/variables/name/ready'],
    ['PN-06', 'DELETE', '/api/variables/name/ready'],
    ['PN-06', 'DELETE', '/api/flows/ready'],
    ['PN-06', 'GET', '/api/health'],
    ['PN-06', 'GET', '/api/ready'],
    ['PN-07', 'GET', '/api/admin/settings?x=/api/health'],
    ['PN-07', 'GET', '/api/admin/settings?/.lictor/login'],
    ['PN-07', 'GET', '/ui-settings'],
    ['PN-07', 'GET', '/docs'],
    ['PN-07', 'GET', '/openapi.json'],
  ])('%s: %s %s without a credential is 401', async (_row, method, path) => {
    await expectRefusal(await harness.gateway.fetch(path, { method }), 401, 'credential-missing');
    expectNothingUpstream(harness);
  });
});

describe('PN-09: the host name', () => {
  const ask = (host: string, token: string) => request(harness.gateway.port, ['GET /api/admin/settings HTTP/1.1', `Host: ${host}`, bearerLine(token)]);

  it.each(['LOCALHOST', 'localhost', 'LocalHost'])('PN-09: %s gives the verdict of its lower-case form', async (name) => {
    expectStatus(await ask(`${name}:${harness.gateway.port}`, harness.admin), 200, name);
    expectStatus(await ask(`${name}:${harness.gateway.port}`, 'wrong'), 401, name);
  });

  it('PN-09: a trailing dot is the same host or none of ours, never a way round', async () => {
    const answer = await ask(`localhost.:${harness.gateway.port}`, 'wrong');
    expect([400, 401]).toContain(answer.statuses[0]);
    expectNothingUpstream(harness);
  });

  it.each(['evil.example', 'ephemeral-prefect', 'localhost.evil.example', '[::2]'])('PN-09: the foreign host %s is 400', async (name) => {
    expectStatus(await ask(name, harness.admin), 400, name);
    expectNothingUpstream(harness);
  });

  it('PN-09: an absolute target counts, not the Host beside it', async () => {
    const answer = await request(harness.gateway.port, [
      'GET http://evil.example/api/admin/settings HTTP/1.1',
      `Host: localhost:${harness.gateway.port}`,
      bearerLine(harness.admin),
    ]);
    expectStatus(answer, 400, 'absolute form');
    expectNothingUpstream(harness);
  });
});

describe('PN-11: old and broken requests', () => {
  it('PN-11: HTTP/0.9 is closed or 400', async () => {
    const answer = await rawRequest(harness.gateway.port, 'GET /api/admin/version\r\n');
    expect(answer.closed).toBe(true);
    expect(answer.text.startsWith('HTTP/1.1 400') || answer.text === '' || answer.text.includes('"code"') || answer.text.includes('400 Bad Request')).toBe(
      true,
    );
    expectNothingUpstream(harness);
  });

  it.each([
    ['no Host', ['GET /api/admin/settings HTTP/1.1']],
    ['two Hosts', ['GET /api/admin/settings HTTP/1.1', 'Host: localhost', 'Host: evil.example']],
    ['a lower-case method', ['get /api/admin/settings HTTP/1.1', 'Host: localhost']],
  ])('PN-11: %s is 400', async (what, lines) => {
    expectStatus(await request(harness.gateway.port, [...lines, bearerLine(harness.admin)]), 400, what);
    expectNothingUpstream(harness);
  });
});
