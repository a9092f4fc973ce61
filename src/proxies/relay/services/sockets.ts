// WebSockets of services: decided like calls, and opened by the relay, since a socket must end when its right ends.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenSockets } from '../../../contract/open-socket.ts';
import { createChooseServers } from '../../egress/choose-servers.ts';
import { inWaves } from '../../tunnels/in-waves.ts';
import { openSockets } from '../../tunnels/open-sockets.ts';
import { recheckAll, recheckExpired } from '../../tunnels/recheck.ts';
import { refuse } from '../refuse.ts';
import { answerAsking } from './admit.ts';
import { type Ending, recordRefusal, type ServiceSocketCore } from './core.ts';
import { SERVICE_SOCKET_LIMITS } from './limits.ts';
import type { ServiceSocketParts } from './parts.ts';
import { recheckOne } from './recheck.ts';
import { callOf, readVisit } from './visit.ts';

export interface ServiceSockets {
  /** Resolves when it is open or refused. Undefined: the request is for no service, and nothing was done. */
  takes(upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }): Promise<void> | undefined;
  /** The same for a request that nginx has sent without an upgrade: it cannot become a socket. */
  takesPlain(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined;
  recheck(): Promise<void>;
  recheckExpired(): Promise<void>;
  /** Ends the present sockets with 1001, after `afterMs`. */
  restart(afterMs: number): Promise<void>;
  /** Ends all, and waits for their records. No more can open. */
  drain(): Promise<void>;
  count(): number;
  readonly sockets: OpenSockets;
}

export function createServiceSockets(parts: ServiceSocketParts): ServiceSockets {
  const core = createCore(parts);
  const endAll = (sessions: Iterable<{ readonly ending: AbortController }>): Promise<void> =>
    inWaves(sessions, ({ ending }) => ending.abort('gateway-restarts' satisfies Ending));
  return {
    takes({ request, socket, head }) {
      const visit = readVisit(request, parts.clock());
      return visit !== undefined && socket instanceof Socket ? answerAsking(core, { visit, request, socket, head }) : undefined;
    },
    takesPlain(request, response) {
      const visit = readVisit(request, parts.clock());
      if (visit === undefined) return undefined;
      const reason = visit.inputs.foreignOrigin === true ? 'origin-foreign' : 'socket-handshake';
      refuse(response, reason, visit.inputs.requestId);
      return recordRefusal(core, visit, { call: callOf(visit, undefined), reason, authorization: null });
    },
    recheck: () => recheckAll(core, recheckOne),
    recheckExpired: () => recheckExpired(core, recheckOne),
    async restart(afterMs) {
      const open = [...core.sessions];
      if (afterMs > 0) await delay(afterMs, undefined, { ref: false });
      await endAll(open);
    },
    async drain() {
      core.draining = true;
      await endAll(core.sessions);
      const until = performance.now() + core.limits.drainMs;
      while (core.sessions.size > 0 && performance.now() < until) await delay(10);
      await Promise.all(core.records);
    },
    count: () => core.sessions.size,
    sockets: openSockets(core.sessions, {
      kind: 'service',
      show: ({ visit }) => ({ target: visit.inputs.path, userAgent: visit.headers['user-agent'] ?? null, sinceMs: visit.startedMs }),
      end: ({ ending }) => ending.abort('socket-closed' satisfies Ending),
    }),
  };
}

function createCore(parts: ServiceSocketParts): ServiceSocketCore {
  const sessions: ServiceSocketCore['sessions'] = new Set();
  return {
    parts,
    limits: { ...SERVICE_SOCKET_LIMITS, ...parts.limits },
    sessions,
    choose: createChooseServers({
      isDown: parts.servers.isDown,
      openAt: ({ name }, { origin }) => [...sessions].filter((session) => session.service.name === name && session.origin === origin).length,
    }),
    agents: new WeakMap(),
    records: new Set(),
    generation: 0,
    draining: false,
  };
}
