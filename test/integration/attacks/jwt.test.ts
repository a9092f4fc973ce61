// research rows JW-01 to JW-07, AW-02: hostile JWTs at the door, with an issuer that counts who asks it.
import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AWS, GITHUB, KUBERNETES } from '../../../src/identity/authn/jwt/shapes.fixture.ts';
import { startIssuer } from '../../env/issuer.ts';
import { waitFor } from '../../env/process.ts';
import { authFrame, openSocket } from '../../env/socket.ts';
import { expectNothingUpstream, expectRefusal, useHarness } from './harness.ts';

const PATH = '/api/work_pools/p';
const issuer = await startIssuer();
const provider = (id: string, audience: string, require: Readonly<Record<string, string>>) => ({ id, type: 'jwt', issuer: issuer.issuer, audience, require });
const harness = useHarness({
  config: {
    identity_providers: [
      provider('ci', 'lictor', { repository: 'acme/etl', ref: 'refs/heads/main' }),
      provider('k8s', 'lictor-k8s', { 'kubernetes.io.namespace': 'flows' }),
      provider('aws', 'lictor-aws', { 'https://sts.amazonaws.com/.aws_account': '123456789012' }),
    ],
    roles: [
      { role: 'viewer', members: ['claim:repository=acme/*@ci', '*@aws'] },
      { role: 'admin', members: ['user:system:serviceaccount:flows:etl@k8s'] },
    ],
  },
});
// The keys are here, so that whatever is asked later is asked for the token's sake.
beforeAll(async () => {
  for (const [aud, claims] of [
    ['lictor', GITHUB],
    ['lictor-k8s', KUBERNETES],
    ['lictor-aws', AWS],
  ] as const) {
    expect((await bearer(await issuer.token({ ...claims, aud }))).status).toBe(200);
  }
});
beforeEach(() => issuer.clear());
afterAll(() => issuer.close());

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const bearer = (token: string) => harness.gateway.fetch(PATH, { token });
const withHeader = async (header: object): Promise<string> => {
  const [, payload, signature] = (await issuer.token(GITHUB)).split('.');
  return `${encode(header)}.${payload}.${signature}`;
};

