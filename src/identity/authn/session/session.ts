// Browser sessions: 256 random bits in a cookie, everything else on the server.
import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { SessionOwner } from '../../../store/owners.ts';
import type { NewIdentitySession, NewSession, StoredSession, Sessions as StoredSessions } from '../../../store/sessions.ts';
import { wordOf } from '../access-token/trust.ts';
import { idpOfAccount, userPrincipal } from '../accounts/principal.ts';
import type { Confirm } from '../external/confirm.ts';
import { identityPrincipal } from '../identity/principal.ts';
import { ownerOfLogin } from '../owner.ts';
import type { RoleBook } from '../roles.ts';
import { TOUCH_EVERY_MS, type Touches } from '../touches.ts';
import { type Authentication, refuse } from '../verdict.ts';

export interface StartedSession {
  /** Only for Set-Cookie. */
  readonly cookieValue: string;
  readonly id: string;
}

export interface Sessions {
  /** A new id at every login. Undefined: meanwhile the account was removed or got another password. */
  start(account: NewSession['account']): Promise<StartedSession | undefined>;
  /** For an identity that a provider has just proven. It ends with the provider's session, if the provider names its end. */
  startForIdentity(
    owner: Pick<NewIdentitySession, 'identityId' | 'idpSession' | 'refreshAfterMs' | 'authenticatedMs'> & { readonly endsMs: number | null },
  ): Promise<StartedSession>;
  /** Checks both limits. Rejects with `session-expired`, for an ended session as for one that never existed. */
  verify(cookieValue: string, address: string): Promise<Authentication>;
  /** Ends it, and increases the change number. False: there was no session. */
  end(cookieValue: string): Promise<boolean>;
}

export interface SessionParts {
  readonly store: StoredSessions;
  /** Lictor rejects sessions of providers that the configuration no longer has. */
  readonly providers: Config['identityProviders'];
  readonly limits: Config['sessions'];
  readonly roleBook: RoleBook;
  readonly touches: Touches;
  readonly clock: Clock;
  /** Asks the provider whether a session continues. Left out where sessions are not verified. */
  readonly confirm?: Confirm;
}

const COOKIE_VALUE = /^[A-Za-z0-9_-]{43}$/;

export function createSessions(parts: SessionParts): Sessions {
  return {
    start: async (account) => {
      const fresh = await freshSession(parts);
      return (await parts.store.create({ id: fresh.id, expiresMs: fresh.expiresMs, account })) ? fresh : undefined;
    },
    startForIdentity: async ({ endsMs, ...owner }) => {
      const fresh = await freshSession(parts);
      await parts.store.createForIdentity({ id: fresh.id, expiresMs: Math.min(fresh.expiresMs, endsMs ?? Number.POSITIVE_INFINITY), ...owner });
      return fresh;
    },
    verify: (cookieValue, address) => verifySession(parts, cookieValue, address),
    end: async (cookieValue) => isCookieValue(cookieValue) && (await parts.store.end(sessionId(cookieValue))),
  };
}

/** What records and logs may show of a session. */
export function sessionCredentialId(id: string): string {
  return `session:${id.slice(0, 16)}`;
}

/** Its absolute end, by the present limit. A shorter limit applies to existing sessions; a longer one never extends them. */
export function sessionAbsoluteEndMs(
  { createdMs, expiresMs }: Pick<StoredSession, 'createdMs' | 'expiresMs'>,
  { absoluteSeconds }: Pick<Config['sessions'], 'absoluteSeconds'>,
): number {
  return Math.min(expiresMs, createdMs + absoluteSeconds * 1000);
}

/** Its absolute end, or the idle end, which moves while the browser uses the session. */
export function sessionEndsMs(session: Pick<StoredSession, 'createdMs' | 'expiresMs' | 'lastSeenMs'>, limits: Config['sessions']): number {
  return Math.min(sessionAbsoluteEndMs(session, limits), session.lastSeenMs + limits.idleSeconds * 1000);
}

async function freshSession({ store, limits, clock }: SessionParts): Promise<StartedSession & { readonly expiresMs: number }> {
  const nowMs = clock();
  await store.prune({ nowMs, seenBeforeMs: nowMs - limits.idleSeconds * 1000 });
  const cookieValue = randomBytes(32).toString('base64url');
  return { cookieValue, id: sessionId(cookieValue), expiresMs: nowMs + limits.absoluteSeconds * 1000 };
}

async function verifySession(parts: SessionParts, cookieValue: string, address: string): Promise<Authentication> {
  const { clock, limits, store, touches } = parts;
  if (!isCookieValue(cookieValue)) return refuse('session-expired');
  const session = await store.byId(sessionId(cookieValue));
  if (session === undefined || !isKnown(session.owner, parts)) return refuse('session-expired');
  const credentialId = sessionCredentialId(session.id);
  const refused = (reason: ReasonCode) => refuse(reason, credentialId, ownerOfLogin(session.owner, { identityProviders: parts.providers }));
  const nowMs = clock();
  const idleMs = limits.idleSeconds * 1000;
  const endsMs = sessionEndsMs(session, limits);
  if (nowMs >= endsMs) return refused('session-expired');
  const confirmed = (await parts.confirm?.(session)) ?? { session, askAgainMs: null };
  if ('refuse' in confirmed) return refused(confirmed.refuse);
  const principal = ownerPrincipal(confirmed.session.owner, parts);
  if (principal === undefined) return refuse('session-expired');
  // Well below the idle limit. Otherwise a short limit would end a session in use.
  const everyMs = Math.min(TOUCH_EVERY_MS, idleMs / 4);
  const lastMs = session.lastSeenFrom === null ? null : session.lastSeenMs;
  touches.touch({ key: `session ${session.id}`, lastMs, nowMs, everyMs, write: () => store.touch(session.id, nowMs, address) });
  return {
    ok: true,
    principal,
    credential: {
      id: credentialId,
      carrier: 'session',
      // Counted from the last time in the store: a cached decision must not outlive an unused session. It moves while the session is used.
      // At most until the provider is asked again. Then the session is verified again, also for open sockets.
      expiresAtMs: Math.min(endsMs, confirmed.askAgainMs ?? Number.POSITIVE_INFINITY),
      sessionId: session.id,
      alsoPresented: [],
    },
  };
}

export type OwnerParts = Pick<SessionParts, 'providers' | 'roleBook'>;

/** The configuration still has its provider, and its id means the same one. */
export function isKnown(owner: SessionOwner, { providers }: Pick<OwnerParts, 'providers'>): boolean {
  if (owner.kind === 'account') return idpOfAccount(owner.account, { identityProviders: providers }) !== null;
  const provider = providers.find(({ id }) => id === owner.identity.idp);
  const isLoginProvider = provider !== undefined && (provider.type === 'oidc' || provider.type === 'saml');
  return isLoginProvider && (owner.word === null || owner.word === wordOf(provider));
}

/** The principal of a session, or of a grant to a client. Undefined: the configuration no longer has its provider. */
export function ownerPrincipal(owner: SessionOwner, parts: OwnerParts): Principal | undefined {
  if (!isKnown(owner, parts)) return undefined;
  const { providers, roleBook } = parts;
  if (owner.kind === 'identity') return identityPrincipal(owner.identity, roleBook);
  const idp = idpOfAccount(owner.account, { identityProviders: providers });
  return idp === null ? undefined : userPrincipal(owner.account, idp, roleBook);
}

function isCookieValue(value: string): boolean {
  return COOKIE_VALUE.test(value);
}

function sessionId(cookieValue: string): string {
  return createHash('sha256').update(cookieValue).digest('hex');
}
