// The forward proxy: tasks use other APIs through it, if a policy permits it, on listed hosts with public addresses.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ListenAddress } from '../../config/config.ts';
import type { OpenSockets } from '../../contract/open-socket.ts';
import { listenOnPort } from '../../contract/pass-port.ts';
import { openSockets } from '../tunnels/open-sockets.ts';
import { recheckAll, recheckExpired } from '../tunnels/recheck.ts';
import { type ForwardCore, messageOf } from './core.ts';
import { FORWARD_LIMITS } from './limits.ts';
import type { ForwardParts } from './parts.ts';
import { cut, recheckOne } from './recheck.ts';
import { createResolve } from './resolve.ts';
import { createProxyServer } from './server.ts';

export interface ForwardProxy {
  /**
   * Listens already, so that a taken port is known before any change. Until `commit` the present configuration decides. `isPassed`: the control plane
   * before this one listens there too. Rejects with `replace-refused` or the system's error.
   */
  prepare(listen: ListenAddress | null, isPassed?: boolean): Promise<Prepared>;
  /** After a security change or a reload. Resolves when every open connection is decided again. */
  recheck(): Promise<void>;
  /** Allowed open connections. */
  count(): number;
  readonly sockets: OpenSockets;
  /** Accepts no more connections. Open ones get a few seconds, then it closes all. */
  close(): Promise<void>;
}

export interface Prepared {
  /** Makes it the listener. The former one accepts no more connections, and its open ones stay. */
  commit(): void;
  discard(): void;
}

interface Listener {
  readonly address: string;
  readonly server: Server;
}

export function createForwardProxy(parts: ForwardParts): ForwardProxy {
  const limits = { ...FORWARD_LIMITS, ...parts.limits };
  const resolve = createResolve({ network: parts.network, limits, avoid: parts.avoid });
  const core: ForwardCore = { parts, limits, resolve, sessions: new Set(), records: new Set(), generation: 0 };
  const sockets = new Set<Socket>();
  let current: Listener | null = null;
  const timer = setInterval(() => {
    recheckExpired(core, recheckOne).catch((error: unknown) => parts.log.warn({ error: messageOf(error) }, 'open connections could not be looked at'));
  }, limits.tickMs);
  timer.unref();
  return {
    async prepare(listen, isPassed = false) {
      const address = listen === null ? null : `${listen.host} ${listen.port}`;
      if (address === (current?.address ?? null)) return { commit: () => undefined, discard: () => undefined };
      const next = listen === null || address === null ? null : { address, server: await listenOn(core, listen, { sockets, isPassed }) };
      return {
        commit() {
          current?.server.close();
          current = next;
        },
        discard: () => void next?.server.close(),
      };
    },
    recheck: () => recheckAll(core, recheckOne),
    count: () => core.sessions.size,
    sockets: openSockets(core.sessions, {
      kind: 'forward',
      show: ({ visit }) => ({ target: `${visit.destination.host}:${visit.destination.port}`, userAgent: visit.userAgent, sinceMs: visit.startedMs }),
      end: (session) => cut(core, session),
    }),
    async close() {
      clearInterval(timer);
      const closed = new Promise<void>((done) => (current === null ? done() : void current.server.close(() => done())));
      await untilNone(() => sockets.size, limits.drainMs);
      for (const socket of sockets) socket.destroy();
      await closed;
      // Each has its record. The next start settles the intents of connections that are still being opened.
      await untilNone(() => core.sessions.size, limits.lingerMs);
      await Promise.all(core.records);
    },
  };
}

async function untilNone(count: () => number, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (count() > 0 && performance.now() < until) await delay(10);
}

interface Listening {
  readonly sockets: Set<Socket>;
  readonly isPassed: boolean;
}

async function listenOn(core: ForwardCore, listen: ListenAddress, { sockets, isPassed }: Listening): Promise<Server> {
  const server = createProxyServer(core, sockets);
  await listenOnPort(server, listen, isPassed);
  server.on('error', (error) => core.parts.log.warn({ error: messageOf(error) }, 'the listener of the forward proxy'));
  return server;
}
