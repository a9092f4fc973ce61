// How long a decision by a session may be remembered.
import { expect, it } from 'vitest';
import type { StoredSession } from '../../../store/sessions.ts';
import { createRoleBook } from '../roles.ts';
import { createTouches } from '../touches.ts';
import { createSessions, type SessionParts } from './session.ts';

const HOUR_MS = 3_600_000;
const IDENTITY = { idp: 'corp', subject: 'bob-1', name: 'bob', kind: 'user', groups: [], claims: {} } as const;
const SESSION = {
  id: 's1',
  owner: { kind: 'identity', identity: IDENTITY, word: null },
  idpSession: null,
  refreshAfterMs: null,
  createdMs: 0,
  lastSeenMs: 0,
  expiresMs: 8 * HOUR_MS,
} as unknown as StoredSession;

/** When the credential ends, in ms; undefined: it is refused. `askAgainMs`: when its provider is asked again. */
async function endsMs(askAgainMs: number | null, nowMs = 1000): Promise<number | null | undefined> {
  const store = { byId: async () => SESSION, touch: async () => undefined };
  const sessions = createSessions({
    store: store as unknown as SessionParts['store'],
    providers: [{ id: 'corp', type: 'oidc' }] as unknown as SessionParts['providers'],
    limits: { absoluteSeconds: 8 * 3600, idleSeconds: 3600 } as SessionParts['limits'],
    roleBook: createRoleBook([]),
    touches: createTouches(() => undefined),
    clock: () => nowMs,
    confirm: async (session) => ({ session, askAgainMs }),
  });
  const verified = await sessions.verify('a'.repeat(43), '192.0.2.7');
  return verified.ok ? verified.credential.expiresAtMs : undefined;
}

it('ends when its provider is asked again, or else when it is idle, whichever is first', async () => {
  expect(await endsMs(60_000)).toBe(60_000);
  expect(await endsMs(null)).toBe(HOUR_MS);
  expect(await endsMs(2 * HOUR_MS)).toBe(HOUR_MS);
  expect(await endsMs(null, HOUR_MS)).toBeUndefined();
});