describe('twin: the right token', () => {
  it('is accepted as Bearer, as Basic password and as X-Lictor-Token, with its roles', async () => {
    const token = await issuer.token(GITHUB);
    expect((await bearer(token)).status).toBe(200);
    for (const headers of [{ authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}` }, { 'x-lictor-token': token }]) {
      expect((await harness.gateway.fetch(PATH, { headers })).status).toBe(200);
    }
    await expectRefusal(await harness.gateway.fetch(PATH, { method: 'DELETE', token }), 403, 'policy-default-deny');
    const me: unknown = await (await harness.gateway.fetch('/.lictor/api/v1/me', { token })).json();
    expect(me).toMatchObject({ principal: `${GITHUB.sub}@ci`, idp: 'ci', roles: ['viewer'], credential_id: `jwt:${GITHUB.jti}` });
  });

  it('of a service account and of AWS too, each with its own provider', async () => {
    const account = await issuer.token({ ...KUBERNETES, aud: ['lictor-k8s'] });
    expect((await harness.gateway.fetch(PATH, { method: 'DELETE', token: account })).status).toBe(200);
    expect((await bearer(await issuer.token({ ...AWS, aud: 'lictor-aws' }))).status).toBe(200);
  });

  it('is in the ledger by name and jti, and never itself', async () => {
    const token = await issuer.token({ ...GITHUB, jti: 'ledger-me' });
    const answer = await bearer(token);
    const output = await harness.gateway.lictorOk('audit', '--principal', `${GITHUB.sub}@ci`, '--json');
    expect(answer.status).toBe(200);
    expect(output).toContain('jwt:ledger-me');
    expect(output).not.toContain(token.split('.')[2]);
  });
});

describe('refused with 401, nothing upstream, and without asking the issuer', () => {
  const refused = async (token: string, code: string): Promise<void> => {
    await expectRefusal(await bearer(token), 401, code);
    expectNothingUpstream(harness);
    expect(issuer.asked()).toEqual([]);
  };

  it.each<[string, object, string]>([
    ['JW-04: another branch', { ref: 'refs/heads/evil', sub: 'repo:acme/etl:ref:refs/heads/evil' }, 'jwt-claims'],
    ['JW-04: another repository', { repository: 'mallory/etl' }, 'jwt-claims'],
    ['JW-04: another audience', { aud: 'sts.amazonaws.com' }, 'jwt-issuer-unknown'],
    ['JW-04: no audience', { aud: undefined }, 'jwt-issuer-unknown'],
    ['JW-04: two audiences without azp', { aud: ['lictor', 'other'] }, 'jwt-issuer-unknown'],
    ['JW-04: another issuer', { iss: 'https://token.actions.githubusercontent.com' }, 'jwt-issuer-unknown'],
    ['JW-04: the issuer with a slash', { iss: `${issuer.issuer}/` }, 'jwt-issuer-unknown'],
    ['JW-04: no exp', { exp: undefined }, 'jwt-times'],
    ['JW-04: exp in 2038', { exp: 2_147_483_648 }, 'jwt-times'],
    ['JW-04: nbf in the future', { nbf: Math.floor(Date.now() / 1000) + 900 }, 'jwt-times'],
    ['JW-04: a float', { exp: Math.floor(Date.now() / 1000) + 60.5 }, 'jwt-times'],
    ['JW-04: expired', { exp: Math.floor(Date.now() / 1000) - 1 }, 'credential-expired'],
    ['JW-07: an ID token of a login', { nonce: 'n', at_hash: 'h' }, 'jwt-kind'],
    ['JW-07: a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, 'jwt-kind'],
    ['JW-07: an ID token of Keycloak', { typ: 'ID' }, 'jwt-kind'],
    ['AW-02: an audience of another service', { ...AWS, aud: 's3' }, 'jwt-issuer-unknown'],
    ['AW-02: another account', { ...AWS, aud: 'lictor-aws', 'https://sts.amazonaws.com/': { aws_account: '999999999999' } }, 'jwt-claims'],
    ['AW-02: a wildcard subject', { ...AWS, aud: 'lictor-aws', sub: 'arn:aws:iam::123456789012:role/*' }, 'jwt-claims'],
  ])('%s', async (_what, claims, code) => {
    await refused(await issuer.token({ ...GITHUB, ...claims }), code);
  });

  it('JW-07: a token that says it is a logout token', async () => {
    await refused(await issuer.token(GITHUB, { typ: 'logout+jwt' }), 'jwt-kind');
  });

  it('JW-04: a doubled key', async () => {
    const [header, payload = '', signature] = (await issuer.token(GITHUB)).split('.');
    const text = Buffer.from(payload, 'base64url').toString().replace('{', '{"aud":"other",');
    await refused(`${header}.${Buffer.from(text).toString('base64url')}.${signature}`, 'jwt-malformed');
  });

  it.each(['none', 'None', 'nOnE'])('JW-01: alg %s', async (alg) => {
    const [, payload] = (await issuer.token(GITHUB)).split('.');
    await refused(`${encode({ alg, typ: 'JWT' })}.${payload}.`, 'jwt-malformed');
    await refused(await withHeader({ alg, kid: 'key-1' }), 'jwt-malformed');
  });

  it.each(['', '\n'])('JW-01: HS256 with the published key as the secret, %j before it', async (before) => {
    const publicKey = await importJWK(issuer.publicJwk(), 'RS256');
    if (publicKey instanceof Uint8Array) throw new Error('no key');
    const [, payload] = (await issuer.token(GITHUB)).split('.');
    const signed = `${encode({ alg: 'HS256', kid: 'key-1' })}.${payload}`;
    const mac = createHmac('sha256', `${before}${await exportSPKI(publicKey)}`)
      .update(signed)
      .digest('base64url');
    await refused(`${signed}.${mac}`, 'jwt-malformed');
  });

  it.each(['jku', 'x5u'])('JW-02: %s that points to the attacker', async (name) => {
    await refused(await withHeader({ alg: 'RS256', kid: 'key-1', [name]: `${issuer.issuer}/evil` }), 'jwt-malformed');
  });

  it.each([
    ['jwk', { kty: 'RSA', n: 'AQ', e: 'AQAB' }],
    ['x5c', ['MIIB']],
    ['crit', ['x']],
  ])('JW-02: %s in the header', async (name, value) => {
    await refused(await withHeader({ alg: 'RS256', kid: 'key-1', [name]: value }), 'jwt-malformed');
  });

  it.each(['../../dev/null', "x' or '1'='1", 'http://127.0.0.1/evil'])('JW-02: the key id %s', async (kid) => {
    await refused(await issuer.token(GITHUB, { kid }), 'jwt-signature');
  });

  it('a signature of another key of the same name', async () => {
    await refused(await issuer.forged(GITHUB), 'jwt-signature');
  });
});

it('JW-05: a thousand unknown key ids ask the issuer once at most', async () => {
  const tokens = await Promise.all(Array.from({ length: 1000 }, (_, index) => issuer.token(GITHUB, { kid: `k${index}` })));
  const statuses = new Set<number>();
  const startedMs = Date.now();
  for (let at = 0; at < tokens.length; at += 20) {
    const answers = await Promise.all(tokens.slice(at, at + 20).map(bearer));
    for (const { status } of answers) statuses.add(status);
  }
  expect([...statuses]).toEqual([401]);
  expectNothingUpstream(harness);
  const windows = 1 + Math.ceil((Date.now() - startedMs) / 10_000);
  expect(issuer.asked().filter((path) => path === '/jwks').length).toBeLessThanOrEqual(windows);
  expect((await bearer(await issuer.token(GITHUB))).status).toBe(200);
});

describe('the life of a token', () => {
  it('a decision ends with the token, also when it is asked again and again', async () => {
    await eventually(async (seconds) => {
      const endSeconds = Math.floor(Date.now() / 1000) + seconds;
      const token = await issuer.token({ ...GITHUB, exp: endSeconds });
      const allowedAt: number[] = [];
      for (;;) {
        const askedMs = Date.now();
        if ((await bearer(token)).status === 401) break;
        allowedAt.push(askedMs);
      }
      if (allowedAt.length === 0) return false;
      expect(Math.max(...allowedAt)).toBeLessThan(endSeconds * 1000);
      return true;
    });
  });

  const SOCKET = '/api/events/out';
  it.each([
    ['in the header', (token: string) => ({ headers: { authorization: `Bearer ${token}` }, first: authFrame(null) })],
    ['in X-Lictor-Token', (token: string) => ({ headers: { 'x-lictor-token': token }, first: authFrame(null) })],
    ['in the first frame', (token: string) => ({ first: authFrame(`any:${token}`) })],
  ])('a socket opens by a token %s, and not by one of another branch', async (_where, options) => {
    const socket = openSocket(harness.gateway.url, SOCKET, options(await issuer.token(GITHUB)));
    await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be let in' });
    // Where Prefect is slow the gateway greets before it is there.
    await waitFor(() => harness.recorder.firstFrames().length > 0, { what: 'the socket upstream' });
    socket.close();
    harness.recorder.clear();
    const end = await openSocket(harness.gateway.url, SOCKET, options(await issuer.token({ ...GITHUB, ref: 'refs/heads/evil' }))).ended;
    expect(end.status === 401 || end.code === 1008, JSON.stringify(end)).toBe(true);
    expectNothingUpstream(harness);
  });

  it('a socket ends with its token: 1012, so that the client comes back with a fresh one', async () => {
    await eventually(async (seconds) => {
      const token = await issuer.token({ ...GITHUB, exp: Math.floor(Date.now() / 1000) + seconds });
      const socket = openSocket(harness.gateway.url, SOCKET, { headers: { authorization: `Bearer ${token}` }, first: authFrame(null) });
      if (!(await socket.opened)) return false;
      expect(await socket.ended).toMatchObject({ code: 1012 });
      return true;
    });
  });
});

/** With a token of a few seconds. On a busy machine it may expire before the first look, so the next one lives longer. */
async function eventually(attempt: (seconds: number) => Promise<boolean>): Promise<void> {
  for (const seconds of [4, 15, 45]) if (await attempt(seconds)) return;
  expect.unreachable('no token lived long enough to be looked at');
}
