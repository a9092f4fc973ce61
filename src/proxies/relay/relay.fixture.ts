// For tests: a relay behind a unix socket as nginx would use it, a fake Prefect, and a decider that knows a few tokens.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import type { Authorization } from '../../authorization/decide/decider.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { INPUT } from '../../contract/names.ts';
import type { NewRecord } from '../../contract/record.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import type { RelayLimits } from './limits.ts';
import type { RelayParts } from './parts.ts';
import { createRelay, type Relay } from './relay.ts';

export const SECRET = 'admin:prefects-own-secret';
export const GOOD = 'lct_good';

export interface TestRelay {
  readonly relay: Relay;
  readonly prefect: FakePrefect;
  readonly records: NewRecord[];
  readonly warnings: string[];
  /** Tokens that are allowed; take one away to revoke it. */
  readonly allowed: Map<string, { expiresAtMs: number | null }>;
  readonly state: { now: number; steadyMs: number; outage: boolean; changeNumber: number; ledgerBroken: boolean };
  connect(options: ConnectOptions): Promise<TestClient>;
  /** A plain HTTP request on a socket's path; or the answer to a refused upgrade. */
  /** Asks for a socket without a credential, sends `more` at once, and waits for nothing. */
  raw(more?: Buffer): Promise<Socket>;
  plain(inputs: Partial<EdgeInputs>, headers?: Record<string, string>): Promise<PlainAnswer>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly inputs?: Partial<EdgeInputs>;
  readonly protocols?: readonly string[];
  readonly headers?: Record<string, string>;
  readonly client?: ClientOptions;
}

