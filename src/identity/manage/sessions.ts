// Browser sessions that have not ended, as administrators and their owners see them.
import type { Config } from '../../config/config.ts';
import { isoTime } from '../../contract/time-text.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { isKnown, sessionEndsMs } from '../authn/session/session.ts';
import { ownerId } from './client-logins.ts';

export interface SessionJson {
  /** `session_id` of its records. The cookie cannot be computed from it. */
  readonly id: string;
  readonly principal: string;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly last_seen_from: string | null;
  /** Its idle end, which moves while the browser uses it, or its absolute end. */
  readonly expires_at: string;
}

export interface SessionContext {
  readonly config: Pick<Config, 'identityProviders' | 'sessions'>;
  readonly nowMs: number;
}

/** Without those that have ended, or whose provider the configuration no longer has. */
export function sessionsJson(sessions: readonly StoredSession[], { config, nowMs }: SessionContext): readonly SessionJson[] {
  const standing = sessions.filter(
    (session) => sessionEndsMs(session, config.sessions) > nowMs && isKnown(session.owner, { providers: config.identityProviders }),
  );
  return standing.map((session) => ({
    id: session.id,
    principal: ownerId(session.owner, config),
    created_at: isoTime(session.createdMs),
    last_seen_at: isoTime(session.lastSeenMs),
    last_seen_from: session.lastSeenFrom,
    expires_at: isoTime(sessionEndsMs(session, config.sessions)),
  }));
}
