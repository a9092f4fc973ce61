// The state that the relay's steps share: its parts, its bounds, its open sockets; and the two steps that may fail: deciding and recording.
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Authorization } from '../../authorization/decide/decider.ts';
import { isForeign } from '../../authorization/decide/origin.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { CLOSE } from '../../prefect/frames/close-codes.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import type { CountedLog } from './counted-log.ts';
import type { RelayLimits } from './limits.ts';
import type { RelayParts } from './parts.ts';
import { type Outcome, socketRecord, type Visit } from './record.ts';
import { EVENTS_IN, isScreened } from './screen.ts';
import type { Session } from './session.ts';

export interface RelayCore {
  readonly parts: RelayParts;
  readonly limits: RelayLimits;
  readonly log: CountedLog;
  readonly webSockets: WebSocketServer;
  readonly admissionQueue: AdmissionQueue;
  /** Authorised sockets. */
  readonly sessions: Set<Session>;
  /** Clients of `/events/in` that have no `auth_success` yet. */
  readonly unready: WeakSet<WebSocket>;
  /** Those of clients that have closed, with frames that wait for Prefect. */
  left: number;
  /** Increased by every recheck: a decision from before is made again. */
  generation: number;
  draining: boolean;
}

const RETRY_EVERY_MS = 250;
const RECORD_AGAIN_MS = 1000;

export function isEventsIn({ operation }: Visit): boolean {
  return operation?.operationId === EVENTS_IN;
}

/**
 * The code of a close after which a stock client connects again. Its handshake on `/events/in` takes any code but 1000 and 1001 for a refusal, and then it
 * drops the events in hand.
 */
export function restartCode({ unready }: RelayCore, client: WebSocket): number {
  return unready.has(client) ? CLOSE.goingAway : CLOSE.restart;
}

/**
 * The decision, or `gateway-unavailable` after `limits.decisionHoldMs` of retries: an upgrade waits while no decision is possible,
 * since a client loses its unsent events with a refused upgrade. `gone` ends the retries when the client has left.
 */
export async function decide(core: RelayCore, visit: Visit, frameToken: string | undefined, gone: () => boolean): Promise<Authorization> {
  const { decider, steady } = core.parts;
  const until = steady() + core.limits.decisionHoldMs;
  for (;;) {
    const generation = core.generation;
    const answer = await decider.authorize(visit.inputs, [], frameToken).catch((error: unknown) => undecided(core, error));
    const settled = answer.ok || answer.reason !== 'gateway-unavailable';
    if (settled && generation === core.generation) return checkRoute(visit, screenedOnly(core, visit, answer));
    if (steady() >= until || gone()) return UNDECIDED;
    if (!settled) await delay(RETRY_EVERY_MS);
  }
}

/**
 * A scoped allow is checked frame by frame (passage.ts), or refused if frames do not name their object. Budgets, taint and approvals do not see
 * frames: a principal that they concern gets no socket. Prefect has no answer for a foreign pool here.
 */
export function screenedOnly(core: RelayCore, visit: Visit, answer: Authorization): Authorization {
  const { parts } = core;
  const { operation } = visit;
  if (!answer.ok) return answer.reason === 'object-foreign' ? { ...answer, reason: 'scope-excludes' } : answer;
  const { principal, credential, decisions, restrictions, instead } = answer;
  const refuse = (reason: ReasonCode): Authorization => ({ ok: false, reason, principal, credential, credentialId: credential.id, decisions });
  if (operation !== undefined && parts.mustMediate?.(principal, operation) === true) return refuse('socket-unchecked');
  if (instead !== undefined) return { ...answer, instead: screenedOnly(core, visit, instead) };
  if (restrictions.length === 0 || (parts.scopeFilterOf !== undefined && isScreened(operation?.operationId ?? ''))) return answer;
  return refuse('scope-not-filterable');
}

/** Writes the record of an allow. A ledger that fails gets `limits.recordHoldMs`: stock clients connect again only a few times. False: the socket must not open. */
export async function recordOpening(core: RelayCore, visit: Visit, authorization: Authorization, gone: () => boolean): Promise<boolean> {
  const until = core.parts.steady() + core.limits.recordHoldMs;
  for (;;) {
    if (await record(core, visit, { authorization, refusal: null })) return true;
    if (core.parts.steady() >= until || gone()) return false;
    await delay(RECORD_AGAIN_MS);
  }
}

/** Writes the decision's record. False: it could not be written, and the socket may change things, so it must not open. */
export async function record(core: RelayCore, visit: Visit, outcome: Outcome): Promise<boolean> {
  try {
    await core.parts.ledger.append(socketRecord(visit, outcome, { nowMs: core.parts.clock(), revision: core.parts.decider.revision }));
    return true;
  } catch (error) {
    core.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'a socket could not be recorded');
    return visit.operation?.writes !== true;
  }
}

/** Records a refusal and logs it, with the hint that its client may never show. */
export async function recordRefusal(core: RelayCore, visit: Visit, refusal: ReasonCode, authorization: Authorization | null): Promise<void> {
  core.log.warn(
    { request_id: visit.inputs.requestId, address: visit.inputs.address, path: visit.inputs.path, code: refusal, hint: REASONS[refusal].hint },
    'socket refused',
  );
  await record(core, visit, { authorization, refusal });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

const UNDECIDED: Authorization = { ok: false, reason: 'gateway-unavailable', principal: null, credential: null, credentialId: null, decisions: [] };

/** The decider threw: an outage, never an allow. */
function undecided(core: RelayCore, error: unknown): Authorization {
  core.log.warn({ error: messageOf(error) }, 'a socket could not be decided');
  return UNDECIDED;
}

/** Only sockets of the catalogue pass, and for browsers only those of the gateway's own pages. */
function checkRoute(visit: Visit, answer: Authorization): Authorization {
  if (!answer.ok) return answer;
  const refuse = (reason: ReasonCode): Authorization => ({ ...answer, ok: false, reason, credentialId: answer.credential.id });
  if (visit.operation?.taken !== 'relay') return refuse('action-unknown');
  if (isForeign(answer.credential, visit.inputs)) return refuse('origin-foreign');
  return answer;
}
