// A login of the command line that stands on a browser session ends with it, whatever its provider is.
import { describe, expect, it } from 'vitest';
import type { ClientGrant } from '../../store/client-grants.ts';
import type { SessionOwner } from '../../store/owners.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { createRoleBook } from '../roles.ts';
import { createGrantStanding } from './standing.ts';

const owner: SessionOwner = {
  kind: 'identity',
  identityId: 'i1',
  identity: { idp: 'local', subject: 's1', name: 'alice', kind: 'user', groups: [], claims: {} },
};

/** SAML gives no moment to ask again: `refreshAfterMs` is null in the session and in the grant. */
function grantOn(refreshAfterMs: number | null): ClientGrant {
  const lasting = { id: 'g1', clientId: 'lictor-cli', scopes: [], audience: 'api', createdMs: 0, seenMs: 0, expiresMs: 1000, endedMs: null } as const;
  return { ...lasting, owner, sessionId: 'session', refreshAfterMs };
}

function standing(session: StoredSession | undefined) {
  return createGrantStanding({
    sessions: { byId: () => Promise.resolve(session) },
    providers: [],
    roleBook: createRoleBook([]),
    clock: () => 500,
    confirm: () => Promise.reject(new Error('the grant has no tokens of its own to ask with')),
    confirmSession: () => Promise.resolve({ refuse: 'session-unconfirmed' }),
  });
}

describe.each([
  ['asks for it', 400],
  ['is never asked again', null],
] as const)('a login on a session whose provider %s', (_name, refreshAfterMs) => {
  it('ends when that session is gone: by itself, after it was idle, or by a logout', async () => {
    expect(await standing(undefined)(grantOn(refreshAfterMs))).toEqual({ ok: false, reason: 'login-ended' });
  });

  it('stands as the session does', async () => {
    const session: StoredSession = { id: 'session', owner, idpSession: null, refreshAfterMs, createdMs: 0, lastSeenMs: 0, expiresMs: 1000 };
    expect(await standing(session)(grantOn(refreshAfterMs))).toEqual({ ok: false, reason: 'session-unconfirmed' });
  });
});
