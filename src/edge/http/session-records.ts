// Ledger records of logins and logouts. Also removes cached decisions after the end of a session.
import type { FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord, RecordedGrant } from '../../contract/record.ts';
import { grantsOfLogin } from '../../identity/authn/recorded-grants.ts';
import { type StartedSession, sessionCredentialId } from '../../identity/authn/session/session.ts';
import type { RouteParts } from './parts.ts';

export interface SessionEvent {
  /** `backchannel_logout`: the identity provider ended the session without the browser. `device`, `authorize`: a login of a client. */
  readonly action:
    | 'session.login'
    | 'session.logout'
    | 'session.backchannel_logout'
    | 'device.allow'
    | 'device.refuse'
    | 'authorize.allow'
    | 'authorize.refuse'
    | 'approval.approve'
    | 'approval.deny';
  /** Null: it succeeded. */
  readonly reason: ReasonCode | null;
  readonly status: number;
  /** `alice@local`. Null: no such account. The record omits the typed name, because it may be a password. */
  readonly principalId: string | null;
  /** The identity provider of the event. Null: none. */
  readonly idp: string | null;
  readonly credentialId?: string;
  readonly sessionId?: string;
  readonly grantId?: string;
  readonly approvalId?: string;
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
    approval_id: event.approvalId ?? null,
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
  /** The login has ended the session that the browser had before. */
  readonly endedOld: boolean;
}

/** Records the login before the browser gets its cookie. False: it could not be recorded, so this has ended the session. */
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

/** After the end of a session: removes its decisions from nginx's cache. A failure is logged. They expire after one or two seconds anyway. */
export async function makeItHold({ sync, log }: RouteParts): Promise<void> {
  try {
    await sync();
  } catch (error) {
    log.error({ err: error }, 'remembered decisions could not be swept');
  }
}

/** For events that happen even without a record (a rejection, a logout). A failure is logged. */
export async function recordAnyway(request: FastifyRequest, event: SessionEvent, parts: RouteParts): Promise<void> {
  try {
    await parts.ledger.append(sessionRecord(request, event, parts));
  } catch (error) {
    parts.log.error({ err: error, action: event.action }, 'a session event could not be recorded');
  }
}
