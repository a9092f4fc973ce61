// /.lictor/device: a signed-in person allows the login of a command line by its code (RFC 8628 3.3). Every login needs a click.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { BegunLogin, FinishedOffline } from '../../identity/authn/external/login.ts';
import type { Proven } from '../../identity/authn/external/provider.ts';
import { grantsOfLogin } from '../../identity/authn/recorded-grants.ts';
import type { StoredDeviceCode } from '../../store/device-codes.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import { callbackUrl } from './callback-url.ts';
import { createDevicePages, type DevicePages } from './device-pages.ts';
import { freeFormHeaders } from './page-frame.ts';
import type { RouteParts } from './parts.ts';
import { loginCookie } from './session-cookie.ts';
import { type OwnSession, sessionOf } from './session-of.ts';
import { recordAnyway, sessionRecord } from './session-records.ts';
import { redirectToLogin } from './to-login.ts';

const FORM_BYTES = 16 * 1024;

export function registerDevice(app: FastifyInstance, parts: RouteParts): void {
  app.get(`${parts.prefix}/device`, (request, reply) => showDevice(request, reply, parts));
  app.post(`${parts.prefix}/device`, { bodyLimit: FORM_BYTES }, (request, reply) => decideOnDevice(request, reply, parts));
}

async function showDevice(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const session = await sessionOf(request, parts);
  if (session === undefined && !wantsPage(request)) return sendRefusal(request, reply, 'credential-missing');
  if (session === undefined) return await redirectToLogin(request, reply, parts);
  const { approval } = parts.authorizationServer;
  const name = session.principal.id;
  const typed = new URLSearchParams(request.url.split('?')[1] ?? '').get('user_code') ?? '';
  if (typed === '') return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).enter({ name, typed, problem: null }) });
  const found = await approval.find(typed.slice(0, 20), { principalId: name, address: parseEdgeInputs(request.headers).address });
  if ('refuse' in found) {
    const { status, detail, hint } = REASONS[found.refuse];
    if (status === 429) reply.header('retry-after', '60');
    return sendPage(reply, parts.pages, { status, html: pagesOf(parts).enter({ name, typed: typed.slice(0, 20), problem: `${detail} ${hint}` }) });
  }
  const { code, userCode } = found;
  const html = pagesOf(parts).confirm({
    name,
    client: approval.clientName(code.clientId),
    userCode,
    scopes: code.scopes,
    elsewhere: code.audience === 'mcp' ? 'the interface for agents (MCP), and nowhere else' : null,
    address: code.address,
    secondsAgo: Math.max(0, Math.floor((parts.clock() - code.createdMs) / 1000)),
    fields: { device: code.id, proof: approval.proofFor(code, session.sessionId) },
  });
  // Browsers also check redirects after a form against the policy, and a click may lead to the identity provider.
  return reply.code(200).headers(freeFormHeaders()).send(html);
}

interface Deciding {
  readonly parts: RouteParts;
  readonly code: StoredDeviceCode;
  readonly session: OwnSession;
  readonly stored: StoredSession;
}

async function decideOnDevice(request: FastifyRequest, reply: FastifyReply, parts: RouteParts): Promise<FastifyReply> {
  const { approval } = parts.authorizationServer;
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  if (!parseEdgeInputs(request.headers).sameOrigin) return refuse('origin-foreign');
  const session = await sessionOf(request, parts);
  const stored = session === undefined ? undefined : await parts.store.sessions.byId(session.sessionId);
  if (session === undefined || stored === undefined) return refuse('session-expired');
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  const code = await approval.byId(form.get('device') ?? '');
  if (code === undefined) return refuse('device-unknown');
  if (!approval.isProof(form.get('proof') ?? '', code, session.sessionId)) {
    await recordDecision(request, { parts, code, session, stored }, { action: 'device.allow', reason: 'origin-foreign' });
    return refuse('origin-foreign');
  }
  const deciding = { parts, code, session, stored };
  if (form.get('decision') === 'refuse') return await deny(request, reply, deciding);
  if (form.get('decision') !== 'allow') return refuse('request-invalid');
  const begun = await beginOffline(request, deciding);
  if (begun === undefined) return await allow(request, reply, { ...deciding, offline: undefined });
  return reply.code(303).header('set-cookie', loginCookie(parts.config.publicUrl, begun.attempt)).header('location', begun.location).send();
}

