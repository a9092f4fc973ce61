// The relay: authenticates every socket of Prefect, since nginx can neither read a first frame nor close a single socket.
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { LictorError } from '../../contract/error.ts';
import { joinSockets, type OpenSockets } from '../../contract/open-socket.ts';
import type { WorkerChannel } from '../../contract/worker-channel.ts';
import { inWaves } from '../tunnels/in-waves.ts';
import { openSockets } from '../tunnels/open-sockets.ts';
import { recheckAll, recheckExpired } from '../tunnels/recheck.ts';
import { createAdmissionQueue } from './admission-queue.ts';
import { messageOf, type RelayCore, restartCode } from './core.ts';
import { createCountedLog } from './counted-log.ts';
import { answerPlainRequest, answerUpgrade } from './handshake.ts';
import { RELAY_LIMITS, type RelayLimits } from './limits.ts';
import type { RelayParts } from './parts.ts';
import { endForNow, recheckOne } from './recheck.ts';
import { refuse, responseOn } from './refuse.ts';
import { createServiceSockets } from './services/sockets.ts';
import { workerChannels } from './worker-hello.ts';

export interface Relay {
  /** Takes a raw connection from nginx; its request carries the INPUT headers. */
  accept(socket: Socket): void;
  /** Closes every socket with 1012 (those of services with 1001), in waves. Resolves when none is left, `drainMs` after the last wave. Accepts no more. */
  drain(): Promise<void>;
  /** After a security change. Resolves when every open socket is decided again. Denied ones close with 1008. */
  recheck(): Promise<void>;
  /** Closes the present sockets with 1012 after `afterMs`: stock clients reconnect at once. New sockets are accepted. */
  restart(afterMs?: number): Promise<void>;
  /** Open sockets, authorised or not. */
  count(): number;
  /** Authorised ones, those of services too. */
  readonly sockets: OpenSockets;
  /** The workers whose channels are open. */
  workers(): readonly WorkerChannel[];
}

/** nginx accepts up to eight 32 KiB header lines (src/edge/nginx), and repeats some of them under another name. */
const HEADER_BYTES = 320 * 1024;

export function createRelay(parts: RelayParts): Relay {
  const core = createCore(parts);
  const services = parts.services && createServiceSockets({ ...parts.services, log: core.log, clock: parts.clock });
  const server = createServer({ maxHeaderSize: HEADER_BYTES, headersTimeout: 10_000, requestTimeout: 30_000 });
  server.on('request', (request, response) => {
    if (!parts.fromEdge(request)) return void request.socket.destroy();
    settle(core, response, services?.takesPlain(request, response) ?? answerPlainRequest(core, request, response));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!parts.fromEdge(request)) return void socket.destroy();
    const upgrade = { request, socket, head };
    settle(core, socket, services?.takes(upgrade) ?? answerUpgrade(core, upgrade));
  });
  core.webSockets.on('wsClientError', (_error: Error, socket: Duplex, request: IncomingMessage) =>
    refuse(responseOn(request, socket), 'request-invalid', parseEdgeInputs(request.headers).requestId),
  );
  const recheck = oneAfterAnother(async () => void (await Promise.all([recheckAll(core, recheckOne), services?.recheck()])));
  const recheckOver = async (): Promise<void> => void (await Promise.all([recheckExpired(core, recheckOne), services?.recheckExpired()]));
  const stopTicking = startTicking(core, recheck, recheckOver);
  let connections = 0;
  return {
    accept: (socket) => {
      if (core.draining || connections >= core.limits.connections) {
        socket.destroy();
        return;
      }
      connections += 1;
      socket.once('close', () => {
        connections -= 1;
      });
      server.emit('connection', socket);
      socket.resume();
    },
    drain: async () => {
      core.draining = true;
      stopTicking();
      await Promise.all([closeAll(core, [...core.webSockets.clients]), services?.drain()]);
      server.closeAllConnections();
    },
    recheck,
    restart: async (afterMs = 0) => {
      const open = [...core.webSockets.clients];
      const ended = services?.restart(afterMs);
      if (afterMs > 0) await delay(afterMs, undefined, { ref: false });
      await Promise.all([closeAll(core, open), ended]);
    },
    count: () => core.webSockets.clients.size + (services?.count() ?? 0),
    sockets: joinSockets([prefectSockets(core), ...(services === undefined ? [] : [services.sockets])]),
    workers: () => workerChannels(core),
  };
}

