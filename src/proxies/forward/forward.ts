// The forward proxy: a way out for tasks that use APIs of others, for whom policies permit it, to listed hosts with public addresses.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ListenAddress } from '../../config/config.ts';
import { type ForwardCore, messageOf } from './core.ts';
import { FORWARD_LIMITS } from './limits.ts';
import type { ForwardParts } from './parts.ts';
import { recheckAll, recheckExpired } from './recheck.ts';
import { createResolve } from './resolve.ts';
import { createProxyServer } from './server.ts';

export interface ForwardProxy {
  /** Listens there already, so that a port that is taken is known before anything changes; until then the configuration in use decides. Rejects with the system's error. */
  prepare(listen: ListenAddress | null): Promise<Prepared>;
  /** After a security change or a reload: resolves when every open connection has been decided again. */
  recheck(): Promise<void>;
  /** Open connections that were allowed. */
  count(): number;
  /** Closes everything; nothing is accepted any more. */
  close(): Promise<void>;
}

export interface Prepared {
  /** From now on it is the listener; the former one accepts nothing more, and its connections stay. */
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
    recheckExpired(core).catch((error: unknown) => parts.log.warn({ error: messageOf(error) }, 'open connections could not be looked at'));
  }, limits.tickMs);
  timer.unref();
  return {
    async prepare(listen) {
      const address = listen === null ? null : `${listen.host} ${listen.port}`;
      if (address === (current?.address ?? null)) return { commit: () => undefined, discard: () => undefined };
      const next = listen === null || address === null ? null : { address, server: await listenOn(core, listen, sockets) };
      return {
        commit() {
          current?.server.close();
          current = next;
        },
        discard: () => void next?.server.close(),
      };
    },
    recheck: () => recheckAll(core),
    count: () => core.sessions.size,
    async close() {
      clearInterval(timer);
      const closed = new Promise<void>((done) => (current === null ? done() : void current.server.close(() => done())));
      for (const socket of sockets) socket.destroy();
      await closed;
      // Each has its record; the next start settles the intent of what is still being connected.
      const until = performance.now() + limits.lingerMs;
      while (core.sessions.size > 0 && performance.now() < until) await delay(10);
      await Promise.all(core.records);
    },
  };
}

async function listenOn(core: ForwardCore, { host, port }: ListenAddress, sockets: Set<Socket>): Promise<Server> {
  const server = createProxyServer(core, sockets);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve());
  });
  server.on('error', (error) => core.parts.log.warn({ error: messageOf(error) }, 'the listener of the forward proxy'));
  return server;
}