export interface TestClient {
  readonly socket: WebSocket;
  readonly received: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The raw connection: to stop reading. */
  readonly raw: Socket;
  next(): Promise<string>;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface FakePrefect {
  readonly url: string;
  /** Every text frame, the relay's auth frame first. */
  readonly frames: string[];
  readonly pings: string[];
  readonly sockets: WebSocket[];
  readonly requests: IncomingMessage[];
  /** Answers to the auth frame; default: auth_success. */
  onAuth: (socket: WebSocket) => void;
  stop(): Promise<void>;
  /** False: as servers before 3.6.14 on /events/in. */
  offersProtocol: boolean;
}

export const EVENTS_IN = { operation: 'socket:events-in', path: '/api/events/in' };
export const EVENTS_OUT = { operation: 'socket:events-out', path: '/api/events/out' };

export async function openTestRelay(limits: Partial<RelayLimits> = {}, parts: Partial<RelayParts> = {}): Promise<TestRelay> {
  const dir = mkdtempSync(join(tmpdir(), 'relay-'));
  const socketPath = join(dir, 'relay.sock');
  const prefect = await fakePrefect();
  const records: NewRecord[] = [];
  const warnings: string[] = [];
  const allowed: TestRelay['allowed'] = new Map([[GOOD, { expiresAtMs: null }]]);
  const state = { now: Date.now(), steadyMs: 0, outage: false, changeNumber: 1, ledgerBroken: false };
  const relay = createRelay({
    fromEdge: () => true,
    catalogue: createCatalogue(),
    decider: {
      revision: 7,
      authorize: async (inputs, _asks, frameToken) => {
        if (state.outage) throw new Error('no store');
        return decideFor(allowed, inputs, frameToken, state.now);
      },
    },
    upstream: { socketTarget: (path) => ({ url: prefect.url + path, token: SECRET }), socketAuthorities: () => null },
    ledger: {
      append: async (record) => {
        if (state.ledgerBroken) throw new Error('disk full');
        records.push(record);
      },
    },
    store: { changeNumber: async () => state.changeNumber },
    clock: () => state.now,
    steady: () => state.steadyMs,
    eventTags: async (events) => events.map(() => null),
    turn: async () => undefined,
    limits: { tickMs: 20, ...limits },
    log: { warn: (fields, message) => warnings.push(`${message} ${JSON.stringify(fields)}`) },
    ...parts,
  });
  const listener = createServer({ pauseOnConnect: true }, (socket) => relay.accept(socket));
  listener.listen(socketPath);
  await once(listener, 'listening');
  return {
    relay,
    prefect,
    records,
    warnings,
    allowed,
    state,
    connect: (options) => connect(socketPath, options),
    plain: (inputs, headers = {}) => plain(socketPath, { ...inputHeaders(inputs), ...headers }),
    raw: (more) => raw(socketPath, more),
    close: async () => {
      await relay.drain();
      await prefect.stop();
      await closeServer(listener);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function decideFor(allowed: TestRelay['allowed'], inputs: EdgeInputs, frameToken: string | undefined, now: number): Authorization {
  const carrier = frameToken !== undefined ? 'frame' : inputs.authorization !== '' ? 'authorization' : inputs.token !== '' ? 'x-lictor-token' : 'session';
  const token = frameToken ?? ([inputs.authorization, inputs.token, inputs.session].find((value) => value !== '') || '');
  const entry = allowed.get(token);
  const none = { principal: null, credential: null, decisions: [] };
  if (token === '') return { ok: false, reason: 'credential-missing', credentialId: null, ...none };
  if (entry === undefined)
    return { ok: false, reason: token.includes('forbidden') ? 'policy-default-deny' : 'credential-unknown', credentialId: null, ...none };
  if (entry.expiresAtMs !== null && entry.expiresAtMs <= now) return { ok: false, reason: 'credential-expired', credentialId: 'tok_1', ...none };
  return {
    ok: true,
    principal: { id: 'token:etl', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] },
    credential: { id: 'tok_1', carrier, expiresAtMs: entry.expiresAtMs, sessionId: carrier === 'session' ? 's1' : null, alsoPresented: [] },
    decisions: [],
    restrictions: [],
    entities: [],
  };
}

function inputHeaders(inputs: Partial<EdgeInputs>): Record<string, string> {
  const all = { requestId: 'req-1', address: '192.0.2.7', method: 'GET', ...EVENTS_IN, ...inputs };
  return Object.fromEntries(
    Object.entries(INPUT).flatMap(([key, name]) => {
      const value = Object.entries(all).find(([field]) => field === key)?.[1];
      if (value === undefined || value === false || value === '') return [];
      return [[name, value === true ? '1' : String(value)]];
    }),
  );
}

async function connect(socketPath: string, options: ConnectOptions): Promise<TestClient> {
  const socket = new WebSocket(`ws+unix:${socketPath}:/api/ignored`, [...(options.protocols ?? [])], {
    headers: { ...inputHeaders(options.inputs ?? {}), ...options.headers },
    ...options.client,
  });
  const received: string[] = [];
  let raw: Socket | undefined;
  socket.on('message', (data) => received.push(data.toString()));
  socket.on('error', () => undefined);
  socket.on('upgrade', (response) => {
    raw = response.socket;
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  await Promise.race([once(socket, 'open'), closed.then(() => Promise.reject(new Error('refused before the upgrade')))]);
  if (raw === undefined) throw new Error('no raw connection');
  let read = 0;
  return {
    socket,
    received,
    closed,
    raw,
    next: async () => {
      await until(() => received.length > read, 'a frame from the relay');
      read += 1;
      return received[read - 1] ?? '';
    },
  };
}

function plain(socketPath: string, headers: Record<string, string>): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/api/ignored', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    call.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('upgraded'));
    });
    call.on('error', reject);
    call.end();
  });
}

async function raw(socketPath: string, more: Buffer = Buffer.alloc(0)): Promise<Socket> {
  const socket = connectSocket(socketPath);
  await once(socket, 'connect');
  const headers = { ...UPGRADE, 'sec-websocket-protocol': 'prefect', ...inputHeaders({}) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(Buffer.concat([Buffer.from(`GET /api/ignored HTTP/1.1\r\nhost: x\r\n${lines.join('')}\r\n`), more]));
  return socket;
}

async function fakePrefect(): Promise<FakePrefect> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => (prefect.offersProtocol ? 'prefect' : false) });
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const prefect: FakePrefect = {
    url: `ws://127.0.0.1:${address.port}`,
    frames: [],
    pings: [],
    sockets: [],
    requests: [],
    offersProtocol: true,
    onAuth: (socket) => socket.send('{"type":"auth_success"}'),
    stop: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('connection', (socket, incoming) => {
    prefect.sockets.push(socket);
    prefect.requests.push(incoming);
    socket.on('ping', (data) => prefect.pings.push(data.toString()));
    socket.on('message', (data) => {
      prefect.frames.push(data.toString());
    });
    socket.once('message', () => prefect.onAuth(socket));
  });
  return prefect;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Headers of an upgrade request, for the plain client. */
export const UPGRADE = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** Waits for a condition, never for a time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error(`did not happen: ${what}`);
    },
    { timeout: 25_000, interval: 5 },
  );
}
