// Logins and logouts as ledger records, and making the end of a session hold.
import type { FastifyRequest } from 'fastify';
import type { ReasonCode } from '../contract/reasons.ts';
import type { NewRecord } from '../contract/record.ts';
import { parseEdgeInputs } from '../decide/inputs.ts';
import type { RouteParts } from './parts.ts';

export interface SessionEvent {
  readonly action: 'session.login' | 'session.logout';
  /** Null: it succeeded. */
  readonly reason: ReasonCode | null;
  readonly status: number;
  /** `alice@local`; null when nobody of the name exists: what was typed may be a password. */
  readonly principalId: string | null;
  readonly credentialId?: string;
  readonly sessionId?: string;
}

export function sessionRecord(request: FastifyRequest, event: SessionEvent, parts: Pick<RouteParts, 'clock' | 'people' | 'revision'>): NewRecord {
  const inputs = parseEdgeInputs(request.headers);
  const known = event.principalId !== null;
  return {
    time: new Date(parts.clock()).toISOString(),
    request_id: inputs.requestId === '' ? null : inputs.requestId,
    principal: event.principalId,
    principal_kind: known ? 'user' : null,
    idp: known ? parts.people.idp : null,
    credential_id: event.credentialId ?? null,
    session_id: event.sessionId ?? null,
    source_ip: inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.method,
    path: request.url.split('?', 1)[0] ?? null,
    action: event.action,
    decision: event.reason === null ? 'allow' : 'deny',
    reason: event.reason,
    status: event.status,
    mode: 'enforce',
    revision: parts.revision,
  };
}

/** After a session has ended: its decisions are remembered by nginx for a second or two. A failure is logged; they end by themselves. */
export async function makeItHold({ sync, log }: RouteParts): Promise<void> {
  try {
    await sync?.();
  } catch (error) {
    log.error({ err: error }, 'remembered decisions could not be swept');
  }
}

/** For what must happen whether it can be recorded or not (a refusal, a logout): the failure is logged. */
export async function recordAnyway(request: FastifyRequest, event: SessionEvent, parts: RouteParts): Promise<void> {
  try {
    await parts.ledger.append(sessionRecord(request, event, parts));
  } catch (error) {
    parts.log.error({ err: error, action: event.action }, 'a session event could not be recorded');
  }
}
