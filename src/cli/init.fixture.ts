// For tests of init: small Prefect servers and OpenID Providers, healthy by default, each with one oddity.
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Issued } from '../../test/env/authority.ts';

export interface World {
  /** Answers the address. */
  open(listener: RequestListener, tls?: Issued): Promise<string>;
  close(): Promise<void>;
}

export function createWorld(): World {
  const servers: Server[] = [];
  return {
    async open(listener, tls) {
      const server = tls === undefined ? createServer(listener) : createHttpsServer({ cert: readFileSync(tls.chain), key: readFileSync(tls.key) }, listener);
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      return `${tls === undefined ? 'http' : 'https'}://localhost:${typeof address === 'object' ? address?.port : ''}`;
    },
    async close() {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

export const AUTH_STRING = 'gateway:a-secret-of-prefect';

export interface PrefectOddity {
  readonly version?: string;
  /** Before every path. */
  readonly base?: string;
  readonly broker?: string;
  readonly offMs?: number;
  readonly uiBase?: string;
  readonly routes?: Readonly<Record<string, unknown>>;
}

export function prefectServer({
  version = '3.9.1',
  base = '',
  broker = 'prefect.server.utilities.messaging.memory',
  offMs = 0,
  uiBase = '',
  routes = {},
}: PrefectOddity = {}): RequestListener {
  const answers: Readonly<Record<string, unknown>> = {
    '/api/admin/version': version,
    '/api/admin/settings': { server: { events: { messaging_broker: broker } } },
    '/api/openapi.json': { paths: routes },
    [`${uiBase}/ui-settings`]: { api_url: '/api' },
    '/api/flows/filter': [],
    '/api/work_pools/filter': [{ name: 'pool-a' }],
    '/api/work_pools/pool-a/workers/filter': [{ name: 'one' }, { name: 'two' }],
    '/api/deployments/filter': [{ name: 'nightly', tags: ['team-a'] }],
  };
  const expected = `Basic ${Buffer.from(AUTH_STRING).toString('base64')}`;
  return (request, response) => {
    const path = (request.url ?? '').slice(base.length);
    response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
    response.setHeader('content-type', 'application/json');
    if (!(request.url ?? '').startsWith(base) || answers[path] === undefined) response.writeHead(404).end('{"detail":"Not Found"}');
    else if (request.headers.authorization !== expected) response.writeHead(401).end('{"exception_message":"Unauthorized"}');
    else response.end(JSON.stringify(answers[path]));
  };
}

export interface ProviderOddity {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly offMs?: number;
  readonly tokenError?: string;
  /** Of the authorization endpoint. */
  readonly page?: number;
}

export const CLIENT_SECRET = 'a-secret-of-the-client';

export function openIdProvider({ metadata = {}, offMs = 0, tokenError = 'invalid_grant', page = 200 }: ProviderOddity = {}): RequestListener {
  return (request, response) => {
    const own = `${'encrypted' in request.socket ? 'https' : 'http'}://${request.headers.host}`;
    const path = (request.url ?? '').split('?')[0];
    response.setHeader('date', new Date(Date.now() + offMs).toUTCString());
    response.setHeader('content-type', 'application/json');
    if (path === '/.well-known/openid-configuration')
      response.end(
        JSON.stringify({
          ...{ issuer: own, authorization_endpoint: `${own}/authorize`, token_endpoint: `${own}/token`, jwks_uri: `${own}/keys` },
          ...{ response_types_supported: ['code'], code_challenge_methods_supported: ['S256'], claims_supported: ['sub', 'groups'] },
          ...metadata,
        }),
      );
    else if (path === '/token') response.writeHead(tokenError === 'invalid_client' ? 401 : 400).end(JSON.stringify({ error: tokenError }));
    else if (path === '/authorize') response.writeHead(page, { 'content-type': 'text/html' }).end('<!doctype html>');
    else response.writeHead(404).end('{}');
  };
}
