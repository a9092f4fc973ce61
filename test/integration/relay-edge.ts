// A stand-in for nginx around the relay alone: sockets get the INPUT headers and go to the relay, the rest goes to Prefect.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authorization } from '../../src/authorization/decide/decider.ts';
import type { EdgeInputs } from '../../src/contract/inputs.ts';
import { INPUT } from '../../src/contract/names.ts';
import type { NewRecord } from '../../src/contract/record.ts';
import { createCatalogue } from '../../src/prefect/catalog/catalogue.ts';
import { createUpstream } from '../../src/prefect/client/upstream.ts';
import { createRelay, type Relay } from '../../src/proxies/relay/relay.ts';
import type { PrefectAddress } from '../env/prefect-server.ts';

export interface RelayEdge {
  readonly url: string;
  readonly relay: Relay;
  readonly records: readonly NewRecord[];
  /** `METHOD /path` of everything that was no socket. */
  readonly requests: readonly string[];
  /** The one token that is allowed. */
  readonly token: string;
  revoke(): void;
  /** The token in use has expired, and from now on the edge puts a fresh one on every request, as `lictor exec` does. */
  renew(): void;
  stop(): Promise<void>;
}

export async function startRelayEdge(prefect: PrefectAddress): Promise<RelayEdge> {
  const dir = mkdtempSync(join(tmpdir(), 'relay-edge-'));
  const relaySocket = join(dir, 'relay.sock');
  const token = 'lct_relay_test';
  const state: TokenState = { revoked: false, current: null, expired: new Set() };
  const records: NewRecord[] = [];
  const requests: string[] = [];
  const upstream = createUpstream({ servers: [prefect.url], authString: prefect.authString, publicUrl: null });
  const relay = createRelay({
    fromEdge: () => true,
    catalogue: createCatalogue(),
    decider: { revision: 1, authorize: async (inputs, _asks, frameToken) => decide(state.revoked ? undefined : token, state, inputs, frameToken) },
    upstream,
    ledger: {
      append: async (record) => {
        records.push(record);
      },
    },
    store: { changeNumber: async () => 1 },
    clock: Date.now,
    steady: () => performance.now(),
    eventTags: async (events) => events.map(() => null),
    turn: async () => undefined,
  });
  const listener = createSocketServer({ pauseOnConnect: true }, (socket) => relay.accept(socket));
  await new Promise<void>((resolve) => listener.listen(relaySocket, resolve));
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    passOn(request, response, { prefect, authorization: `Basic ${Buffer.from(prefect.authString).toString('base64')}` });
  });
  server.on('upgrade', (request, socket: Socket) => joinRelay(request, socket, { relaySocket, token: state.current }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    relay,
    records,
    requests,
    token,
    revoke: () => {
      state.revoked = true;
    },
    renew: () => {
      if (state.current !== null) state.expired.add(state.current);
      state.current = `lct_fresh_${state.expired.size}`;
    },
    stop: async () => {
      await relay.drain();
      await upstream.close();
      server.closeAllConnections();
      await Promise.all([new Promise((resolve) => server.close(resolve)), new Promise((resolve) => listener.close(resolve))]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface TokenState {
  revoked: boolean;
  /** Null: clients bring their own. */
  current: string | null;
  readonly expired: Set<string>;
}

function decide(allowed: string | undefined, { current, expired }: TokenState, inputs: EdgeInputs, frameToken: string | undefined): Authorization {
  const [scheme, value = ''] = inputs.authorization.split(' ');
  const presented = frameToken ?? (scheme === 'Basic' ? Buffer.from(value, 'base64').toString() : value || inputs.token);
  const none = { principal: null, credential: null, credentialId: null, decisions: [] };
  if (presented === '') return { ok: false, reason: 'credential-missing', ...none };
  if (expired.has(presented)) return { ok: false, reason: 'credential-expired', ...none };
  if (presented !== current && presented !== allowed && presented !== `any:${allowed}`) return { ok: false, reason: 'credential-revoked', ...none };
  return {
    ok: true,
    principal: { id: 'token:test', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] },
    credential: { id: 't1', carrier: frameToken === undefined ? 'authorization' : 'frame', expiresAtMs: null, sessionId: null, alsoPresented: [] },
    decisions: [],
    restrictions: [],
    entities: [],
  };
}

/** HTTP is not what is tested here: it goes to Prefect with Prefect's own credential. */
function passOn(request: IncomingMessage, response: ServerResponse, to: { readonly prefect: PrefectAddress; readonly authorization: string }): void {
  const headers = { ...request.headers, authorization: to.authorization };
  const call = httpRequest(`${to.prefect.url}${request.url}`, { method: request.method ?? 'GET', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  call.on('error', () => response.destroy());
  request.pipe(call);
}

/** What nginx/relay.conf does. */
function joinRelay(request: IncomingMessage, socket: Socket, { relaySocket, token }: { readonly relaySocket: string; readonly token: string | null }): void {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const header = (name: string) => String(request.headers[name] ?? '');
  const lines = {
    [INPUT.requestId]: `r${Math.random()}`,
    [INPUT.address]: '127.0.0.1',
    [INPUT.method]: 'GET',
    [INPUT.authorization]: header('authorization'),
    [INPUT.token]: token ?? header('x-lictor-token'),
    [INPUT.operation]: createCatalogue().match('GET', path)?.operation.operationId ?? '',
    [INPUT.path]: path,
    host: 'localhost',
    connection: 'upgrade',
    upgrade: header('upgrade'),
    'user-agent': header('user-agent'),
    'sec-websocket-key': header('sec-websocket-key'),
    'sec-websocket-version': header('sec-websocket-version'),
    'sec-websocket-protocol': header('sec-websocket-protocol'),
  };
  const head = Object.entries(lines).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}\r\n`]));
  const inner = connect(relaySocket, () => inner.write(`GET ${path} HTTP/1.1\r\n${head.join('')}\r\n`));
  for (const [one, other] of [
    [socket, inner],
    [inner, socket],
  ] as const) {
    one.pipe(other);
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}
