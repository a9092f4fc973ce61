// Sockets of services for unit tests: a listener in the place of nginx, a scripted decision, a ledger in memory.
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, vi } from 'vitest';
import type { Authorization } from '../../../authorization/decide/decider.ts';
import { bareService } from '../../../config/service.fixture.ts';
import { HANDSHAKE, INPUT } from '../../../contract/names.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import { everywhere } from '../../../contract/scope.ts';
import type { ServiceSocketLimits } from './limits.ts';
import { createServiceSockets, type ServiceSockets } from './sockets.ts';

export interface World {
  readonly sockets: ServiceSockets;
  readonly records: NewRecord[];
  /** Denied principals with their reasons. */
  readonly denied: Map<string, ReasonCode>;
  readonly state: {
    expiresAtMs: number | null;
    ledgerWorks: boolean;
    /** Behind what is decided, and before what is written down. */
    beforeDecision: () => Promise<void>;
    beforeIntent: () => Promise<void>;
    token: string | null | undefined;
  };
  /** A handshake on a new connection. Nothing has been read yet. */
  ask(name: string, headers?: Readonly<Record<string, string>>): Promise<Socket>;
  close(): Promise<void>;
}

export async function atOnce(): Promise<void> {}

/** A step that is held up: whether it has been come to, and what lets it go on. */
export function hold() {
  const held = { visibleIds: false, go: (): void => undefined };
  const step = (): Promise<void> => {
    held.visibleIds = true;
    return new Promise((resolve) => {
      held.go = resolve;
    });
  };
  return { step, visibleIds: () => until(() => expect(held.visibleIds).toBe(true)), go: () => held.go() };
}

const ROUTES = [{ pattern: '/*', methods: ['GET'] }] as const;

/** In front of a service on this port. */
export async function startWorld(servicePort: number, limits: Partial<ServiceSocketLimits> = {}): Promise<World> {
  const records: NewRecord[] = [];
  const intents = new Map<string, NewRecord>();
  const denied = new Map<string, ReasonCode>();
  const state: World['state'] = { expiresAtMs: null, ledgerWorks: true, beforeDecision: atOnce, beforeIntent: atOnce, token: null };
  const servers = [{ origin: `http://127.0.0.1:${servicePort}`, weight: 1, backup: false }];
  const runtime = {
    config: {
      services: [bareService('live', ROUTES, { sockets: true, timeoutSeconds: 10, servers })],
      forwardHeaders: [],
      publicUrl: PUBLIC_URL,
      ledger: { failClosed: true },
    },
    revision: 1,
    services: {
      calls: {
        authorize: async ({ authorization }: { readonly authorization: string }) => {
          const answer = decide(authorization, state, denied);
          await state.beforeDecision();
          return answer;
        },
      },
      assert: async () => 'assertion',
      credentials: {
        tokens: {
          of: async () => (typeof state.token === 'string' ? { token: state.token, expiresAtMs: Number.MAX_SAFE_INTEGER } : state.token),
          refused: () => undefined,
        },
      },
    },
  };
  const sockets = createServiceSockets({
    runtime: () => runtime,
    servers: { isDown: () => false, hostOf: (_service, { origin }) => new URL(origin).host },
    ledger: {
      append: async (record) => void records.push(record),
      intend: async (record) => {
        await state.beforeIntent();
        if (!state.ledgerWorks) throw new Error('ledger-unavailable');
        intents.set(record.request_id, record);
      },
      settle: async (id, outcome) => void records.push({ ...intents.get(id), time: '', ...outcome }),
    },
    clock: Date.now,
    log: { warn: () => undefined },
    limits: { lingerMs: 200, ...limits },
  });
  const server = createServer((request, response) => void sockets.takesPlain(request, response));
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    void sockets.takes({ request, socket, head });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  let count = 0;
  return {
    ...{ sockets, records, denied, state },
    async ask(name, headers = {}) {
      count += 1;
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined).pause();
      const lines = Object.entries({ ...handshakeOf(name, count), ...headers }).map(([key, value]) => `${key}: ${value}\r\n`);
      socket.write(`GET / HTTP/1.1\r\nHost: relay\r\n${lines.join('')}\r\n`);
      return socket;
    },
    async close() {
      await sockets.drain();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PUBLIC_URL = { origin: 'http://localhost', hostname: 'localhost', port: 80, basePath: '', secure: false };

/** As nginx sends it. */
function handshakeOf(name: string, count: number): Readonly<Record<string, string>> {
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    [INPUT.requestId]: `request-${count}`,
    [INPUT.authorization]: name,
    [INPUT.method]: 'GET',
    [INPUT.operation]: 'svc:live:GET:/*',
    [INPUT.path]: '/.lictor/svc/live/feed',
    [HANDSHAKE.protocol]: 'HTTP/1.1',
    [HANDSHAKE.connection]: 'upgrade',
  };
}

function decide(name: string, { expiresAtMs }: World['state'], denied: World['denied']): Authorization {
  const reason = name === '' ? 'credential-missing' : denied.get(name);
  if (reason !== undefined) return { ok: false, reason, principal: null, credential: null, credentialId: null, decisions: [] };
  const principal = { id: `token:${name}`, kind: 'service', idp: null, roles: [], grants: everywhere([]), groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: name, carrier: 'authorization', expiresAtMs, sessionId: null, alsoPresented: [] } as const;
  return { ok: true, principal, credential, decisions: [], restrictions: [], entities: [null] };
}

/** All data until it contains this text, or until the other side ends. */
export function readUntil(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let read = '';
    const done = (): void => {
      socket.off('data', take);
      resolve(read);
    };
    const take = (chunk: Buffer): void => {
      read += chunk.toString('latin1');
      if (text !== '' && read.includes(text)) done();
    };
    socket.on('data', take);
    socket.once('close', done);
    socket.resume();
  });
}

/** All of it, until the other side ends. */
export const readAll = (socket: Socket): Promise<string> => readUntil(socket, '');
export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
export const codeOf = (text: string): string | undefined => /"code":"([a-z-]+)"/.exec(text)?.[1];

export async function until(what: () => void): Promise<void> {
  await vi.waitFor(what, { timeout: 15_000, interval: 10 });
}

export async function expectOpen({ sockets }: World, count: number): Promise<void> {
  await until(() => expect(sockets.count()).toBe(count));
}
