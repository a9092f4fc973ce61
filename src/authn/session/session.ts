// Browser sessions: 256 random bits in a cookie, everything else on the server.
import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewSession, Sessions as StoredSessions } from '../../store/sessions.ts';
import { userPrincipal } from '../accounts/principal.ts';
import type { RoleBook } from '../roles.ts';
import { TOUCH_EVERY_MS, type Touches } from '../touches.ts';
import { type Authentication, refuse } from '../verdict.ts';

export interface StartedSession {
  /** For Set-Cookie, and nowhere else. */
  readonly cookieValue: string;
  readonly id: string;
}

export interface Sessions {
  /** A new id at every login. Undefined: the account was removed or got another password meanwhile. */
  start(account: NewSession['account']): Promise<StartedSession | undefined>;
  /** Checks both limits; refuses with `session-expired` whether the session ended or never was. */
  verify(cookieValue: string): Promise<Authentication>;
  /** Ends it, with a change; false when there was none. */
  end(cookieValue: string): Promise<boolean>;
}

export interface SessionParts {
  readonly store: StoredSessions;
  /** Id of the accounts provider; null: sessions are not accepted at all. */
  readonly idp: string | null;
  readonly limits: Config['sessions'];
  readonly roleBook: RoleBook;
  readonly touches: Touches;
  readonly clock: Clock;
}

const COOKIE_VALUE = /^[A-Za-z0-9_-]{43}$/;

export function createSessions(parts: SessionParts): Sessions {
  return {
    start: (account) => startSession(parts, account),
    verify: (cookieValue) => verifySession(parts, cookieValue),
    end: async (cookieValue) => isCookieValue(cookieValue) && (await parts.store.end(sessionId(cookieValue))),
  };
}

/** What a record and a log may show of a session. */
export function sessionCredentialId(id: string): string {
  return `session:${id.slice(0, 16)}`;
}

async function startSession({ store, limits, clock }: SessionParts, account: NewSession['account']): Promise<StartedSession | undefined> {
  const nowMs = clock();
  await store.prune({ nowMs, seenBeforeMs: nowMs - limits.idleSeconds * 1000 });
  const cookieValue = randomBytes(32).toString('base64url');
  const id = sessionId(cookieValue);
  const started = await store.create({ id, account, expiresMs: nowMs + limits.absoluteSeconds * 1000 });
  return started ? { cookieValue, id } : undefined;
}

async function verifySession(parts: SessionParts, cookieValue: string): Promise<Authentication> {
  const { idp, clock, limits, store, touches } = parts;
  if (!isCookieValue(cookieValue) || idp === null) return refuse('session-expired');
  const session = await store.byId(sessionId(cookieValue));
  if (session === undefined) return refuse('session-expired');
  const nowMs = clock();
  const idleMs = limits.idleSeconds * 1000;
  if (nowMs >= session.expiresMs || nowMs - session.lastSeenMs >= idleMs) return refuse('session-expired', sessionCredentialId(session.id));
  // Well below the idle limit, or a short one would end a session that is in use.
  const everyMs = Math.min(TOUCH_EVERY_MS, idleMs / 4);
  touches.touch({ key: `session ${session.id}`, lastMs: session.lastSeenMs, nowMs, everyMs, write: () => store.touch(session.id, nowMs) });
  return {
    ok: true,
    principal: userPrincipal(session.account, idp, parts.roleBook),
    credential: {
      id: sessionCredentialId(session.id),
      carrier: 'session',
      // From the last time that is written down: a cached decision may not outlive a session that is not seen again. It moves while the session is used.
      expiresAtMs: Math.min(session.expiresMs, session.lastSeenMs + idleMs),
      sessionId: session.id,
      alsoPresented: [],
    },
  };
}

function isCookieValue(value: string): boolean {
  return COOKIE_VALUE.test(value);
}

function sessionId(cookieValue: string): string {
  return createHash('sha256').update(cookieValue).digest('hex');
}
