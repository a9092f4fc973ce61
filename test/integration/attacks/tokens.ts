// research rows TK, CA: tokens on the wire, and verdicts that are remembered.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../env/browser-session.ts';
import { lastJson } from '../../env/gateway.ts';
import { request } from '../../env/raw-request.ts';
import { expectNothingUpstream, expectRefusal, expectStatus } from './harness.ts';
import { harness } from './one-gateway.ts';

const PATH = '/api/work_pools/p';

const basic = (pair: string | Buffer) => `Basic ${Buffer.from(pair).toString('base64')}`;
const withAuthorization = (authorization: string) => harness.gateway.fetch(PATH, { headers: { authorization } });

describe('TK-01: the life of a token', () => {
  it('TK-01: the old secret works inside the overlap and not after it', async () => {
    const { secret: old } = await harness.gateway.token('rotating', ['viewer']);
    const rotated = String(lastJson(await harness.gateway.lictorOk('token', 'rotate', 'rotating', '--overlap', '1h', '--json'))['secret']);
    expect((await harness.gateway.fetch(PATH, { token: old })).status).toBe(200);
    expect((await harness.gateway.fetch(PATH, { token: rotated })).status).toBe(200);
    await harness.gateway.lictorOk('token', 'rotate', 'rotating', '--overlap', '0s');
    expect((await harness.gateway.fetch(PATH, { token: rotated })).status).toBe(401);
    expect((await harness.gateway.fetch(PATH, { token: old })).status).toBe(401);
  });

  it('TK-01, CA-02: the next request after revoke is refused although its decision was cached', async () => {
    const { secret } = await harness.gateway.token('cached', ['viewer']);
    const pids = harness.gateway.pids();
    for (let again = 0; again < 5; again += 1) expect((await harness.gateway.fetch(PATH, { token: secret })).status).toBe(200);
    await harness.gateway.lictorOk('token', 'revoke', 'cached');
    harness.recorder.clear();
    await expectRefusal(await harness.gateway.fetch(PATH, { token: secret }), 401, 'credential-revoked');
    expectNothingUpstream(harness);
    expect(harness.gateway.pids()).toEqual(pids);
  });

  it('TK-01, CA-02: and it stays refused, for every path that was allowed', async () => {
    const { secret } = await harness.gateway.token('cached-2', ['viewer']);
    const paths = Array.from({ length: 20 }, (_, index) => `/api/work_pools/pool-${index}`);
    for (const path of paths) expect((await harness.gateway.fetch(path, { token: secret })).status).toBe(200);
    await harness.gateway.lictorOk('token', 'revoke', 'cached-2');
    harness.recorder.clear();
    for (const path of paths) expect((await harness.gateway.fetch(path, { token: secret })).status, path).toBe(401);
    expectNothingUpstream(harness);
  });

  it('TK-01: an expired token is 401', async () => {
    const { secret } = await harness.gateway.token('short', ['viewer'], '--expires', '1ms');
    await expectRefusal(await harness.gateway.fetch(PATH, { token: secret }), 401, 'credential-expired');
    expectNothingUpstream(harness);
  });

  it('TK-01: a token in the query is no credential', async () => {
    for (const name of ['token', 'access_token', 'api_key', 'authorization']) {
      await expectRefusal(await harness.gateway.fetch(`${PATH}?${name}=${harness.admin}`), 401, 'credential-missing');
    }
    expectNothingUpstream(harness);
  });

  it('TK-01: no secret stands in any log or database of the gateway', async () => {
    await harness.gateway.fetch(`${PATH}?token=${harness.admin}`, { token: harness.admin, headers: { referer: `http://x/?t=${harness.admin}` } });
    await withAuthorization(basic(`any:${harness.operator}`));
    const secrets = [harness.admin, harness.operator, harness.recorder.authString];
    const leaks = filesBelow(harness.gateway.stateDir)
      // The credential that goes upstream is configuration; the decision cache is on tmpfs and holds keys for seconds.
      .filter((file) => !/upstream-credential\.conf$|prefect-auth$|\/run\/decisions\//.test(file))
      .filter((file) => secrets.some((secret) => readFileSync(file).includes(secret)));
    expect(leaks).toEqual([]);
  });
});

describe('TK-02: the Basic carrier', () => {
  it.each([
    ['any user', (token: string) => `any:${token}`],
    ['an empty user', (token: string) => `:${token}`],
  ])('TK-02 twin: %s and the token as password is accepted', async (_what, pair) => {
    expect((await withAuthorization(basic(pair(harness.viewer)))).status).toBe(200);
  });

  it.each<readonly [string, (token: string) => string]>([
    ['a colon after the token', (token) => basic(`any:${token}:x`)],
    ['the token as user', (token) => basic(`${token}:`)],
    ['no colon', (token) => basic(token)],
    ['non-UTF-8', (token) => basic(Buffer.concat([Buffer.from([0xff, 0x3a]), Buffer.from(token)]))],
    ['junk in the base64', (token) => basic(`any:${token}`).replace(/^(.{12})/, '$1*')],
    ['a line of spaces in the base64', (token) => basic(`any:${token}`).replace(/^(.{12})/, '$1 ')],
    ['base64url', (token) => `Basic ${Buffer.from(`?>?:${token}`).toString('base64url')}`],
    ['an unknown scheme', (token) => `Token ${token}`],
    ['Bearer with a list', (token) => `Bearer ${token}, Bearer ${token}`],
    ['Bearer with a quote', (token) => `Bearer "${token}"`],
    ['a cut token', (token) => `Bearer ${token.slice(0, -1)}`],
    ['another case', (token) => `Bearer ${token.toUpperCase()}`],
  ])('TK-02: %s is refused', async (_what, value) => {
    const response = await withAuthorization(value(harness.viewer));
    expect([400, 401]).toContain(response.status);
    expectNothingUpstream(harness);
  });

  it('TK-02: two Authorization headers are 400', async () => {
    const lines = [
      `GET ${PATH} HTTP/1.1`,
      `Host: localhost:${harness.gateway.port}`,
      `Authorization: Bearer ${harness.viewer}`,
      `Authorization: Bearer ${harness.admin}`,
    ];
    expectStatus(await request(harness.gateway.port, lines), 400, 'two Authorization');
    expectNothingUpstream(harness);
  });

  it('TK-02: two X-Lictor-Token are 400 or the first counts, for key and decision alike', async () => {
    const head = [`DELETE /api/work_pools/p HTTP/1.1`, `Host: localhost:${harness.gateway.port}`];
    const answer = await request(harness.gateway.port, [...head, `X-Lictor-Token: ${harness.viewer}`, `X-Lictor-Token: ${harness.admin}`]);
    expect([400, 403], answer.text).toContain(answer.statuses[0]);
    expectNothingUpstream(harness);
  });

  it('TK-02: different carriers: Authorization wins over X-Lictor-Token', async () => {
    const headers = { authorization: `Bearer ${harness.viewer}`, 'x-lictor-token': harness.admin };
    await expectRefusal(await harness.gateway.fetch('/api/work_pools/p', { method: 'DELETE', headers }), 403, 'policy-default-deny');
    expectNothingUpstream(harness);
    const reversed = { authorization: `Bearer ${harness.admin}`, 'x-lictor-token': harness.viewer };
    expect((await harness.gateway.fetch('/api/work_pools/p', { method: 'DELETE', headers: reversed })).status).toBe(200);
  });
});

describe('CA-04: key and decision read the same bytes of a cookie', () => {
  let session: Session;
  beforeAll(async () => {
    session = await harness.gateway.login(await harness.gateway.account('ca04', 'viewer'));
  });
  const ask = (cookie: string | undefined) => harness.gateway.fetch(PATH, cookie === undefined ? {} : { headers: { cookie } });

  it('CA-04: a doubled or wrong-case session cookie is 400, and plants nothing', async () => {
    const [name = '', value = ''] = session.cookie.split('=');
    const upper = name.toUpperCase();
    expect((await ask(`${upper}=junk; ${name}=${value}`)).status).toBe(400);
    expect((await ask(`${name}=junk; ${name}=${value}`)).status).toBe(400);
    expect((await ask(`${name}=; ${name}=${value}`)).status).toBe(400);
    expect((await ask(`${name}=${value}; ${upper}=junk`)).status).toBe(400);
    expectNothingUpstream(harness);
    expect((await ask(`${upper}=junk`)).status).toBe(401);
    expect((await ask(`${name}=junk`)).status).toBe(401);
    expect((await ask(`${name}=`)).status).toBe(401);
    expect((await ask(undefined)).status).toBe(401);
    expectNothingUpstream(harness);
  });

  it('CA-04 twin: the session cookie among others is accepted', async () => {
    expect((await ask(`a=b; ${session.cookie}; c=d`)).status).toBe(200);
  });

  it('CA-04: two Cookie lines are read as one', async () => {
    const [name = '', value = ''] = session.cookie.split('=');
    const head = [`GET ${PATH} HTTP/1.1`, `Host: localhost:${harness.gateway.port}`];
    const answer = await request(harness.gateway.port, [...head, `Cookie: ${name}=junk`, `Cookie: ${name}=${value}`]);
    expect([400, 401], answer.text).toContain(answer.statuses[0]);
    expectNothingUpstream(harness);
  });
});

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}
