// Logins and logouts as ledger records, and making the end of a session hold.
import type { FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord, RecordedGrant } from '../../contract/record.ts';
import { grantsOfLogin } from '../../identity/authn/recorded-grants.ts';
import { type StartedSession, sessionCredentialId } from '../../identity/authn/session/session.ts';
import type { RouteParts } from './parts.ts';

export interface SessionEvent {
  /** `backchannel_logout`: the identity provider ended it, behind the browser's back. `device`: a login of the command line. */
  readonly action: 'session.login' | 'session.logout' | 'session.backchannel_logout' | 'device.allow' | 'device.refuse';
  /** Null: it succeeded. */
  readonly reason: ReasonCode | null;
  readonly status: number;
  /** `alice@local`; null: no such account. The typed name may be a password, and is not recorded. */
  readonly principalId: string | null;
  /** The identity provider that it is about; null: none. */
  readonly idp: string | null;
  readonly credentialId?: string;
  readonly sessionId?: string;
  readonly grantId?: string;
  readonly grants?: readonly RecordedGrant[];
}

export function sessionRecord(request: FastifyRequest, event: SessionEvent, parts: Pick<RouteParts, 'clock' | 'revision'>): NewRecord {
  const inputs = parseEdgeInputs(request.headers);
  const known = event.principalId !== null;
  return {
    time: new Date(parts.clock()).toISOString(),
    request_id: inputs.requestId === '' ? null : inputs.requestId,
    principal: event.principalId,
    principal_kind: known ? 'user' : null,
    idp: event.idp,
    credential_id: event.credentialId ?? null,
    session_id: event.sessionId ?? null,
    grant_id: event.grantId ?? null,
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
    grants: event.grants ?? null,
  };
}

export interface StartedLogin {
  readonly principalId: string;
  readonly idp: string;
  readonly session: StartedSession;
  /** The session that came along has ended. */
  readonly endedOld: boolean;
}

/** Recorded before the browser gets its cookie: false when the session may not begin, since it is not in the ledger; it has ended then. */
export async function recordStart(request: FastifyRequest, login: StartedLogin, parts: RouteParts): Promise<boolean> {
  const { principalId, idp, session, endedOld } = login;
  const who = { principalId, idp, credentialId: sessionCredentialId(session.id), sessionId: session.id };
  try {
    const stored = await parts.store.sessions.byId(session.id);
    const grants = stored === undefined ? [] : grantsOfLogin(stored.owner, parts.config, { principal: principalId, expiresMs: stored.expiresMs });
    await parts.ledger.append(sessionRecord(request, { action: 'session.login', reason: null, status: 303, ...who, grants }, parts));
  } catch (error) {
    parts.log.error({ err: error }, 'a login could not be recorded');
    if (parts.config.ledger.failClosed) {
      await parts.people.sessions.end(session.cookieValue);
      await makeItHold(parts);
      return false;
    }
  }
  if (endedOld) await makeItHold(parts);
  return true;
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
