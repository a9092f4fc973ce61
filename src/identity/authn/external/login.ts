// Login at an identity provider of any protocol: begin, finish, the gate by role, the session.
import type { Config } from '../../../config/config.ts';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { Store } from '../../../store/store.ts';
import { lockOnPrincipal } from '../locks.ts';
import { createRoleBook, type RoleBook } from '../roles.ts';
import type { Sessions, StartedSession } from '../session/session.ts';
import { type Attempts, createAttempts, type NewAttempt } from './attempts.ts';
import { sealingOfTokens } from './confirm.ts';
import type { ExternalProvider, LeaveForm, NotProven, Proven } from './provider.ts';
import { provisionedIdentity } from './provisioned.ts';

export interface ExternalLogins {
  /** Ids of the providers, in the order of lictor.yaml. */
  readonly idps: readonly string[];
  begin(request: BeginLogin): Promise<BegunLogin | RefusedLogin>;
  finish(request: FinishLogin): Promise<FinishedLogin | FinishedOffline | RefusedLogin>;
  /**
   * Sends a signed-in person to the provider once more, for tokens with another purpose. Undefined: the provider issues
   * no tokens that outlive its session.
   */
  beginOffline(request: BeginOffline): Promise<BegunLogin | RefusedLogin | undefined>;
  /** An answer without a request of Lictor (SAML, if lictor.yaml allows it). */
  finishUnasked(request: UnaskedLogin): Promise<FinishedLogin | RefusedLogin>;
  /** For the session's logout, called before it ends: how to end the provider's session as well. */
  leave(session: { readonly sessionId: string; readonly idp: string }, returnUrl: string): Promise<LeaveForm | undefined>;
}

export interface BeginLogin {
  readonly idp: string;
  readonly callbackUrl: string;
  readonly returnTo: string;
  readonly asOtherPrincipal: boolean;
  /** The person proves the identity anew, even with a session at the provider. */
  readonly isFresh: boolean;
  /** Of the browser. */
  readonly address: string;
}

export interface BeginOffline {
  readonly idp: string;
  readonly callbackUrl: string;
  /** Returned with the answer. */
  readonly purpose: string;
  /** Of the browser. */
  readonly address: string;
}

/** Not a login: the answer to `beginOffline`. */
export interface FinishedOffline {
  readonly ok: true;
  readonly purpose: string;
  readonly proof: Proven | NotProven;
}

export interface BegunLogin {
  readonly ok: true;
  readonly location: string;
  /** Its `browser` is the value of a separate cookie, named after its `state`. */
  readonly attempt: NewAttempt;
}

export interface FinishLogin extends UnaskedLogin {
  readonly callbackUrl: string;
  readonly state: string;
  /** Value of the attempt's cookie, or empty. */
  readonly browser: string;
}

export interface UnaskedLogin {
  readonly idp: string;
  readonly params: URLSearchParams;
  /** Value of the session cookie of the request, or empty. That session ends when this login succeeds. */
  readonly oldCookieValue: string;
}

export interface FinishedLogin {
  readonly ok: true;
  readonly principalId: string;
  readonly session: StartedSession;
  readonly returnTo: string;
  /** The former session has ended, so cached decisions about it must be invalidated. */
  readonly endedOld: boolean;
}

export interface RefusedLogin extends NotProven {
  /** `alice@corp` if the provider proved the identity; null otherwise. */
  readonly principalId: string | null;
  /** Groups of this provider that have a role here, if the person is in none of them. */
  readonly missingGroups: readonly string[];
}

export interface ExternalLoginParts {
  readonly providers: readonly ExternalProvider[];
  readonly store: Pick<Store, 'loginAttempts' | 'identities' | 'idpTokens' | 'locks'>;
  readonly sessions: Pick<Sessions, 'startForIdentity' | 'end'>;
  readonly sealer: Sealer;
  readonly config: Pick<Config, 'roles' | 'identityProviders'>;
}

interface Inside extends ExternalLoginParts {
  readonly attempts: Attempts;
  readonly roleBook: RoleBook;
}

export function createExternalLogins(parts: ExternalLoginParts): ExternalLogins {
  const inside: Inside = {
    ...parts,
    attempts: createAttempts({ store: parts.store.loginAttempts, sealer: parts.sealer }),
    roleBook: createRoleBook(parts.config.roles),
  };
  return {
    idps: parts.providers.map(({ idp }) => idp),
    begin: (request) => begin(inside, request),
    finish: (request) => finish(inside, request),
    beginOffline: (request) => beginOffline(inside, request),
    finishUnasked: (request) => finishUnasked(inside, request),
    leave: (session, returnUrl) => leave(inside, session, returnUrl),
  };
}

async function begin({ providers, attempts }: Inside, request: BeginLogin): Promise<BegunLogin | RefusedLogin> {
  const { idp, callbackUrl, returnTo, asOtherPrincipal, isFresh, address } = request;
  const provider = providers.find((candidate) => candidate.idp === idp);
  if (provider === undefined) return refused('not-found', `no provider ${idp}`);
  const attempt = attempts.create();
  const begun = await provider.begin({ state: attempt.state, callbackUrl, asOtherPrincipal, isFresh });
  if (!begun.ok) return refused(begun.reason, begun.detail);
  await attempts.keep(attempt, { idp, returnTo, secret: begun.secret, address });
  return { ok: true, location: begun.location, attempt };
}

