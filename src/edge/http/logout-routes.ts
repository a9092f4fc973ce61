// Logout: the page with the form, the logout here and at the provider, and logouts that the provider requests.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { LeaveForm } from '../../identity/authn/external/provider.ts';
import { sendPage, sendRefusal, sendRefusalOrPage } from './answers.ts';
import type { RouteParts } from './parts.ts';
import { expiredSessionCookie } from './session-cookie.ts';
import { type OwnSession, sessionOf } from './session-of.ts';
import { makeItHold, recordAnyway } from './session-records.ts';

const FORM_BYTES = 32 * 1024;

export function registerLogout(app: FastifyInstance, parts: RouteParts): void {
  const { pages, prefix } = parts;
  app.get(`${prefix}/logout`, async (request, reply) => {
    const session = await sessionOf(request, parts);
    return sendPage(reply, pages, { status: 200, html: session === undefined ? pages.loggedOut(null) : pages.confirmLogout(session.principal.id) });
  });
  app.post(`${prefix}/logout`, (request, reply) => logout(request, reply, parts));
  app.post<{ Params: { idp: string } }>(`${prefix}/logout/:idp`, { bodyLimit: FORM_BYTES }, (request, reply) =>
    backchannelLogout(request, reply, { parts, idp: request.params.idp }),
  );
}

/** Ends the session on the server, even if the browser does not delete its cookie. Also clears the browser's cache of Prefect's pages. */
async function logout(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const { pages } = parts;
  const inputs = parseEdgeInputs(request.headers);
  if (!inputs.sameOrigin) return sendRefusalOrPage(request, reply, { pages, code: 'origin-foreign' });
  const session = await sessionOf(request, parts);
  const leave = await leaveForm(session, parts);
  const ended = await parts.people.sessions.end(inputs.session);
  if (ended) {
    await makeItHold(parts);
    const { principal } = session ?? { principal: null };
    await recordAnyway(
      request,
      { action: 'session.logout', reason: null, status: 200, principalId: principal?.id ?? null, idp: principal?.idp ?? null },
      parts,
    );
  }
  reply.header('set-cookie', expiredSessionCookie(parts.config.publicUrl)).header('clear-site-data', '"cache"');
  const idp = externalIdp(session, parts);
  if (leave !== undefined && idp !== null) {
    const { html, headers } = pages.leaving({ idp, form: leave });
    return reply.code(200).headers(headers).send(html);
  }
  return sendPage(reply, pages, { status: 200, html: pages.loggedOut(idp) });
}

/** The provider of the session. Null: a built-in account, or no session. */
function externalIdp(session: OwnSession | undefined, { logins }: RouteParts): string | null {
  const idp = session?.principal.idp ?? null;
  return idp !== null && logins.idps.includes(idp) ? idp : null;
}

/** Runs before the session ends, because its tokens end with it. After a failure here, the logout continues. */
async function leaveForm(session: OwnSession | undefined, parts: RouteParts): Promise<LeaveForm | undefined> {
  const idp = externalIdp(session, parts);
  if (session === undefined || idp === null) return undefined;
  try {
    const { config, prefix, logins } = parts;
    return await logins.leave({ sessionId: session.sessionId, idp }, `${config.publicUrl.origin}${prefix}/logout`);
  } catch (error) {
    parts.log.error({ err: error }, 'the logout at the provider could not be prepared');
    return undefined;
  }
}

interface At {
  readonly parts: RouteParts;
  readonly idp: string;
}

/** From server to server (OpenID Connect Back-Channel Logout 1.0). Before the answer, this ends the sessions that the provider names, and their sockets. */
async function backchannelLogout(request: FastifyRequest, reply: FastifyReply, { parts, idp }: At): Promise<FastifyReply> {
  const provider = parts.providers.find((candidate) => candidate.idp === idp);
  if (provider === undefined) return sendRefusal(request, reply, 'not-found');
  const tokens = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '').getAll('logout_token');
  const checked = await provider.loggedOut(tokens.length === 1 ? (tokens[0] ?? '') : '');
  if (!checked.ok) return await refuse(request, reply, { parts, idp, reason: checked.reason, detail: checked.detail });
  const { subject, idpSession } = checked;
  const ended = await parts.store.sessions.endOfProvider({ idp, ...(subject !== undefined && { subject }), ...(idpSession !== undefined && { idpSession }) });
  if (ended.length > 0) await makeItHold(parts);
  for (const { id, name } of ended) {
    const who = { principalId: `${name}@${idp}`, idp, sessionId: id };
    await recordAnyway(request, { action: 'session.backchannel_logout', reason: null, status: 200, ...who }, parts);
  }
  return reply
    .code(200)
    .type('application/json')
    .send(JSON.stringify({ ended: ended.length }));
}

interface Refused extends At {
  readonly reason: ReasonCode;
  readonly detail: string;
}

async function refuse(request: FastifyRequest, reply: FastifyReply, { parts, idp, reason, detail }: Refused): Promise<FastifyReply> {
  parts.log.warn({ idp, reason, detail, request_id: parseEdgeInputs(request.headers).requestId }, 'a logout token was refused');
  await recordAnyway(request, { action: 'session.backchannel_logout', reason, status: REASONS[reason].status, principalId: null, idp }, parts);
  return sendRefusal(request, reply, reason);
}
