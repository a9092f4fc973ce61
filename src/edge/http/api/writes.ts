// What every change over the admin API needs beside its right: a browser session, this origin, a proof of the session, and a recent login.
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import { isForeignWrite } from '../../../authorization/decide/origin.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { isRecentLogin } from '../../../identity/authn/session/recent-login.ts';
import type { RouteParts } from '../parts.ts';
import type { ApiRoute, CallContext } from './api-route.ts';

export const CSRF_HEADER = 'x-csrf-token';

type Parts = Pick<RouteParts, 'sealer' | 'store' | 'clock'>;

/** For `me`: a page of another site cannot read it, and it is valid in this session only. */
export function csrfToken(sessionId: string, { sealer }: Pick<Parts, 'sealer'>): string {
  return sealer.seal(sessionId, ABOUT);
}

const ABOUT = 'changes over the admin API';

/** Undefined: the change may go on. Programs have the command line on the gateway's machine. */
export async function objectionToWrite(
  { request, authorization }: Pick<CallContext, 'request' | 'authorization'>,
  parts: Parts,
): Promise<ReasonCode | undefined> {
  const { credential } = authorization;
  if (credential.carrier !== 'session' || credential.sessionId === null) return 'session-required';
  const token = request.headers[CSRF_HEADER];
  const isOwn = typeof token === 'string' && parts.sealer.open(token, ABOUT) === credential.sessionId;
  if (!isOwn || !parseEdgeInputs(request.headers).sameOrigin) return 'origin-foreign';
  const session = await parts.store.sessions.byId(credential.sessionId);
  return session !== undefined && isRecentLogin(session, parts.clock()) ? undefined : 'login-not-recent';
}

/** A page of another site must not make a browser with a session start work here. */
export function objectionToRead(
  { method }: Pick<ApiRoute, 'method'>,
  { inputs, authorization }: Pick<CallContext, 'inputs' | 'authorization'>,
): ReasonCode | undefined {
  return isForeignWrite(authorization.credential, inputs, method) ? 'origin-foreign' : undefined;
}
