// The person's decision on the login of a client, however the client asked: recorded, with separate tokens of the provider if it issues any.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';
import type { BegunLogin, FinishedOffline } from '../../identity/authn/external/login.ts';
import type { Proven } from '../../identity/authn/external/provider.ts';
import { grantsOfLogin } from '../../identity/authn/recorded-grants.ts';
import type { AskedGrant } from '../../identity/oauth/new-grant.ts';
import type { NewClientGrant } from '../../store/client-grants.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { sendRefusalOrPage } from './answers.ts';
import { callbackUrl } from './callback-url.ts';
import type { RouteParts } from './parts.ts';
import { loginCookie } from './session-cookie.ts';
import { type OwnSession, sessionOf } from './session-of.ts';
import { recordAnyway, sessionRecord } from './session-records.ts';

/** A login that waits for the decision of the person. */
export interface WaitingLogin {
  readonly kind: 'device' | 'authorize';
  /** Its finder finds it again by this text. */
  readonly key: string;
  readonly asked: AskedGrant;
  /** The reason when it cannot begin any more. */
  readonly gone: ReasonCode;
  /** Begins it, and answers the browser. Undefined: it cannot begin any more. */
  allow(reply: FastifyReply, grant: NewClientGrant, offline: Proven | undefined): Promise<FastifyReply | undefined>;
  deny(reply: FastifyReply): Promise<FastifyReply>;
}

/** The waiting login of a page that was shown in this session. */
export type FindWaiting = (key: string, session: OwnSession, parts: RouteParts) => Promise<WaitingLogin | { readonly refuse: ReasonCode }>;

export interface Deciding {
  readonly parts: RouteParts;
  readonly login: WaitingLogin;
  readonly session: OwnSession;
  readonly stored: StoredSession;
}

/** The session of the person, and as it is stored. Undefined: the browser has none. */
export async function decidingSession(request: FastifyRequest, parts: RouteParts): Promise<Pick<Deciding, 'session' | 'stored'> | undefined> {
  const session = await sessionOf(request, parts);
  const stored = session === undefined ? undefined : await parts.store.sessions.byId(session.sessionId);
  return session === undefined || stored === undefined ? undefined : { session, stored };
}

/** The button of the form: `decision`. */
export async function decideOnLogin(request: FastifyRequest, reply: FastifyReply, deciding: Deciding, decision: string | null): Promise<FastifyReply> {
  const { parts, login } = deciding;
  if (decision === 'refuse') {
    await recordDecision(request, deciding, { action: `${login.kind}.refuse`, reason: null });
    return await login.deny(reply);
  }
  if (decision !== 'allow') return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'request-invalid' });
  const begun = await beginOffline(request, deciding);
  if (begun === undefined) return await allow(request, reply, { ...deciding, offline: undefined });
  return reply.code(303).header('set-cookie', loginCookie(parts.config.publicUrl, begun.attempt)).header('location', begun.location).send();
}

/** For a session of a provider: asks the provider again, so that this login has separate tokens. Undefined: the provider issues none. */
async function beginOffline(request: FastifyRequest, { parts, login, stored }: Deciding): Promise<BegunLogin | undefined> {
  const { owner } = stored;
  if (owner.kind === 'account') return undefined;
  const { idp } = owner.identity;
  const purpose: Purpose = { kind: login.kind, key: login.key, session: stored.id };
  const { address } = parseEdgeInputs(request.headers);
  const begun = await parts.logins.beginOffline({ idp, callbackUrl: callbackUrl(parts, idp), purpose: JSON.stringify(purpose), address });
  return begun?.ok === true ? begun : undefined;
}

/** What the answer of the provider is for. Lictor itself sealed the text. */
interface Purpose {
  readonly kind: WaitingLogin['kind'];
  readonly key: string;
  readonly session: string;
}

export interface FinishedAt {
  readonly parts: RouteParts;
  readonly finished: FinishedOffline;
  readonly idp: string;
  readonly finders: Readonly<Record<WaitingLogin['kind'], FindWaiting>>;
}

/** After the answer of the provider. The browser must have the session that allowed the login, and the answer must name the same person. */
export async function finishOffline(request: FastifyRequest, reply: FastifyReply, { parts, finished, idp, finders }: FinishedAt): Promise<FastifyReply> {
  const refuse = (code: ReasonCode): FastifyReply => sendRefusalOrPage(request, reply, { pages: parts.pages, code });
  const purpose: Purpose = JSON.parse(finished.purpose);
  const person = await decidingSession(request, parts);
  if (person === undefined || person.stored.id !== purpose.session) return refuse('session-expired');
  const login = await finders[purpose.kind](purpose.key, person.session, parts);
  if ('refuse' in login) return refuse(login.refuse);
  const deciding = { parts, login, ...person };
  const { proof } = finished;
  if (!proof.ok) {
    // The person is signed in and has allowed the login. Without separate tokens, the login depends on that session.
    parts.log.warn({ idp, reason: proof.reason, detail: proof.detail }, 'no offline tokens for a login of a client');
    return await allow(request, reply, { ...deciding, offline: undefined });
  }
  const { owner } = person.stored;
  if (owner.kind !== 'identity' || owner.identity.idp !== proof.identity.idp || owner.identity.subject !== proof.identity.subject) {
    await recordDecision(request, deciding, { action: `${login.kind}.allow`, reason: 'device-other-person' });
    return refuse('device-other-person');
  }
  return await allow(request, reply, { ...deciding, offline: proof });
}

interface Allowing extends Deciding {
  readonly offline: Proven | undefined;
}

/** Records the change before it takes effect. */
async function allow(request: FastifyRequest, reply: FastifyReply, { offline, ...deciding }: Allowing): Promise<FastifyReply> {
  const { parts, login, stored } = deciding;
  const grant = parts.authorizationServer.newGrants.prepare(login.asked, stored, offline);
  try {
    await parts.ledger.append(decisionRecord(request, deciding, { action: `${login.kind}.allow`, reason: null, grant }));
  } catch (error) {
    parts.log.error({ err: error }, 'a login of a client could not be recorded');
    if (parts.config.ledger.failClosed) return sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'ledger-unavailable' });
  }
  return (await login.allow(reply, grant, offline)) ?? sendRefusalOrPage(request, reply, { pages: parts.pages, code: login.gone });
}

interface DecisionEvent {
  readonly action: `${WaitingLogin['kind']}.${'allow' | 'refuse'}`;
  readonly reason: ReasonCode | null;
  readonly grant?: NewClientGrant;
}

function decisionRecord(request: FastifyRequest, { parts, session, stored }: Omit<Deciding, 'login'>, { action, reason, grant }: DecisionEvent) {
  const { principal, sessionId } = session;
  const status = reason === null ? 200 : REASONS[reason].status;
  const given =
    grant === undefined
      ? {}
      : { grantId: grant.id, grants: grantsOfLogin(stored.owner, parts.config, { principal: principal.id, expiresMs: grant.expiresMs }) };
  return sessionRecord(request, { action, reason, status, principalId: principal.id, idp: principal.idp, sessionId, ...given }, parts);
}

export async function recordDecision(request: FastifyRequest, { parts, session }: Pick<Deciding, 'parts' | 'session'>, event: DecisionEvent): Promise<void> {
  const status = event.reason === null ? 200 : REASONS[event.reason].status;
  await recordAnyway(request, { ...event, status, principalId: session.principal.id, idp: session.principal.idp, sessionId: session.sessionId }, parts);
}