/** For a session of a provider: asks the provider again, so that this login has separate tokens. Undefined: the provider issues none. */
async function beginOffline(request: FastifyRequest, { parts, code, stored }: Deciding): Promise<BegunLogin | undefined> {
  const { owner } = stored;
  if (owner.kind === 'account') return undefined;
  const { idp } = owner.identity;
  const purpose = JSON.stringify({ device: code.id, session: stored.id });
  const { address } = parseEdgeInputs(request.headers);
  const begun = await parts.logins.beginOffline({ idp, callbackUrl: callbackUrl(parts, idp), purpose, address });
  return begun?.ok === true ? begun : undefined;
}

/** After the answer of the provider. The browser must have the session that allowed the login, and the answer must name the same person. */
export async function finishDevice(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, finished, idp }: { readonly parts: RouteParts; readonly finished: FinishedOffline; readonly idp: string },
): Promise<FastifyReply> {
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  const purpose: { readonly device: string; readonly session: string } = JSON.parse(finished.purpose);
  const session = await sessionOf(request, parts);
  const stored = session === undefined ? undefined : await parts.store.sessions.byId(session.sessionId);
  if (session === undefined || stored === undefined || stored.id !== purpose.session) return refuse('session-expired');
  const code = await parts.authorizationServer.approval.byId(purpose.device);
  if (code === undefined) return refuse('device-unknown');
  const { proof } = finished;
  if (!proof.ok) {
    // The person is signed in and has allowed the login. Without separate tokens, the login depends on that session.
    parts.log.warn({ idp, reason: proof.reason, detail: proof.detail }, 'no offline tokens for a login of the command line');
    return await allow(request, reply, { parts, code, session, stored, offline: undefined });
  }
  const { owner } = stored;
  if (owner.kind !== 'identity' || owner.identity.idp !== proof.identity.idp || owner.identity.subject !== proof.identity.subject) {
    await recordDecision(request, { parts, code, session, stored }, { action: 'device.allow', reason: 'device-other-person' });
    return refuse('device-other-person');
  }
  return await allow(request, reply, { parts, code, session, stored, offline: proof });
}

interface Allowing extends Deciding {
  readonly offline: Proven | undefined;
}

/** Records the change before it takes effect. */
async function allow(request: FastifyRequest, reply: FastifyReply, { offline, ...deciding }: Allowing): Promise<FastifyReply> {
  const { parts, code, session, stored } = deciding;
  const { approval } = parts.authorizationServer;
  const grant = approval.prepare(code, stored, offline);
  try {
    await parts.ledger.append(decisionRecord(request, deciding, { action: 'device.allow', reason: null, grant }));
  } catch (error) {
    parts.log.error({ err: error }, 'a login of the command line could not be recorded');
    if (parts.config.ledger.failClosed) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'ledger-unavailable' });
  }
  if (!(await approval.allow(code, grant, offline))) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'device-unknown' });
  const page = pagesOf(parts).allowed({
    client: approval.clientName(code.clientId),
    name: session.principal.id,
    until: new Date(grant.expiresMs),
    withSession: grant.sessionId === null ? null : session.principal.idp,
  });
  return sendPage(reply, parts.pages, { status: 200, html: page });
}

async function deny(request: FastifyRequest, reply: FastifyReply, deciding: Deciding): Promise<FastifyReply> {
  const { parts, code } = deciding;
  await parts.authorizationServer.approval.deny(code);
  await recordDecision(request, deciding, { action: 'device.refuse', reason: null });
  return sendPage(reply, parts.pages, { status: 200, html: pagesOf(parts).refused() });
}

interface DecisionEvent {
  readonly action: 'device.allow' | 'device.refuse';
  readonly reason: ReasonCode | null;
  readonly grant?: { readonly id: string; readonly expiresMs: number };
}

function decisionRecord(request: FastifyRequest, { parts, session, stored }: Deciding, { action, reason, grant }: DecisionEvent) {
  const { principal, sessionId } = session;
  const status = reason === null ? 200 : REASONS[reason].status;
  const given =
    grant === undefined
      ? {}
      : { grantId: grant.id, grants: grantsOfLogin(stored.owner, parts.config, { principal: principal.id, expiresMs: grant.expiresMs }) };
  const event = { action, reason, status, principalId: principal.id, idp: principal.idp, sessionId, ...given };
  return sessionRecord(request, event, parts);
}

async function recordDecision(request: FastifyRequest, deciding: Deciding, event: DecisionEvent): Promise<void> {
  const { parts, session } = deciding;
  const status = event.reason === null ? 200 : REASONS[event.reason].status;
  await recordAnyway(request, { ...event, status, principalId: session.principal.id, idp: session.principal.idp, sessionId: session.sessionId }, parts);
}

function pagesOf({ config, prefix }: RouteParts): DevicePages {
  return createDevicePages({ host: new URL(config.publicUrl.origin).host, prefix });
}
