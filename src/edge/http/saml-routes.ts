// The SAML routes below /.lictor/saml/ID: metadata, login answers, logouts.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS } from '../../contract/reasons.ts';
import { STATE } from '../../identity/authn/external/attempts.ts';
import type { LogoutAsked, SamlSide } from '../../identity/authn/external/provider.ts';
import { sendRefusal, sendRefusalOrPage } from './answers.ts';
import type { RouteParts } from './parts.ts';
import { finishAtProvider } from './provider-routes.ts';
import { makeItHold, recordAnyway } from './session-records.ts';

/** The same limit as nginx has for the gateway's pages (nginx/own.conf). */
const FORM_BYTES = 64 * 1024;
/** A parameter of the second request if no attempt has a name. */
const UNASKED = 'unasked';

interface Path {
  Params: { idp: string };
}

interface At {
  readonly parts: RouteParts;
  readonly idp: string;
  readonly saml: SamlSide;
}

export function registerSaml(app: FastifyInstance, parts: RouteParts): void {
  const below = `${parts.prefix}/saml/:idp`;
  const at =
    (handle: (request: FastifyRequest, reply: FastifyReply, at: At) => Promise<FastifyReply>) => async (request: FastifyRequest<Path>, reply: FastifyReply) => {
      const { idp } = request.params;
      const saml = parts.providers.find((candidate) => candidate.idp === idp)?.saml;
      return saml === undefined ? sendRefusal(request, reply, 'not-found') : await handle(request, reply, { parts, idp, saml });
    };
  app.get<Path>(`${below}/metadata`, { exposeHeadRoute: false }, at(showMetadata));
  app.post<Path>(`${below}/acs`, { bodyLimit: FORM_BYTES }, at(takeAnswer));
  app.get<Path>(`${below}/logout`, { exposeHeadRoute: false }, at(logoutByAddress));
  app.post<Path>(`${below}/logout`, { bodyLimit: FORM_BYTES }, at(logoutByForm));
}

async function showMetadata(_request: FastifyRequest, reply: FastifyReply, { saml }: At): Promise<FastifyReply> {
  return reply.type('application/samlmetadata+xml').send(await saml.ownMetadata());
}

/**
 * The provider's page sends its form from another site, so the request has no cookie that identifies the browser. The first answer is a page that
 * sends the same form from this origin. Its address has the name of the attempt, by which nginx finds the cookie. RelayState is only this name,
 * never an address.
 */
async function takeAnswer(request: FastifyRequest, reply: FastifyReply, { parts, idp }: At): Promise<FastifyReply> {
  const params = formOf(request);
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const state = query.get('state');
  if (state !== null || query.has(UNASKED)) return await finishAtProvider(request, reply, { parts, idp, params, state });
  const [relayState, encoded] = [onlyOf(params, 'RelayState'), onlyOf(params, 'SAMLResponse')];
  if (encoded === '') return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'login-answer-invalid' });
  const again = STATE.test(relayState) ? `state=${relayState}` : UNASKED;
  const form = { action: `${parts.prefix}/saml/${idp}/acs?${again}`, fields: { SAMLResponse: encoded } };
  const { html, headers } = parts.pages.returning({ idp, form });
  return reply.code(200).headers(headers).send(html);
}

function logoutByForm(request: FastifyRequest, reply: FastifyReply, at: At): Promise<FastifyReply> {
  const form = formOf(request);
  if (form.has('SAMLResponse')) return signedOut(reply, at);
  return logout(request, reply, {
    ...at,
    asked: { message: { binding: 'post', encoded: onlyOf(form, 'SAMLRequest') }, relayState: onlyOf(form, 'RelayState') },
  });
}

function logoutByAddress(request: FastifyRequest, reply: FastifyReply, at: At): Promise<FastifyReply> {
  const query = request.url.slice(request.url.indexOf('?') + 1);
  const params = new URLSearchParams(query);
  if (params.has('SAMLResponse')) return signedOut(reply, at);
  return logout(request, reply, { ...at, asked: { message: { binding: 'redirect', query }, relayState: onlyOf(params, 'RelayState') } });
}

/** The provider's answer to a logout of the gateway. The session has ended before, so the answer changes nothing. */
async function signedOut(reply: FastifyReply, { parts }: At): Promise<FastifyReply> {
  return reply.code(303).header('location', `${parts.prefix}/logout`).send();
}

interface Logout extends At {
  readonly asked: LogoutAsked;
}

/** Through the browser, or from server to server. Before the answer, this ends the sessions that the provider names, and their sockets. */
async function logout(request: FastifyRequest, reply: FastifyReply, { parts, idp, saml, asked }: Logout): Promise<FastifyReply> {
  const checked = await saml.logoutAsked(asked);
  const about = { action: 'session.backchannel_logout', idp } as const;
  if (!checked.ok) {
    const { reason, detail } = checked;
    parts.log.warn({ idp, reason, detail, request_id: parseEdgeInputs(request.headers).requestId }, 'a logout request was refused');
    await recordAnyway(request, { ...about, reason, status: REASONS[reason].status, principalId: null }, parts);
    return sendRefusalOrPage(request, reply, { pages: parts.pages, code: reason });
  }
  const { subject, sessionIndexes, answerLocation } = checked;
  const which = sessionIndexes.length === 0 ? [{ idp, subject }] : sessionIndexes.map((idpSession) => ({ idp, subject, idpSession }));
  const ended = (await Promise.all(which.map((one) => parts.store.sessions.endOfProvider(one)))).flat();
  if (ended.length > 0) await makeItHold(parts);
  for (const { id, name } of ended) await recordAnyway(request, { ...about, reason: null, status: 200, principalId: `${name}@${idp}`, sessionId: id }, parts);
  if (answerLocation !== null) return reply.code(302).header('location', answerLocation).send();
  return reply
    .code(200)
    .type('application/json')
    .send(JSON.stringify({ ended: ended.length }));
}

function formOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
}

/** Empty: the parameter is missing, or there are several. */
function onlyOf(params: URLSearchParams, name: string): string {
  const values = params.getAll(name);
  return values.length === 1 ? (values[0] ?? '') : '';
}
