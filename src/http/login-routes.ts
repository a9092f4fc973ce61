// The login page and its form, and the refused navigation that leads there.
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LoginResult } from '../authn/accounts/login.ts';
import { sessionCredentialId } from '../authn/session/session.ts';
import type { Principal } from '../contract/principal.ts';
import { REASONS } from '../contract/reasons.ts';
import { parseEdgeInputs } from '../decide/inputs.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import type { RouteParts } from './parts.ts';
import { safeReturnPath } from './return-path.ts';
import { sessionCookie } from './session-cookie.ts';
import { makeItHold, recordAnyway, sessionRecord } from './session-records.ts';

const FORM_BYTES = 16 * 1024;
const ATTEMPT_ID = /^[A-Za-z0-9_-]{22}$/;

export function registerLogin(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/login`, (request, reply) => showLogin(request, reply, parts));
  app.post(`${parts.prefix}/login`, { bodyLimit: FORM_BYTES }, (request, reply) => submitLogin(request, reply, parts));
}

/** A navigation without a session: the raw address stays here, the browser gets a name for it. */
export async function redirectToLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const query = await keepReturnPath(request.originalUrl, parts);
  return reply.code(302).header('location', `${parts.prefix}/login${query}`).send();
}

/** Whose session came with the request, whatever else came. */
export async function sessionPrincipal(request: FastifyRequest, parts: RouteParts): Promise<Principal | undefined> {
  const inputs = parseEdgeInputs(request.headers);
  if (inputs.session === '') return undefined;
  const verdict = await parts.authenticator.authenticate({ ...inputs, authorization: '', token: '', certificate: '' });
  return verdict.ok ? verdict.principal : undefined;
}

async function showLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const { pages, people } = parts;
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const wanted = query.get('return');
  if (wanted !== null)
    return reply
      .code(303)
      .header('location', `${parts.prefix}/login${await keepReturnPath(wanted, parts)}`)
      .send();
  if (people.idp === null) return sendPage(reply, pages, { status: 404, html: pages.loginClosed() });
  const attempt = attemptId(query);
  const principal = await sessionPrincipal(request, parts);
  if (principal === undefined) return sendPage(reply, pages, { status: 200, html: pages.login({ attempt, name: '', problem: null }) });
  const continueTo = safeReturnPath((await parts.store.loginAttempts.read(attempt)) ?? '', parts.config.publicUrl.basePath);
  return sendPage(reply, pages, { status: 200, html: pages.signedIn({ name: principal.id, continueTo }) });
}

/** `?attempt=ID`, or nothing where there is nothing to remember (or the store is in trouble: the login itself still works). */
async function keepReturnPath(raw: string, { config, store, log }: RouteParts): Promise<string> {
  const root = `${config.publicUrl.basePath}/`;
  const returnTo = safeReturnPath(raw, config.publicUrl.basePath);
  if (returnTo === root) return '';
  const id = randomBytes(16).toString('base64url');
  try {
    await store.loginAttempts.create({ id, returnTo });
    return `?attempt=${id}`;
  } catch (error) {
    log.error({ err: error }, 'a return address could not be kept');
    return '';
  }
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

/** Names are lower case; a phone's keyboard begins with a capital. */
function parseForm(body: unknown): Form {
  const fields = new URLSearchParams(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  return { attempt: attemptId(fields), name: (fields.get('username') ?? '').trim().toLowerCase(), password: fields.get('password') ?? '' };
}

async function submitLogin(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const inputs = parseEdgeInputs(request.headers);
  if (!inputs.sameOrigin) {
    await recordAnyway(request, { action: 'session.login', reason: 'origin-foreign', status: 403, principalId: null }, parts);
    return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'origin-foreign' });
  }
  const form = parseForm(request.body);
  const result = await parts.people.login({ name: form.name, password: form.password, address: inputs.address, oldCookieValue: inputs.session });
  return result.ok ? await accept(request, reply, { parts, form, result }) : await refuse(request, reply, { parts, form, result });
}

interface Accepted {
  readonly parts: RouteParts;
  readonly form: Form;
  readonly result: Extract<LoginResult, { ok: true }>;
}

/** Recorded before the browser gets its cookie: a session that is not in the ledger does not begin. */
async function accept(request: FastifyRequest, reply: FastifyReply, { parts, form, result }: Accepted): Promise<FastifyReply> {
  const { principal, session } = result;
  const event = {
    action: 'session.login',
    reason: null,
    status: 303,
    principalId: principal.id,
    credentialId: sessionCredentialId(session.id),
    sessionId: session.id,
  } as const;
  try {
    await parts.ledger.append(sessionRecord(request, event, parts));
  } catch (error) {
    parts.log.error({ err: error }, 'a login could not be recorded');
    if (parts.config.ledger.failClosed) {
      await parts.people.sessions.end(session.cookieValue);
      await makeItHold(parts);
      return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'ledger-unavailable' });
    }
  }
  if (result.endedOld) await makeItHold(parts);
  const { publicUrl } = parts.config;
  const returnTo = safeReturnPath((await parts.store.loginAttempts.take(form.attempt)) ?? '', publicUrl.basePath);
  return reply.code(303).header('set-cookie', sessionCookie(publicUrl, session.cookieValue)).header('location', returnTo).send();
}

interface Refused {
  readonly parts: RouteParts;
  readonly form: Form;
  readonly result: Extract<LoginResult, { ok: false }>;
}

async function refuse(request: FastifyRequest, reply: FastifyReply, { parts, form, result }: Refused): Promise<FastifyReply> {
  const { pages } = parts;
  const { status, detail, hint } = REASONS[result.reason];
  await recordAnyway(request, { action: 'session.login', reason: result.reason, status, principalId: result.principalId }, parts);
  if (result.reason === 'login-throttled') reply.header('retry-after', String(result.retryAfterSeconds));
  if (!wantsPage(request)) return sendRefusal(request, reply, result.reason);
  if (result.reason === 'policy-default-deny') return sendPage(reply, pages, { status, html: pages.withoutRole(result.principalId) });
  const problem = result.reason === 'login-failed' ? detail : `${detail} ${hint}`;
  return sendPage(reply, pages, { status, html: pages.login({ attempt: form.attempt, name: form.name, problem }) });
}