async function beginOffline({ providers, attempts }: Inside, request: BeginOffline): Promise<BegunLogin | RefusedLogin | undefined> {
  const { idp, callbackUrl, purpose, address } = request;
  const provider = providers.find((candidate) => candidate.idp === idp);
  if (provider?.offersOffline === undefined || !(await provider.offersOffline())) return undefined;
  const attempt = attempts.create();
  const begun = await provider.begin({ state: attempt.state, callbackUrl, asOtherPrincipal: false, offline: true });
  if (!begun.ok) return refused(begun.reason, begun.detail);
  await attempts.keep(attempt, { idp, returnTo: '', secret: begun.secret, purpose, address });
  return { ok: true, location: begun.location, attempt };
}

async function finish(inside: Inside, request: FinishLogin): Promise<FinishedLogin | FinishedOffline | RefusedLogin> {
  const { providers, attempts } = inside;
  const { idp, state, browser, params, callbackUrl } = request;
  const provider = providers.find((candidate) => candidate.idp === idp);
  if (provider === undefined) return refused('not-found', `no provider ${idp}`);
  const attempt = await attempts.take({ idp, state, browser });
  if (attempt === 'unknown') return refused('login-unknown', 'no such attempt');
  if (attempt === 'other-browser') return refused('login-other-browser', 'the cookie of the attempt is another one, or missing');
  const proof = await provider.finish({ params, state, callbackUrl, secret: attempt.secret });
  if (attempt.purpose !== '') return { ok: true, purpose: attempt.purpose, proof };
  if (!proof.ok) return refused(proof.reason, proof.detail);
  return await accept(inside, { proof, word: provider.word, returnTo: attempt.returnTo, oldCookieValue: request.oldCookieValue });
}

/** There is no page to return to. */
async function finishUnasked(inside: Inside, { idp, params, oldCookieValue }: UnaskedLogin): Promise<FinishedLogin | RefusedLogin> {
  const provider = inside.providers.find((candidate) => candidate.idp === idp);
  if (provider?.saml === undefined) return refused('not-found', `no SAML provider ${idp}`);
  const proof = await provider.saml.finishUnasked(params);
  return proof.ok ? await accept(inside, { proof, word: provider.word, returnTo: '', oldCookieValue }) : refused(proof.reason, proof.detail);
}

interface Accepted {
  readonly proof: Proven;
  readonly word: string;
  readonly returnTo: string;
  readonly oldCookieValue: string;
}

/**
 * A person without a role is not stored: otherwise everyone at the provider could fill the store. But a stored person who loses all
 * roles loses the rights of earlier sessions as well. Locks are checked last, since a lock may match another name.
 */
async function accept(inside: Inside, { proof, word, returnTo, oldCookieValue }: Accepted): Promise<FinishedLogin | RefusedLogin> {
  const { stored, idpSession, refreshAfterMs, authenticatedMs, sessionEndsMs } = proof;
  const { store, sessions, roleBook, sealer, config } = inside;
  const principalId = principalIdOf(proof.identity);
  const known = await provisionedIdentity(store.identities, proof);
  if (!known.ok) return { ...refused(known.reason, known.detail), principalId };
  const { identity } = known;
  if (roleBook.ofIdentity(identity).length === 0) {
    if (await store.identities.isKnown(identity)) await store.identities.put(identity, word);
    return { ...refused('role-missing', `${principalId} has no role`), principalId, missingGroups: roleBook.groupsOf(identity.idp) };
  }
  const identityId = await store.identities.put(identity, word);
  if (identityId === undefined) {
    return { ...refused('identity-name-taken', `${principalId} is the name of another subject`), principalId };
  }
  if ((await lockOnPrincipal({ locks: store.locks, config }, { id: principalId, idp: identity.idp, onBehalfOf: [] })) !== undefined) {
    return { ...refused('locked', `${principalId} is locked`), principalId };
  }
  const session = await sessions.startForIdentity({ identityId, idpSession, refreshAfterMs, authenticatedMs, endsMs: sessionEndsMs });
  if (stored !== null) await store.idpTokens.put(session.id, sealer.seal(stored, sealingOfTokens(session.id)));
  const endedOld = await sessions.end(oldCookieValue);
  return { ok: true, principalId, session, returnTo, endedOld };
}

async function leave(
  { providers, store, sealer }: Inside,
  { sessionId, idp }: { readonly sessionId: string; readonly idp: string },
  returnUrl: string,
): Promise<LeaveForm | undefined> {
  const provider = providers.find((candidate) => candidate.idp === idp);
  const sealed = await store.idpTokens.read(sessionId);
  return await provider?.leave(sealed === undefined ? undefined : sealer.open(sealed, sealingOfTokens(sessionId)), returnUrl);
}

function principalIdOf({ name, idp }: Identity): string {
  return `${name}@${idp}`;
}

function refused(reason: ReasonCode, detail: string): RefusedLogin {
  return { ok: false, reason, detail, principalId: null, missingGroups: [] };
}
