// The steps before a client's socket is open: origin, handshake, decision, limits, intent, the service's socket, the answer.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Authorization } from '../../../authorization/decide/decider.ts';
import type { Service } from '../../../config/service.ts';
import { REASONS, type ReasonCode } from '../../../contract/reasons.ts';
import type { ServiceCall } from '../../../contract/service-call.ts';
import { countOf } from '../../tunnels/recheck.ts';
import { type Attended, attend } from '../attend.ts';
import { refuse, responseOn } from '../refuse.ts';
import { type Ending, endingOf, messageOf, type Refusal, recordEnd, recordIntent, recordRefusal, type ServiceSocketCore, type Session } from './core.ts';
import { type Handshake, parseHandshake, renderSwitch } from './handshake.ts';
import { openServiceSocket, type ServiceSocket } from './open.ts';
import type { SocketRuntime } from './parts.ts';
import { recheckOne } from './recheck.ts';
import { runSession } from './session.ts';
import { callOf, type SocketVisit } from './visit.ts';

export interface Asking {
  readonly visit: SocketVisit;
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** Data after the head of the request. */
  readonly head: Buffer;
}

/** Every answer has its record. */
export async function answerAsking(core: ServiceSocketCore, asking: Asking): Promise<void> {
  const { visit, request } = asking;
  const handshake = parseHandshake(request.headers);
  const { service, call } = whatIsAsked(core.parts.runtime(), visit);
  const reason = problemOf(core, asking, { handshake, service });
  if (reason !== undefined) return refuseAsking(core, asking, { call, reason, authorization: null });
  if (handshake !== undefined) await admit(core, asking, handshake);
}

interface Found {
  readonly handshake: Handshake | undefined;
  readonly service: Service | undefined;
}

/** Checked before authentication: a page of another site must not learn whether its visitor is known here. */
function problemOf(core: ServiceSocketCore, { visit }: Asking, { handshake, service }: Found): ReasonCode | undefined {
  if (visit.inputs.foreignOrigin === true) return 'origin-foreign';
  if (service?.sockets !== true) return 'service-upgrade';
  if (handshake === undefined) return 'socket-handshake';
  return core.draining ? 'gateway-restarts' : undefined;
}

async function admit(core: ServiceSocketCore, asking: Asking, handshake: Handshake): Promise<void> {
  const { visit, socket } = asking;
  const ending = new AbortController();
  const attended = attend(asking);
  void attended.left.then(() => {
    ending.abort('client-gone');
    socket.destroy();
  });
  const { generation } = core;
  const { runtime, service, call, authorization } = await decide(core, visit);
  const reason = refusalOf(core, authorization) ?? (service === undefined ? 'service-upgrade' : undefined);
  if (reason !== undefined || !authorization?.ok || service === undefined)
    return refuseAsking(core, asking, { call, reason: reason ?? 'gateway-unavailable', authorization });
  const session: Session = { visit, call, runtime, service, ending, authorization, origin: null, intended: false };
  enter(core, session);
  // Decided before a security change, and not among the sockets that were decided again.
  if (core.generation !== generation) await recheckOne(core, session);
  await openSession(core, session, { ...asking, handshake, attended });
}

/** It has its place from now on. The place is free as soon as the client has left, in any step. */
function enter({ sessions }: ServiceSocketCore, session: Session): void {
  sessions.add(session);
  const leave = (): void => void (endingOf(session) === 'client-gone' && sessions.delete(session));
  session.ending.signal.addEventListener('abort', leave);
  leave();
}

interface Decided {
  readonly runtime: SocketRuntime;
  readonly service: Service | undefined;
  readonly call: ServiceCall;
  /** Null: no decision was possible. It is never an allow. */
  readonly authorization: Authorization | null;
}

/** By one configuration. If a reload replaced it meanwhile, by the new one. */
async function decide(core: ServiceSocketCore, visit: SocketVisit): Promise<Decided> {
  for (;;) {
    const runtime = core.parts.runtime();
    const asked = whatIsAsked(runtime, visit);
    const authorization = await runtime.services.calls.authorize(visit.inputs, asked.call).catch((error: unknown) => {
      core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'a socket of a service could not be decided');
      return null;
    });
    if (runtime === core.parts.runtime()) return { runtime, ...asked, authorization };
  }
}

function whatIsAsked({ config }: SocketRuntime, visit: SocketVisit): { readonly service: Service | undefined; readonly call: ServiceCall } {
  const service = config.services.find(({ name, sockets }) => name === visit.service && sockets);
  return { service, call: callOf(visit, service) };
}

/** Undefined: it may open. */
function refusalOf({ sessions, limits, draining }: ServiceSocketCore, authorization: Authorization | null): ReasonCode | undefined {
  if (authorization === null) return 'gateway-unavailable';
  if (!authorization.ok) return authorization.reason;
  if (draining) return 'gateway-restarts';
  if (countOf(sessions, authorization.principal.id) >= limits.perPrincipal) return 'rate-limited';
  return sessions.size >= limits.inAll ? 'sockets-full' : undefined;
}

interface Opening extends Asking {
  readonly handshake: Handshake;
  readonly attended: Attended;
}

async function openSession(core: ServiceSocketCore, session: Session, opening: Opening): Promise<void> {
  const { socket: client, handshake, attended } = opening;
  const opened = await openUnlessEnded(core, session, handshake).catch((error: unknown): ReasonCode => {
    core.parts.log.warn({ request_id: session.visit.inputs.requestId, error: messageOf(error) }, 'a socket of a service was not opened');
    return 'gateway-unavailable';
  });
  const ending = endingOf(session);
  const upgrade = typeof opened === 'string' || ending !== undefined ? undefined : attended.end();
  if (typeof opened !== 'string' && upgrade !== undefined) {
    client.write(renderSwitch(handshake, opened.protocol));
    return runSession(core, session, { client, early: upgrade.head, opened });
  }
  if (typeof opened !== 'string') opened.socket.destroy();
  core.sessions.delete(session);
  await refuseOpening(core, session, opening, ending ?? (typeof opened === 'string' ? opened : 'client-gone'));
}

async function openUnlessEnded(core: ServiceSocketCore, session: Session, { protocols }: Handshake): Promise<ServiceSocket | ReasonCode> {
  if (endingOf(session) !== undefined) return 'gateway-unavailable';
  if (!(await recordIntent(core, session))) return 'ledger-unavailable';
  return openServiceSocket(core, session, protocols);
}

/** The status of nginx's log: the client left before an answer. */
const CLIENT_GONE = 499;

async function refuseOpening(core: ServiceSocketCore, session: Session, { request, socket }: Opening, ending: Ending): Promise<void> {
  if (ending === 'client-gone') {
    socket.destroy();
    return await recordEnd(core, session, { status: CLIENT_GONE, bytes: 0 });
  }
  refuse(responseOn(request, socket), ending, session.visit.inputs.requestId);
  if (session.intended) return await recordEnd(core, session, { status: REASONS[ending].status, reason: ending, bytes: 0 });
  await recordRefusal(core, session.visit, { ...session, reason: ending });
}

async function refuseAsking(core: ServiceSocketCore, { visit, request, socket }: Asking, refused: Refusal): Promise<void> {
  await recordRefusal(core, visit, refused);
  refuse(responseOn(request, socket), refused.reason, visit.inputs.requestId);
}
