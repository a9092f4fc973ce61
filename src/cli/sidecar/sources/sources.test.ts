import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseSignedRequest } from '../../../identity/authn/aws-iam/signed-request.ts';
import { readBounded } from '../ask.ts';
import type { CredentialSource, Obtained } from '../credential.ts';
import { openCredentials } from '../login/credentials.ts';
import { createTransport } from '../transport.ts';
import { type Choice, chooseSource } from './choose.ts';

const transport = createTransport({ authorities: [], env: {} });
const dir = mkdtempSync(join(tmpdir(), 'lictor-sources-'));
let server: Server;
let origin: string;
let handler: (request: IncomingMessage, response: ServerResponse, body: string) => void;
const asked: { readonly url: string; readonly authorization: string | undefined; readonly body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    void readBounded(request, 65_536).then((body) => {
      asked.push({ url: request.url ?? '', authorization: request.headers.authorization, body: body.toString() });
      handler(request, response.setHeader('content-type', 'application/json'), body.toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  transport.close();
  server.close();
  rmSync(dir, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  handler = (_request, response) => response.writeHead(500).end();
});
afterEach(() => {
  for (const { url } of asked) expect(url).not.toContain('secret');
});

const NOW = Date.now();
const env: Record<string, string> = {};

function choose(choice: Choice, more: Record<string, string> = {}) {
  return chooseSource(choice, {
    cwd: dir,
    env: { ...env, ...more },
    transport,
    clock: () => NOW,
    gateway: { origin, hostname: '127.0.0.1', basePath: '/prefect' },
    credentials: openCredentials({ LICTOR_CONFIG_DIR: dir }),
  });
}

function source(choice: Choice, more: Record<string, string> = {}): CredentialSource {
  const chosen = choose(choice, more);
  if (!chosen.ok) throw new Error(chosen.problem);
  return chosen.source;
}

const obtain = (from: CredentialSource): Promise<Obtained> => from.obtain(AbortSignal.timeout(5000));

function file(name: string, content: string, mode = 0o600): string {
  writeFileSync(join(dir, name), content);
  chmodSync(join(dir, name), mode);
  return name;
}

function jwt(claims: object): string {
  return `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

describe('a token file', () => {
  it('is read at every look: a rotated one is in use within seconds', async () => {
    const from = source({ as: `token:${file('t1', 'lct_one\n')}` });
    expect(await obtain(from)).toEqual({ secret: 'lct_one', expiresAtMs: null, lookAgainMs: 5000 });
    file('t1', 'lct_two');
    expect((await obtain(from)).secret).toBe('lct_two');
  });

  it.each([
    ['is missing', () => 'missing', /does not exist/, true],
    ['is open to every user', () => file('open', 'lct_x', 0o644), /every user.*chmod 600/, true],
    ['is empty', () => file('empty', '\n'), /is empty/, false],
    ['holds two lines', () => file('two', 'lct_a\nlct_b'), /one token/, true],
    ['holds a header', () => file('head', 'Bearer lct_a'), /one token/, true],
  ])('is refused when it %s', async (_what, name, message, final) => {
    await expect(obtain(source({ as: `token:${name()}` }))).rejects.toMatchObject({ name: 'SourceError', message: expect.stringMatching(message), final });
  });

  it('never is the token itself: that would stand in the list of processes', () => {
    const chosen = choose({ as: 'token:lct_abcdefgh' });
    expect(chosen).toMatchObject({ ok: false, problem: expect.stringContaining('can be read by every user') });
    expect(JSON.stringify(chosen)).not.toContain('abcdefgh');
  });
});

describe('a JWT file, as Kubernetes projects one', () => {
  it('may be readable, and its end is known', async () => {
    const exp = Math.floor(NOW / 1000) + 600;
    const from = source({ as: `jwt:${file('j1', jwt({ exp }), 0o644)}` });
    expect(await obtain(from)).toMatchObject({ expiresAtMs: exp * 1000, lookAgainMs: 5000 });
  });

  it('is not used after its end', async () => {
    const from = source({ as: `jwt:${file('j2', jwt({ exp: NOW / 1000 - 1 }))}` });
    await expect(obtain(from)).rejects.toThrow('has expired');
  });
});

describe('client credentials', () => {
  const as = (more: Partial<Choice> = {}): Choice => ({ as: 'oidc', issuer: `${origin}/realms/data`, clientId: 'etl', clientSecretFile: 'client', ...more });
  const metadata = (more: object = {}) => ({ issuer: `${origin}/realms/data`, token_endpoint: `${origin}/token`, jwks_uri: `${origin}/jwks`, ...more });
  const serve = (token: (body: string, authorization: string | undefined) => readonly [number, object], more: object = {}) => {
    handler = ({ url, headers }, response, body) => {
      if (url === '/realms/data/.well-known/openid-configuration') return response.end(JSON.stringify(metadata(more)));
      const [status, answer] = token(body, headers.authorization);
      return response.writeHead(status).end(JSON.stringify(answer));
    };
  };
  beforeEach(() => file('client', 'client-secret\n'));

  it('are asked for at the place that discovery names, and live as long as the answer says, less the second that it may have rounded away', async () => {
    serve(() => [200, { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 60 }]);
    const from = source(as({ scope: 'prefect', audience: 'lictor' }));
    expect(await obtain(from)).toEqual({ secret: 'a.b.c', expiresAtMs: NOW + 59_000, lookAgainMs: null });
    expect(await obtain(from)).toMatchObject({ secret: 'a.b.c' });
    expect(asked.map(({ url }) => url)).toEqual(['/realms/data/.well-known/openid-configuration', '/token', '/token']);
    expect(asked[1]?.authorization).toBe(`Basic ${Buffer.from('etl:client%2Dsecret').toString('base64')}`);
    expect(Object.fromEntries(new URLSearchParams(asked[1]?.body))).toEqual({ grant_type: 'client_credentials', scope: 'prefect', audience: 'lictor' });
  });

  it.each([
    [0, 0],
    [1, 500],
    [2, 1000],
    [3, 2000],
  ])('that live for %i s are still used', async (expires_in, usedMs) => {
    serve(() => [200, { access_token: 'a.b.c', token_type: 'Bearer', expires_in }]);
    expect(await obtain(source(as()))).toMatchObject({ expiresAtMs: NOW + usedMs });
  });

  it('go in the body where the provider wants them there, and follow a rotated secret', async () => {
    serve(() => [200, { access_token: 'a.b.c', token_type: 'bearer', expires_in: 60 }], { token_endpoint_auth_methods_supported: ['client_secret_post'] });
    const from = source(as());
    await obtain(from);
    file('client', 'next-secret');
    await obtain(from);
    expect(asked.filter(({ url }) => url === '/token').map(({ body }) => new URLSearchParams(body).get('client_secret'))).toEqual([
      'client-secret',
      'next-secret',
    ]);
  });

  it.each([
    ['a wrong secret', 401, { error: 'unauthorized_client', error_description: 'client-secret is wrong' }, true],
    ['a provider in trouble', 503, { error: 'temporarily_unavailable' }, false],
  ])('say what went wrong without a secret: %s', async (_what, status, answer, final) => {
    serve(() => [status, answer]);
    const error: unknown = await obtain(source(as())).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'SourceError', final });
    expect(String(error)).not.toContain('client-secret');
  });

  it.each([
    ['another issuer than was named', { issuer: 'https://evil.example' }],
    ['a token endpoint that is none', { token_endpoint: undefined }],
  ])('are not sent anywhere by metadata of %s', async (_what, more) => {
    serve(() => [200, { access_token: 'a.b.c', token_type: 'Bearer' }], more);
    await expect(obtain(source(as()))).rejects.toMatchObject({ name: 'SourceError' });
    expect(asked.filter(({ url }) => url === '/token')).toEqual([]);
  });

  it('wait for a provider that is away', async () => {
    const from = source(as({ issuer: 'http://127.0.0.1:1/realms/data' }));
    await expect(obtain(from)).rejects.toMatchObject({ message: '127.0.0.1:1 cannot be reached (ECONNREFUSED).', final: false });
  });

  it('need an issuer to which a secret may be sent', () => {
    expect(choose(as({ issuer: 'http://idp.example/realms/data' }))).toMatchObject({ ok: false, problem: expect.stringContaining('https') });
    expect(choose({ as: 'oidc' })).toMatchObject({ ok: false, problem: expect.stringContaining('--issuer') });
  });
});

describe('a GitHub job', () => {
  const job = () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-secret' });

  it('asks its own endpoint for a token of the audience', async () => {
    const exp = Math.floor(NOW / 1000) + 300;
    handler = (_request, response) => response.end(JSON.stringify({ value: jwt({ exp }) }));
    expect(await obtain(source({ as: 'github' }, job()))).toMatchObject({ secret: jwt({ exp }), expiresAtMs: exp * 1000, lookAgainMs: null });
    expect(asked).toMatchObject([{ url: '/token?api-version=2.0&audience=lictor', authorization: 'Bearer request-secret' }]);
    await obtain(source({ as: 'oidc', audience: 'gw' }, job()));
    expect(asked[1]?.url).toBe('/token?api-version=2.0&audience=gw');
  });

  it.each([
    [403, true],
    [500, false],
  ])('that is answered %i', async (status, final) => {
    handler = (_request, response) => response.writeHead(status).end('{}');
    await expect(obtain(source({ as: 'github' }, job()))).rejects.toMatchObject({ final, message: `GitHub's OIDC endpoint answered ${status}.` });
  });

  it('needs the permission', () => {
    expect(choose({ as: 'github' })).toMatchObject({ ok: false, problem: expect.stringContaining('id-token: write') });
  });
});

