// research row AW-01: signed requests of AWS at the token endpoint, by the real signer, before moto's STS, which verifies signatures.
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { jsonLines } from '../../env/gateway.ts';
import { type Signing, signedRequest, startMoto } from '../../env/moto.ts';
import { field, text } from '../../env/prefect.ts';
import { startProxy } from '../../env/proxy.ts';
import { expectNothingUpstream, expectRefusal, useHarness } from './harness.ts';

const PATH = '/api/work_pools/p';
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
const AUDIENCE = 'lictor.example.com';
const DAY_MS = 86_400_000;
const moto = await startMoto();
const asked: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = [];
/** What the gateway takes for STS: moto, and everything that it is asked. */
const sts = await startProxy({
  to: moto.url,
  answers: ({ method, url, headers }) => {
    asked.push({ method, url, headers });
    return false;
  },
});
const provider = (audience: string) => ({ identity_providers: [{ id: 'aws', type: 'aws-iam', audience, sts_endpoint: sts.url }] });
const harness = useHarness({ config: { ...provider(AUDIENCE), roles: [{ role: 'viewer', members: ['arn:aws:iam::123456789012:role/etl@aws'] }] } });
beforeEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await sts.close();
  await moto.close();
});

/** When the next request says that it was signed: each a second before the last, since within one second the same request has the same signature, and counts once. */
let signedMs = Date.now();
const sign = (more: Partial<Signing> = {}) =>
  signedRequest({
    at: earlier(),
    url: sts.url,
    region: moto.region,
    credentials: moto.role,
    body: BODY,
    ...more,
    headers: { 'x-lictor-audience': AUDIENCE, ...more.headers },
  });

function earlier(): Date {
  signedMs -= 1000;
  return new Date(signedMs);
}

function exchange(subject: unknown, more: Readonly<Record<string, string>> = {}): Promise<Response> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:lictor:token-type:aws-iam',
    subject_token: JSON.stringify(subject),
    ...more,
  });
  return harness.gateway.fetch('/.lictor/oauth/token', { method: 'POST', body: form });
}

async function refused(subject: unknown, code: string, calls: number): Promise<void> {
  const response = await exchange(subject);
  const answer: unknown = await response.json();
  expect(response.status, JSON.stringify(answer)).toBe(400);
  expect(answer).toEqual({
    error: 'invalid_grant',
    error_description: expect.any(String),
    detail: expect.any(String),
    hint: expect.any(String),
    code,
    request_id: response.headers.get('x-request-id'),
  });
  expect(asked).toHaveLength(calls);
  expectNothingUpstream(harness);
}

describe('twin: the right role', () => {
  it('gets a token of a quarter of an hour, which works on every carrier, is listed, and ends when it is revoked', async () => {
    const response = await exchange(await sign());
    const answer: unknown = await response.json();
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 900, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const token = text(field(answer, 'access_token'));
    for (const headers of [
      { authorization: `Bearer ${token}` },
      { authorization: `Basic ${Buffer.from(`any:${token}`).toString('base64')}` },
      { 'x-lictor-token': token },
    ]) {
      expect((await harness.gateway.fetch(PATH, { headers })).status).toBe(200);
    }
    const me: unknown = await (await harness.gateway.fetch('/.lictor/api/v1/me', { token })).json();
    expect(me).toMatchObject({ principal: 'arn:aws:iam::123456789012:role/etl@aws', principal_kind: 'service', idp: 'aws', roles: ['viewer'] });
    await expectRefusal(await harness.gateway.fetch(PATH, { method: 'DELETE', token }), 403, 'policy-default-deny');
    const listed = JSON.parse(await harness.gateway.lictorOk('token', 'list', '--access', '--json')) as unknown;
    const id = text(field(me, 'credential_id'));
    expect(listed).toEqual([expect.objectContaining({ id, principal: 'arn:aws:iam::123456789012:role/etl@aws', given_for: `aws:${moto.role.accessKeyId}` })]);
    await harness.gateway.lictorOk('token', 'revoke', 'arn:aws:iam::123456789012:role/etl@aws');
    await expectRefusal(await harness.gateway.fetch(PATH, { token }), 401, 'credential-revoked');
  });

  it('is asked of STS with a request of our own making', async () => {
    expect((await exchange(await sign({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }))).status).toBe(200);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/' });
    const names = Object.keys(asked[0]?.headers ?? {}).sort();
    expect(names).toEqual(
      [
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'x-amz-content-sha256',
        'x-amz-date',
        'x-amz-security-token',
        'x-lictor-audience',
      ].sort(),
    );
  });

  it('is a record with who got which token for what, and no secret stands in any', async () => {
    const request = await sign();
    const token = text(field(await (await exchange(request)).json(), 'access_token'));
    const output = await harness.gateway.lictorOk('audit', '--action', 'token.exchange', '--json');
    expect(jsonLines(output).at(-1)).toMatchObject({
      principal: 'arn:aws:iam::123456789012:role/etl@aws',
      credential_id: `aws:${moto.role.accessKeyId}`,
      resource_id: token.slice(4, 14),
      decision: 'allow',
      status: 200,
    });
    for (const secret of [token, String(request.headers['authorization']), moto.role.sessionToken ?? '-']) expect(output).not.toContain(secret);
  });
});