function prefectSockets(core: RelayCore): OpenSockets {
  return openSockets(core.sessions, {
    kind: 'prefect',
    show: ({ visit, sinceMs, worker }) => ({ target: visit.inputs.path, userAgent: visit.userAgent || null, sinceMs, worker: worker?.name ?? null }),
    end: (session) => endForNow(core, session, 'socket-closed'),
  });
}

function createCore(parts: RelayParts): RelayCore {
  const limits: RelayLimits = { ...RELAY_LIMITS, ...parts.limits };
  return {
    parts,
    limits,
    log: createCountedLog(parts.log ?? { warn: () => undefined }, parts.steady),
    webSockets: new WebSocketServer({
      noServer: true,
      autoPong: false,
      perMessageDeflate: false,
      maxPayload: limits.frameBytes,
      handleProtocols: (offered) => (offered.has('prefect') ? 'prefect' : false),
    }),
    admissionQueue: createAdmissionQueue(
      { perAddress: limits.waitingPerAddress, total: limits.waitingTotal, perSecond: limits.waitingPerSecond },
      parts.steady,
    ),
    sessions: new Set(),
    unready: new WeakSet(),
    left: 0,
    generation: 0,
    draining: false,
  };
}

/** Any failure in a step ends only this connection: it never opens one, and never ends the process. */
function settle(core: RelayCore, connection: { destroy(): unknown }, step: Promise<void>): void {
  step.catch((error: unknown) => {
    if (!(error instanceof LictorError && error.code === 'client-gone')) core.log.warn({ error: messageOf(error) }, 'a socket ended before it was opened');
    connection.destroy();
  });
}

/** A call during a run waits for one more complete run: its change may be later than the beginning of the present run. */
function oneAfterAnother(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = () => {
    next = undefined;
    current = run().finally(() => {
      current = undefined;
    });
    return current;
  };
  return () => {
    if (current === undefined) return start();
    next ??= current.then(start, start);
    return next;
  };
}

/** One timer for all sockets: the change number as a backstop, and expiries. */
function startTicking(core: RelayCore, recheck: () => Promise<void>, recheckOver: () => Promise<void>): () => void {
  let seen: number | undefined;
  let busy = false;
  const look = async () => {
    const number = await core.parts.store.changeNumber();
    if (seen !== undefined && number !== seen) await recheck();
    seen = number;
  };
  const tick = async () => {
    core.log.flush();
    await look();
    await recheckOver();
  };
  const start = (step: () => Promise<void>) => {
    if (busy) return;
    busy = true;
    step()
      .catch((error: unknown) => core.log.warn({ error: messageOf(error) }, 'open sockets could not be looked at'))
      .finally(() => {
        busy = false;
      });
  };
  start(look);
  const timer = setInterval(() => start(tick), core.limits.tickMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function closeAll(core: RelayCore, sockets: readonly WebSocket[]): Promise<void> {
  const closed: Promise<void>[] = [];
  await inWaves(sockets, (client) => {
    if (client.readyState !== client.CLOSED) closed.push(closing(core, client));
  });
  const timer = setTimeout(() => {
    for (const client of sockets) client.terminate();
  }, core.limits.drainMs);
  await Promise.all(closed);
  clearTimeout(timer);
}

function closing(core: RelayCore, client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve());
    // A paused socket would never read the answer to its close.
    client.resume();
    client.close(restartCode(core, client), 'the gateway restarts');
  });
}
