// research rows XA, AD: answers that steer nginx, and doors that should not be there.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runLictor } from '../../env/gateway.ts';
import { openSocket } from '../../env/socket.ts';
import { expectNothingUpstream } from './harness.ts';
import { harness } from './one-gateway.ts';

describe('XA-01: what an upstream answers does not steer nginx', () => {
  afterEach(() => harness.recorder.answerWith(undefined));

  it.each(['/api/variables/filter', '/.lictor-decision', '/internal/secret', '@direct', '@go', '/ui-settings', '/.lictor/health'])(
    'XA-01: X-Accel-Redirect: %s is an ordinary answer',
    async (target) => {
      harness.recorder.answerWith(() => ({
        status: 200,
        headers: { 'x-accel-redirect': target, 'x-accel-expires': '60', 'x-accel-buffering': 'no', 'x-accel-charset': 'utf-7' },
        body: '"mine"',
      }));
      for (const path of ['/api/work_pools/p', '/api/variables/name/v']) {
        const response = await harness.gateway.fetch(path, { token: harness.viewer });
        expect(response.status).toBe(200);
        expect(await response.text()).toBe('"mine"');
        expect([...response.headers.keys()].filter((name) => name.startsWith('x-accel-redirect'))).toEqual([]);
      }
      expect(harness.recorder.seen().map(({ target: seen }) => seen)).toEqual(['/api/work_pools/p', '/api/variables/name/v']);
    },
  );

  it('XA-01: X-Accel-Expires makes no answer stay', async () => {
    harness.recorder.answerWith(() => ({ status: 200, headers: { 'x-accel-expires': '600', 'cache-control': 'public, max-age=600' }, body: '1' }));
    await harness.gateway.fetch('/api/work_pools/cached', { token: harness.viewer });
    expect((await harness.gateway.fetch('/api/work_pools/cached', { token: 'wrong' })).status).toBe(401);
    await harness.gateway.fetch('/api/work_pools/cached', { token: harness.viewer });
    expect(harness.recorder.seen()).toHaveLength(2);
  });

  it('XA-01: an upstream that answers with our own decision headers changes nothing', async () => {
    harness.recorder.answerWith(() => ({
      status: 200,
      headers: {
        'x-lictor-path': 'mediated',
        'x-lictor-code': 'policy-forbids',
        x_lictor_code: 'policy-forbids',
        lictorcode: 'policy-forbids',
        'x-lictor-facts': 'e30',
      },
      body: '1',
    }));
    // Straight, and by a server of the gateway's own: what is long is read by that.
    const long = { method: 'POST', body: JSON.stringify({ sort: 'x'.repeat(100_000) }), headers: { 'content-type': 'application/json' } };
    for (const [path, init] of [['/api/work_pools/p'], ['/api/flows/filter', long]] as const) {
      const response = await harness.gateway.fetch(path, { ...init, token: harness.viewer });
      expect([response.status, ...[...response.headers.keys()].filter((name) => /^(?:x-lictor-|lictor)/.test(name))]).toEqual([200]);
      const record = await harness.gateway.lictorOk('audit', '--request', response.headers.get('x-request-id') ?? '', '--json');
      expect(JSON.parse(record)).toMatchObject({ decision: 'allow', reason: 'policy-permits', path_taken: 'direct' });
    }
  });

  it("an upstream's Access-Control-* does not pass", async () => {
    harness.recorder.answerWith(() => ({
      status: 200,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' },
      body: '1',
    }));
    for (const [path, init] of [
      ['/api/work_pools/p', {}],
      ['/api/variables/', { method: 'POST', body: '{"name":"a","value":1}', headers: { 'content-type': 'application/json' } }],
    ] as const) {
      const response = await harness.gateway.fetch(path, { ...init, token: harness.admin });
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  it("Prefect's own 500 passes unchanged", async () => {
    harness.recorder.answerWith(() => ({ status: 500, body: '{"exception_message":"Internal Server Error"}' }));
    const response = await harness.gateway.fetch('/api/work_pools/p', { token: harness.viewer });
    expect([response.status, await response.text()]).toEqual([500, '{"exception_message":"Internal Server Error"}']);
    expect(response.headers.get('prefect-maintenance')).toBeNull();
  });
});

describe('AD-01: admin surface', () => {
  const OUTSIDE = [
    '/metrics',
    '/debug',
    '/debug/pprof',
    '/scim/v2/Users',
    '/nginx_status',
    '/server-status',
    '/.env',
    '/.git/config',
    '/admin',
    '/decide',
    '/sync',
  ];
  const BELOW = [
    '/api/metrics',
    '/api/pid',
    '/api/debug',
    '/.lictor-decision',
    '/.lictor/decide',
    '/.lictor/sync',
    '/.lictor/metrics',
    '/.lictor/scim/v2/Users',
    '/.lictor/api/v1/tokens',
    '/.lictor/nope',
  ];

  it.each([...OUTSIDE, ...BELOW])('AD-01: %s is 401 or 404 without a credential', async (path) => {
    expect([401, 404]).toContain((await harness.gateway.fetch(path)).status);
    expectNothingUpstream(harness);
  });

  it.each(BELOW)('AD-01: %s is refused to a viewer too', async (path) => {
    expect([401, 403, 404]).toContain((await harness.gateway.fetch(path, { token: harness.viewer })).status);
    expectNothingUpstream(harness);
  });

  it('AD-01: health and ready say nothing but their state', async () => {
    for (const path of ['/.lictor/health', '/.lictor/ready']) {
      const response = await harness.gateway.fetch(path);
      expect(response.status).toBe(200);
      expect(await response.text()).not.toMatch(/127\.0\.0\.1|\/tmp|gateway:|nginx\/|v24/);
    }
  });

  it('AD-01: no answer names a version of nginx or Node', async () => {
    for (const path of ['/api/admin/settings', '/.lictor/login', '/.lictor/nope', '/api//x']) {
      const { headers } = await harness.gateway.fetch(path);
      expect(`${headers.get('server')} ${headers.get('x-powered-by')}`).not.toMatch(/\d/);
    }
  });

  it('AD-01: own paths are no sockets', async () => {
    for (const path of ['/.lictor/login', '/.lictor/ready', '/.lictor-decision', '/api/work_pools/p']) {
      const end = await openSocket(harness.gateway.url, path, { headers: { authorization: `Bearer ${harness.admin}` } }).ended;
      expect(end.status, path).not.toBeNull();
    }
    expect(harness.recorder.seen().filter(({ socket }) => socket)).toEqual([]);
  });
});

describe('AD-03: secrets that others know', () => {
  const check = (prefect: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'lictor-test-config-'));
    const file = join(directory, 'lictor.yaml');
    writeFileSync(join(directory, 'empty'), '\n', { mode: 0o600 });
    writeFileSync(join(directory, 'example'), 'admin:pass\n', { mode: 0o600 });
    writeFileSync(file, `public_url: http://localhost:18200\nprefect: ${prefect}\n`);
    return runLictor(['check'], { configFile: file, stateDir: join(directory, 'state') });
  };

  it.each([
    ["the example's", '{ url: http://127.0.0.1:4200, auth_string_file: example }'],
    ['an empty one', '{ url: http://127.0.0.1:4200, auth_string_file: empty }'],
    ['none where one is named', '{ url: http://127.0.0.1:4200, auth_string_file: missing }'],
  ])('AD-03: %s is refused with path and remedy', async (_what, prefect) => {
    const { code, output } = await check(prefect);
    expect(code).toBe(1);
    expect(output).toContain('auth_string_file');
    expect(output).not.toContain('admin:pass');
  });
});
