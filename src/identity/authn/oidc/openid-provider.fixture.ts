// For tests: a real OpenID Provider (node-oidc-provider) in this process. A test can change its answers, to prove what a login rejects.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text as readAll } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import { request } from 'undici';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** Changes an answer before it is sent. JSON is given as an object. */
export type Bend = (answer: Record<string, unknown>) => Record<string, unknown> | Answer | Promise<Record<string, unknown> | Answer>;

export interface OpenIdProvider {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** Claims of each account, by its subject. */
  readonly accounts: Map<string, Readonly<Record<string, unknown>>>;
  /** By path: `/token`, `/me`, `/jwks`, `/.well-known/openid-configuration`. */
  readonly bends: Map<string, Bend>;
  /** Sent instead of the provider's answer. The provider never sees the request. By path. */
  readonly instead: Map<string, Answer>;
  /** `POST /token`, one for each request. */
  readonly requests: string[];
  /** Signs as the provider does. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
  /**
   * A browser that is logged in as this account follows the gateway's redirect. Returns the URL that it comes back with.
   * With the `cookies` of an earlier visit, the provider need not ask for a login.
   */
  browse(location: string, subject: string, cookies?: Map<string, string>): Promise<URL>;
  close(): Promise<void>;
}

export const KEY_ID = 'provider-key';

export async function startOpenIdProvider(redirectUris: readonly string[], more: Configuration = {}): Promise<OpenIdProvider> {
  const outer = createServer((incoming, response) => {
    forward(incoming, response, { port: innerPort, bends, instead, requests }).catch((error: unknown) => response.writeHead(502).end(String(error)));
  });
  const issuer = `http://127.0.0.1:${await listen(outer)}`;
  const client = { id: 'lictor', secret: 'a secret with : and % in it' };
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key: JWK = { ...(await exportJWK(privateKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  const accounts: OpenIdProvider['accounts'] = new Map();
  const bends: OpenIdProvider['bends'] = new Map();
  const instead: OpenIdProvider['instead'] = new Map();
  const requests: string[] = [];
  let subject = '';

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [...redirectUris],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        post_logout_redirect_uris: [],
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['test'] },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    claims: { openid: ['sub', 'groups', 'preferred_username', '_claim_names', 'hasgroups'] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ ...accounts.get(sub), sub }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    pkce: { required: () => true },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 7200, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600 },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: client.id, accountId: ctx.oidc.session?.accountId ?? '' });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    ...more,
  });
  provider.proxy = true;
  const inner = createServer((incoming, response) => {
    if (incoming.url?.startsWith('/interaction/') === true) {
      provider.interactionFinished(incoming, response, { login: { accountId: subject } }).catch((error: unknown) => response.writeHead(500).end(String(error)));
    } else provider.callback()(incoming, response);
  });
  const innerPort = await listen(inner);
  return {
    issuer,
    client,
    accounts,
    bends,
    instead,
    requests,
    sign: (claims, header = {}) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: KEY_ID, ...header }).sign(privateKey),
    browse: (location, account, cookies = new Map()) => {
      subject = account;
      return follow(location, issuer, cookies);
    },
    async close() {
      for (const server of [outer, inner]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

interface Forwarding {
  readonly port: number;
  readonly bends: OpenIdProvider['bends'];
  readonly instead: OpenIdProvider['instead'];
  readonly requests: string[];
}

async function forward(incoming: IncomingMessage, response: ServerResponse, { port, bends, instead, requests }: Forwarding): Promise<void> {
  const path = (incoming.url ?? '/').split('?')[0] ?? '/';
  requests.push(`${incoming.method} ${path}`);
  const other = instead.get(path);
  if (other !== undefined) {
    response.writeHead(other.status, { 'content-type': other.type ?? 'application/json' }).end(other.body);
    return;
  }
  const { host = '', 'transfer-encoding': _coding, 'content-length': _length, connection: _connection, ...headers } = incoming.headers;
  const body = await readAll(incoming);
  const answer = await request(`http://127.0.0.1:${port}${incoming.url}`, {
    method: incoming.method === 'POST' ? 'POST' : 'GET',
    headers: { ...headers, host },
    ...(body !== '' && { body }),
  });
  const text = await answer.body.text();
  const bend = bends.get(path);
  const bent = bend === undefined ? undefined : await bend(answer.statusCode < 400 ? parseObject(text) : { status: answer.statusCode, body: text });
  const out =
    bent === undefined ? { status: answer.statusCode, body: text } : isAnswer(bent) ? bent : { status: answer.statusCode, body: JSON.stringify(bent) };
  const { 'content-length': _size, 'transfer-encoding': _chunks, connection: _alive, ...rest } = answer.headers;
  response.writeHead(out.status, { ...rest, ...('type' in out && { 'content-type': out.type }) }).end(out.body);
}

/** Until a URL is not the provider's. */
async function follow(location: string, issuer: string, jar: Map<string, string>): Promise<URL> {
  let at = new URL(location);
  for (let steps = 0; steps < 10; steps += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(at, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const next = answer.headers.get('location');
    if (next === null) throw new Error(`the provider shows a page: ${answer.status} ${(await answer.text()).slice(0, 400)}`);
    at = new URL(next, at);
    if (at.origin !== issuer) return at;
  }
  throw new Error('the provider goes in circles');
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
}

function isAnswer(value: Record<string, unknown> | Answer): value is Answer {
  return typeof value['status'] === 'number' && typeof value['body'] === 'string';
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError(`no object: ${text}`);
  return { ...value };
}