describe('AW-01: altered after it was signed, or signed for something else', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['the host in the header', async () => withHeaders(await sign(), { host: 'evil.example' })],
    ['the host in the address', async () => ({ ...(await sign()), url: 'https://evil.example/' })],
    ['the STS of another region, well signed', () => sign({ region: 'eu-west-1' })],
    ['the path', async () => ({ ...(await sign()), url: `${sts.url}/other` })],
    ['the path, well signed', () => sign({ path: '/other' })],
    ['the method, well signed', () => sign({ method: 'GET' })],
    ['the action', async () => ({ ...(await sign()), body: 'Action=GetSessionToken&Version=2011-06-15' })],
    ['the action, well signed', () => sign({ body: 'Action=GetSessionToken&Version=2011-06-15' })],
    ['an action in the query that is not that of the body', async () => ({ ...(await sign()), url: `${sts.url}/?Action=AssumeRole` })],
    ['Accept: application/json', async () => withHeaders(await sign(), { accept: 'application/json' })],
    ['Accept: application/json, well signed', () => sign({ headers: { accept: 'application/json' } })],
    ['an extra header, well signed', () => sign({ headers: { 'x-extra': '1' } })],
    ['the audience of another gateway, well signed', () => sign({ headers: { 'x-lictor-audience': 'other.example.com' } })],
    [
      'our audience over that of another gateway',
      async () => withHeaders(await sign({ headers: { 'x-lictor-audience': 'other.example.com' } }), { 'x-lictor-audience': ` ${AUDIENCE}` }),
    ],
    ['no audience', async () => unsignedAudience()],
    ['another service, well signed', () => sign({ service: 'iam' })],
  ])('%s: refused, and STS is not asked', async (_what, subject) => {
    await refused(await subject(), 'aws-request', 0);
  });

  it.each([
    ['a quarter of an hour ago', -15 * 60_000],
    ['six minutes ago', -6 * 60_000],
    ['for later', 6 * 60_000],
  ])('signed %s: refused, and STS is not asked', async (_when, movedMs) => {
    await refused(await sign({ at: new Date(Date.now() + movedMs) }), 'aws-stale', 0);
  });

  it('used twice: refused, and STS is not asked again', async () => {
    const subject = await sign();
    expect((await exchange(subject)).status).toBe(200);
    asked.length = 0;
    await refused(subject, 'aws-replayed', 0);
  });
});

describe('AW-01: what only STS can say', () => {
  it('the audience of another gateway, changed to ours: the signature does not fit', async () => {
    await refused(withHeaders(await sign({ headers: { 'x-lictor-audience': 'other.example.com' } }), { 'x-lictor-audience': AUDIENCE }), 'aws-refused', 1);
  });

  it('a wrong secret', async () => {
    await refused(await sign({ credentials: { ...moto.role, secretAccessKey: 'wrong' } }), 'aws-refused', 1);
  });

  it('a date that was moved', async () => {
    // Within one day: the day is in the scope of the key as well, and a date of another day than that is refused before STS is asked.
    const nowMs = Date.now();
    const movedMs = nowMs % DAY_MS < 60_000 ? 60_000 : -60_000;
    const signed = await sign({ at: new Date(nowMs + movedMs) });
    await refused(withHeaders(signed, { 'x-amz-date': amzDate(nowMs) }), 'aws-refused', 1);
  });

  it('a date that was moved to another day: STS is not asked', async () => {
    const nowMs = Date.now();
    const signed = await sign({ at: new Date(nowMs - DAY_MS) });
    await refused(withHeaders(signed, { 'x-amz-date': amzDate(nowMs) }), 'aws-request', 0);
  });

  it('keys without their session token', async () => {
    const { accessKeyId, secretAccessKey } = moto.role;
    await refused(await sign({ credentials: { accessKeyId, secretAccessKey } }), 'aws-refused', 1);
  });
});

it('the role of that name in another account, well signed, gets nothing and is named in the record', async () => {
  await refused(await sign({ credentials: moto.otherRole }), 'policy-default-deny', 1);
  const [last] = jsonLines(await harness.gateway.lictorOk('audit', '--action', 'token.exchange', '--decision', 'deny', '--json')).slice(-1);
  expect(last).toMatchObject({ principal: 'arn:aws:iam::999999999999:role/etl@aws', reason: 'policy-default-deny', status: 400 });
});

it('the token endpoint answers nothing but its form by POST', async () => {
  expect((await harness.gateway.fetch('/.lictor/oauth/token')).status).toBe(405);
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
    const foreign = { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }), headers };
    await expectRefusal(await harness.gateway.fetch('/.lictor/oauth/token', foreign), 403, 'origin-foreign');
  }
  const json = await harness.gateway.fetch('/.lictor/oauth/token', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  expect(json.status).toBe(400);
  expect(await json.json()).toMatchObject({ error: 'invalid_request', code: 'request-invalid' });
});

function amzDate(atMs: number): string {
  return new Date(atMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

function withHeaders<T extends { readonly headers: Readonly<Record<string, string>> }>(request: T, headers: Readonly<Record<string, string>>): T {
  return { ...request, headers: { ...request.headers, ...headers } };
}

async function unsignedAudience(): Promise<unknown> {
  const request = await signedRequest({ url: sts.url, region: moto.region, credentials: moto.role, body: BODY, headers: {} });
  return withHeaders(request, { 'x-lictor-audience': AUDIENCE });
}
