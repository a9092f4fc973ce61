// The state that the steps of a service's socket share: its parts, its bounds, its open sockets, and its records.

import type { Authorization } from '../../../authorization/decide/decider.ts';
import type { Service } from '../../../config/service.ts';
import { REASONS, type ReasonCode } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import type { ServiceCall } from '../../../contract/service-call.ts';
import type { ServiceAgent } from '../../egress/agent.ts';
import type { ChooseServers } from '../../egress/choose-servers.ts';
import type { ServiceSocketLimits } from './limits.ts';
import type { ServiceSocketParts, SocketRuntime } from './parts.ts';
import { socketRecord } from './record.ts';
import type { SocketVisit } from './visit.ts';

export type Allowed = Extract<Authorization, { ok: true }>;

/** Why the gateway ends a socket, or does not open it. */
export type Ending = ReasonCode | 'client-gone';

/** An allowed socket, from its decision to its end. */
export interface Session {
  readonly visit: SocketVisit;
  readonly call: ServiceCall;
  /** Of the decision: the service never gets data of another configuration. */
  readonly runtime: SocketRuntime;
  readonly service: Service;
  /** Aborted with an `Ending`, which ends the present step. Only the first one counts. */
  readonly ending: AbortController;
  /** The latest one: its expiry is watched. */
  authorization: Allowed;
  /** The server. Null: the socket is being opened. */
  origin: string | null;
  /** False: there is no intent to settle, since the ledger failed and was not required. */
  intended: boolean;
}

export interface ServiceSocketCore {
  readonly parts: ServiceSocketParts;
  readonly limits: ServiceSocketLimits;
  readonly sessions: Set<Session>;
  readonly choose: ChooseServers;
  /** One for each service of a configuration. */
  readonly agents: WeakMap<Service, ServiceAgent>;
  /** Records of ended sockets that are being written. */
  readonly records: Set<Promise<void>>;
  /** Increased by every recheck: a decision from before is made again. */
  generation: number;
  draining: boolean;
}

/** Undefined: the session continues. */
export function endingOf({ ending: { signal } }: Pick<Session, 'ending'>): Ending | undefined {
  return signal.aborted ? (signal.reason as Ending) : undefined;
}

export interface Refusal {
  readonly call: ServiceCall;
  readonly reason: ReasonCode;
  /** Null: no decision was made. */
  readonly authorization: Authorization | null;
}

/** Never rejects: the refusal stands, recorded or not. */
export async function recordRefusal(core: ServiceSocketCore, visit: SocketVisit, { call, reason, authorization }: Refusal): Promise<void> {
  const { ledger, log } = core.parts;
  const { requestId, address } = visit.inputs;
  log.warn({ request_id: requestId, address, service: visit.service, code: reason, hint: REASONS[reason].hint }, 'socket of a service refused');
  const record = socketRecord(visit, { ...inRoom(core), call, authorization, refusal: reason });
  await ledger.append({ ...record, request_id: record.request_id || null }).catch((error: unknown) => notRecorded(core, visit, error));
}

/** False: it could not be recorded, so the socket must not open. */
export async function recordIntent(core: ServiceSocketCore, session: Session): Promise<boolean> {
  try {
    await core.parts.ledger.intend(recordOf(core, session));
    session.intended = true;
    return true;
  } catch (error) {
    notRecorded(core, session.visit, error);
    return !core.parts.runtime().config.ledger.failClosed;
  }
}

/** Never rejects. */
export function recordEnd(core: ServiceSocketCore, session: Session, outcome: Partial<NewRecord>): Promise<void> {
  const written = writeEnd(core, session, outcome).finally(() => core.records.delete(written));
  core.records.add(written);
  return written;
}

async function writeEnd(core: ServiceSocketCore, session: Session, outcome: Partial<NewRecord>): Promise<void> {
  const { ledger, clock } = core.parts;
  const { visit, intended } = session;
  const whole = { ...outcome, duration_ms: Math.max(0, clock() - visit.startedMs) };
  try {
    if (intended) await ledger.settle(visit.inputs.requestId, whole);
    else await ledger.append({ ...recordOf(core, session), ...whole });
  } catch (error) {
    notRecorded(core, visit, error);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

function recordOf(core: ServiceSocketCore, { visit, call, authorization }: Session) {
  return socketRecord(visit, { ...inRoom(core), call, authorization, refusal: null });
}

function inRoom({ parts }: ServiceSocketCore) {
  const { config, revision } = parts.runtime();
  return { basePath: config.publicUrl.basePath, revision };
}

function notRecorded({ parts }: ServiceSocketCore, { inputs }: SocketVisit, error: unknown): void {
  parts.log.warn({ request_id: inputs.requestId, error: messageOf(error) }, 'a socket of a service could not be recorded');
}