describe('an AWS role', () => {
  const provider = { id: 'aws', type: 'aws-iam', regions: ['eu-west-1'], stsEndpoint: null, caFile: null } as const;
  const as = (more: Partial<Choice> = {}): Choice => ({ as: 'aws-iam', ...more });
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'ASIAIOSFODNN7EXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'aws-secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'aws-session');
  });
  afterEach(() => vi.unstubAllEnvs());

  it.each<[string, Partial<Choice>, Record<string, string>, string]>([
    ["the gateway's host", {}, { AWS_REGION: 'eu-west-1' }, '127.0.0.1'],
    ['what is said', { audience: 'lictor.example' }, { AWS_DEFAULT_REGION: 'eu-west-1' }, 'lictor.example'],
  ])('shows the gateway a request that it accepts, for %s, and gets a token for it', async (_what, choice, env, audience) => {
    handler = (_request, response) => response.end(JSON.stringify({ access_token: 'lca_x', token_type: 'Bearer', expires_in: 900 }));
    expect(await obtain(source(as(choice), env))).toEqual({ secret: 'lca_x', expiresAtMs: NOW + 900_000, lookAgainMs: null });
    expect(asked[0]?.url).toBe('/prefect/.lictor/oauth/token');
    const form = new URLSearchParams(asked[0]?.body);
    expect(form.get('subject_token_type')).toBe('urn:lictor:token-type:aws-iam');
    expect(parseSignedRequest(form.get('subject_token') ?? '', { ...provider, audience }, Date.now())).toMatchObject({
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      endpoint: { url: 'https://sts.eu-west-1.amazonaws.com/' },
    });
    expect(asked[0]?.body).not.toContain('aws-secret');
  });

  it('signs for the global endpoint without a region', async () => {
    handler = (_request, response) => response.end(JSON.stringify({ access_token: 'lca_x', token_type: 'Bearer', expires_in: 900 }));
    await obtain(source(as(), { AWS_REGION: '' }));
    const subject = new URLSearchParams(asked[0]?.body).get('subject_token') ?? '';
    expect(parseSignedRequest(subject, { ...provider, audience: '127.0.0.1', regions: [] }, Date.now())).toMatchObject({
      endpoint: { host: 'sts.amazonaws.com' },
    });
  });

  it.each<[number, object, boolean]>([
    [400, { error: 'invalid_grant', code: 'policy-default-deny', detail: 'No policy permits this.', hint: 'Ask an administrator.' }, true],
    [503, { error: 'temporarily_unavailable', code: 'gateway-unavailable', detail: 'Not just now.', hint: '' }, false],
    [404, {}, true],
  ])('says why it got none: %i', async (status, body, final) => {
    handler = (_request, response) => response.writeHead(status).end(JSON.stringify(body));
    await expect(obtain(source(as()))).rejects.toMatchObject({ final, message: expect.stringMatching(/gateway gave no token/) });
  });

  it('takes no address of STS that anybody on the way could answer for', () => {
    expect(choose(as(), { AWS_ENDPOINT_URL_STS: 'http://sts.example' })).toMatchObject({ ok: false });
  });
});

it.each(['kerberos', ''])('%s is refused with the list of what there is', (as) => {
  expect(choose({ as })).toMatchObject({ ok: false, problem: expect.stringContaining('token:FILE') });
});
