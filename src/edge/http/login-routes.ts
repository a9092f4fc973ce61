// The login page and its form.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { LOGIN_DEVICE } from '../../contract/names.ts';
import { REASONS } from '../../contract/reasons.ts';
import type { LoginResult } from '../../identity/authn/accounts/login.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import type { RouteParts } from './parts.ts';
import { beginAtProvider } from './provider-routes.ts';
import { safeReturnPath } from './return-path.ts';
import { deviceCookie, sessionCookie } from './session-cookie.ts';
import { type OwnSession, sessionOf } from './session-of.ts';
import { recordAnyway, recordStart } from './session-records.ts';
import { loginAddress } from './to-login.ts';

const FORM_BYTES = 16 * 1024;
const ATTEMPT_ID = /^[A-Za-z0-9_-]{22}$/;

export function registerLogin(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/`, (request, reply) => showAccount(request, reply, parts));
  app.get(`${parts.prefix}/login`, (request, reply) => showLogin(request, reply, parts));
  app.post(`${parts.prefix}/login`, { bodyLimit: FORM_BYTES }, (request, reply) => submitLogin(request, reply, parts));
}

/** Shows the signed-in principal and the logout. Every page has a link to it. */
async function showAccount(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  if (!wantsPage(request)) return sendRefusal(request, reply, 'not-found');
  const session = await sessionOf(request, parts);
  if (session === undefined) return reply.code(303).header('location', `${parts.prefix}/login`).send();
  return sendPage(reply, parts.pages, { status: 200, html: signedIn(session, `${parts.config.publicUrl.basePath}/`, parts.pages) });
}

function signedIn({ principal }: OwnSession, continueTo: string, pages: RouteParts['pages']): string {
  return pages.signedIn({ name: principal.id, roles: principal.roles, continueTo });
}

async function showLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const { pages, logins } = parts;
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const wanted = query.get('return');
  const isFresh = query.has('again');
  if (wanted !== null)
    return reply
      .code(303)
      .header('location', await loginAddress(request, wanted, parts, { isFresh }))
      .send();
  const accounts = await parts.people.takesPasswords();
  if (!accounts && logins.idps.length === 0) return sendPage(reply, pages, { status: 404, html: pages.loginClosed() });
  const attempt = attemptId(query);
  const returnTo = safeReturnPath((await parts.store.loginAttempts.read(attempt)) ?? '', parts.config.publicUrl.basePath);
  const chosen = query.get('idp');
  if (chosen !== null) return beginAtProvider(request, reply, { parts, idp: chosen, returnTo, asOtherPrincipal: query.has('other'), isFresh });
  const session = await sessionOf(request, parts);
  if (session !== undefined && isFresh) return await logInAgain(request, reply, { parts, session, attempt, returnTo });
  if (session !== undefined) return sendPage(reply, pages, { status: 200, html: signedIn(session, returnTo, pages) });
  const only = accounts || logins.idps.length !== 1 ? undefined : logins.idps[0];
  if (only !== undefined) return beginAtProvider(request, reply, { parts, idp: only, returnTo, asOtherPrincipal: false, isFresh });
  return sendPage(reply, pages, { status: 200, html: pages.login({ idps: logins.idps, accounts, attempt, name: '', problem: null }) });
}

interface LogInAgain {
  readonly parts: RouteParts;
  readonly session: OwnSession;
  readonly attempt: string;
  readonly returnTo: string;
}

/** At the provider of the session, which asks the person again; a built-in account types its password. */
async function logInAgain(request: FastifyRequest, reply: FastifyReply, { parts, session, attempt, returnTo }: LogInAgain): Promise<FastifyReply> {
  const idp = parts.logins.idps.find((id) => id === session.principal.idp);
  if (idp !== undefined) return await beginAtProvider(request, reply, { parts, idp, returnTo, asOtherPrincipal: false, isFresh: true });
  return sendPage(reply, parts.pages, { status: 200, html: parts.pages.login({ idps: [], accounts: true, attempt, name: '', problem: null }) });
}

function attemptId(fields: URLSearchParams): string {
  const id = fields.get('attempt') ?? '';
  return ATTEMPT_ID.test(id) ? id : '';
}

interface Form {
  readonly attempt: string;
  readonly name: string;
  readonly password: string;
}

/** Account names are lower case, but the keyboard of a phone starts with a capital letter. */
function parseForm(body: unknown): Form {
  const fields = new URLSearchParams(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  return { attempt: attemptId(fields), name: (fields.get('username') ?? '').trim().toLowerCase(), password: fields.get('password') ?? '' };
}

async function submitLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const inputs = parseEdgeInputs(request.headers);
  if (!inputs.sameOrigin) {
    await recordAnyway(request, { action: 'session.login', reason: 'origin-foreign', status: 403, principalId: null, idp: null }, parts);
    return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'origin-foreign' });
  }
  const form = parseForm(request.body);
  const device = String(request.headers[LOGIN_DEVICE] ?? '');
  const result = await parts.people.login({ name: form.name, password: form.password, address: inputs.address, oldCookieValue: inputs.session, device });
  return result.ok ? await accept(request, reply, { parts, form, result }) : await refuse(request, reply, { parts, form, result });
}

interface Accepted {
  readonly parts: RouteParts;
  readonly form: Form;
  readonly result: Extract<LoginResult, { ok: true }>;
}

async function accept(request: FastifyRequest, reply: FastifyReply, { parts, form, result }: Accepted): Promise<FastifyReply> {
  const { principal, session, endedOld, device } = result;
  const recorded = await recordStart(request, { principalId: principal.id, idp: principal.idp ?? '', session, endedOld }, parts);
  if (!recorded) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'ledger-unavailable' });
  const { publicUrl } = parts.config;
  const returnTo = safeReturnPath((await parts.store.loginAttempts.take(form.attempt)) ?? '', publicUrl.basePath);
  const cookies = [sessionCookie(publicUrl, session.cookieValue), deviceCookie(publicUrl, device)];
  return reply.code(303).header('set-cookie', cookies).header('location', returnTo).send();
}

interface Refused {
  readonly parts: RouteParts;
  readonly form: Form;
  readonly result: Extract<LoginResult, { ok: false }>;
}

async function refuse(request: FastifyRequest, reply: FastifyReply, { parts, form, result }: Refused): Promise<FastifyReply> {
  const { pages } = parts;
  const { status, detail, hint } = REASONS[result.reason];
  const { principalId } = result;
  const idp = principalId === null ? null : principalId.slice(principalId.lastIndexOf('@') + 1);
  await recordAnyway(request, { action: 'session.login', reason: result.reason, status, principalId, idp }, parts);
  if (result.reason === 'login-throttled') reply.header('retry-after', String(result.retryAfterSeconds));
  if (!wantsPage(request)) return sendRefusal(request, reply, result.reason);
  if (result.reason === 'policy-default-deny') return sendPage(reply, pages, { status, html: pages.withoutRole(result.principalId) });
  const problem = result.reason === 'login-failed' ? detail : `${detail} ${hint}`;
  return sendPage(reply, pages, { status, html: pages.login({ idps: parts.logins.idps, accounts: true, attempt: form.attempt, name: form.name, problem }) });
}
