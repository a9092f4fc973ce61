// The session of a request for one of the gateway's pages.
import type { FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { Principal } from '../../contract/principal.ts';
import type { RouteParts } from './parts.ts';

export interface OwnSession {
  readonly principal: Principal;
  readonly sessionId: string;
}

/** Ignores all other credentials. */
export async function sessionOf(request: FastifyRequest, parts: Pick<RouteParts, 'authenticator'>): Promise<OwnSession | undefined> {
  const inputs = parseEdgeInputs(request.headers);
  if (inputs.session === '') return undefined;
  const verdict = await parts.authenticator.authenticate({ ...inputs, authorization: '', token: '', certificate: '' });
  const sessionId = verdict.ok ? verdict.credential.sessionId : null;
  return verdict.ok && sessionId !== null ? { principal: verdict.principal, sessionId } : undefined;
}
