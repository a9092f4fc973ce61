// Login at an identity provider: the redirect to it, and the answer from it.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { LOGIN_BROWSER } from '../../contract/names.ts';
import { REASONS } from '../../contract/reasons.ts';
import { STATE } from '../../identity/authn/external/attempts.ts';
import type { FinishedLogin, RefusedLogin } from '../../identity/authn/external/login.ts';
import { sendPage, sendRefusal, wantsPage } from './answers.ts';
import { findAuthorization } from './authorize-routes.ts';
import { callbackUrl } from './callback-url.ts';
import { finishOffline } from './client-login.ts';
import { findDevice } from './device-routes.ts';
import type { RouteParts } from './parts.ts';
import { safeReturnPath } from './return-path.ts';
import { expiredLoginCookie, loginCookie, sessionCookie } from './session-cookie.ts';
import { recordAnyway, recordStart } from './session-records.ts';

const RETRY_SECONDS = '10';

const WAITING = { device: findDevice, authorize: findAuthorization };

export function registerCallback(app: FastifyInstance, parts: RouteParts): void {
  app.get<{ Params: { idp: string } }>(`${parts.prefix}/callback/:idp`, { exposeHeadRoute: false }, (request, reply) => {
    const params = new URLSearchParams(request.url.split('?')[1] ?? '');
    return finishAtProvider(request, reply, { parts, idp: request.params.idp, params, state: params.get('state') ?? '' });
  });
}

export interface BeginAt {
  readonly parts: RouteParts;
  readonly idp: string;
  readonly returnTo: string;
  readonly asOtherPrincipal: boolean;
  readonly isFresh: boolean;
}

export async function beginAtProvider(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, idp, returnTo, asOtherPrincipal, isFresh }: BeginAt,
): Promise<FastifyReply> {
  const { address } = parseEdgeInputs(request.headers);
  const begun = await parts.logins.begin({ idp, callbackUrl: callbackUrl(parts, idp), returnTo, asOtherPrincipal, isFresh, address });
  if (!begun.ok) return await refuse(request, reply, { parts, idp, refused: begun });
  return reply.code(302).header('set-cookie', loginCookie(parts.config.publicUrl, begun.attempt)).header('location', begun.location).send();
}

interface At {
  readonly parts: RouteParts;
  readonly idp: string;
}

export interface FinishAt extends At {
  /** The parameters that the browser brings back. */
  readonly params: URLSearchParams;
  /** The name of the attempt. Null: this browser has started none. */
  readonly state: string | null;
}

/** Removes the cookie of the attempt in any case, because an attempt is used only once. */
export async function finishAtProvider(request: FastifyRequest, reply: FastifyReply, { parts, idp, params, state }: FinishAt): Promise<FastifyReply> {
  const inputs = parseEdgeInputs(request.headers);
  const { publicUrl } = parts.config;
  if (state !== null && STATE.test(state)) reply.header('set-cookie', expiredLoginCookie(publicUrl, state));
  const answer = { idp, params, oldCookieValue: inputs.session };
  const result =
    state === null
      ? await parts.logins.finishUnasked(answer)
      : await parts.logins.finish({ ...answer, callbackUrl: callbackUrl(parts, idp), state, browser: headerText(request.headers[LOGIN_BROWSER]) });
  if (result.ok && 'purpose' in result) return await finishOffline(request, reply, { parts, idp, finished: result, finders: WAITING });
  return result.ok ? await accept(request, reply, { parts, idp, result }) : await refuse(request, reply, { parts, idp, refused: result });
}

interface Accepted extends At {
  readonly result: FinishedLogin;
}

async function accept(request: FastifyRequest, reply: FastifyReply, { parts, idp, result }: Accepted): Promise<FastifyReply> {
  const { principalId, session, endedOld, returnTo } = result;
  if (!(await recordStart(request, { principalId, idp, session, endedOld }, parts))) {
    return await answerRefusal(request, reply, {
      parts,
      idp,
      refused: { ok: false, reason: 'ledger-unavailable', detail: '', principalId, missingGroups: [] },
    });
  }
  const { publicUrl } = parts.config;
  return reply
    .code(303)
    .header('set-cookie', sessionCookie(publicUrl, session.cookieValue))
    .header('location', safeReturnPath(returnTo, publicUrl.basePath))
    .send();
}

interface Refused extends At {
  readonly refused: RefusedLogin;
}

async function refuse(request: FastifyRequest, reply: FastifyReply, { parts, idp, refused }: Refused): Promise<FastifyReply> {
  const { reason, detail, principalId } = refused;
  const known = parts.logins.idps.includes(idp);
  parts.log.warn({ idp: known ? idp : null, reason, detail, request_id: parseEdgeInputs(request.headers).requestId }, 'a login was refused');
  await recordAnyway(request, { action: 'session.login', reason, status: REASONS[reason].status, principalId, idp: known ? idp : null }, parts);
  return await answerRefusal(request, reply, { parts, idp, refused });
}

async function answerRefusal(request: FastifyRequest, reply: FastifyReply, { parts, idp, refused }: Refused): Promise<FastifyReply> {
  const { pages } = parts;
  const { reason, principalId, missingGroups } = refused;
  const { status, detail, hint } = REASONS[reason];
  if (status === 503) reply.header('retry-after', RETRY_SECONDS);
  if (!wantsPage(request))
    return sendRefusal(request, reply, reason, missingGroups.length === 0 ? detail : `${detail} Groups that have one: ${missingGroups.join(', ')}.`);
  if (reason === 'role-missing' && principalId !== null) {
    return sendPage(reply, pages, { status, html: pages.notInGroup({ name: principalId, idp, groups: missingGroups }) });
  }
  const { requestId } = parseEdgeInputs(request.headers);
  return sendPage(reply, pages, { status, html: pages.loginFailed({ code: reason, text: detail, hint, requestId }) });
}

function headerText(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
