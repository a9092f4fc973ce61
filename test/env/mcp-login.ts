// A client of MCP in TypeScript that logs in with its own OAuth code. It knows the address of the endpoint and its client id alone.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientKind, clientOptions, importClient, type McpClient, type Transport } from './mcp-clients.ts';

export interface LoginOptions {
  /** The address of the endpoint. */
  readonly url: string;
  readonly clientId: string;
  readonly callback: string;
  /** Opens the address of the authorization request. Answers the address that the browser came back to. */
  readonly inBrowser: (url: URL) => Promise<URL>;
  readonly capabilities?: object;
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
}

export interface Login {
  /** Paths that the client asked for, in this order. */
  readonly asked: readonly string[];
  readonly provider: Provider;
  connect(): Promise<McpClient>;
}

/** What the library asks of a program: the memory for one login. */
export interface Provider {
  saved: Tokens | undefined;
  /** The address of the last authorization request. */
  authorization: URL | undefined;
}

/** The client connects in vain, the person logs in, and the client connects. */
export async function logInWithClient(kind: ClientKind, options: LoginOptions): Promise<Login> {
  const { Client, StreamableHTTPClientTransport } = await importClient(kind);
  const provider = createProvider(options);
  const asked: string[] = [];
  const recording = (url: string | URL, init?: RequestInit): Promise<Response> => {
    asked.push(new URL(url).pathname);
    return fetch(url, init);
  };
  const begin = (): { readonly client: McpClient; readonly transport: Transport } => ({
    client: new Client({ name: 'lictor-test', version: '1' }, { ...clientOptions(kind), capabilities: options.capabilities ?? {} }),
    transport: new StreamableHTTPClientTransport(new URL(options.url), { authProvider: provider, fetch: recording }),
  });
  const first = begin();
  const failure: unknown = await first.client.connect(first.transport).then(
    () => 'it connected without a login',
    (error: unknown) => error,
  );
  if (provider.authorization === undefined) throw new Error('the client began no login', { cause: failure });
  const at = await options.inBrowser(provider.authorization);
  await first.transport.finishAuth(kind === '1.x' ? (at.searchParams.get('code') ?? '') : at.searchParams);
  return {
    asked,
    provider,
    connect: async () => {
      const { client, transport } = begin();
      await client.connect(transport);
      return client;
    },
  };
}

function createProvider({ url, clientId, callback }: LoginOptions): Provider {
  let verifier = '';
  const provider: Provider = { saved: undefined, authorization: undefined };
  return Object.assign(provider, {
    redirectUrl: callback,
    clientMetadata: { client_name: 'Lictor test', redirect_uris: [callback], token_endpoint_auth_method: 'none' },
    clientInformation: () => ({ client_id: clientId, issuer: new URL(url).origin }),
    tokens: () => provider.saved,
    saveTokens: (tokens: Tokens) => {
      provider.saved = tokens;
    },
    redirectToAuthorization: (url: URL) => {
      provider.authorization = url;
    },
    saveCodeVerifier: (value: string) => {
      verifier = value;
    },
    codeVerifier: () => verifier,
  });
}

export interface Callback {
  readonly url: string;
  close(): void;
}

/** The program's own page, to which the browser comes back. */
export async function openCallback(): Promise<Callback> {
  const server: Server = createServer((_request, response) => response.end('back in the program'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`, close: () => void server.close() };
}
