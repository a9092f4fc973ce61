// How long what a login of the command line gets is good.
import { describe, expect, it } from 'vitest';
import { createGrantTokens } from './grant-tokens.ts';

const NOW_MS = 1_000_000;
const GRANT = {
  ...{ id: 'g1', clientId: 'lictor-cli', scopes: ['prefect:read'], audience: 'api', sessionId: null, refreshAfterMs: null, seenMs: 0, endedMs: null },
  owner: { kind: 'account', account: { id: 'a1', name: 'alice', roles: [], scope: null, expiresMs: null } },
  ...{ createdMs: 0, expiresMs: NOW_MS + 86_400_000 },
} as unknown as Parameters<typeof createGrantTokens>[0];
const issued = (endsMs: number) => {
  const { stored, body } = createGrantTokens(GRANT, endsMs, () => NOW_MS);
  return [stored.access.expiresMs - NOW_MS, body.expires_in];
};

describe('an access token', () => {
  it('is valid for ten minutes', () => {
    expect(issued(NOW_MS + 600_000)).toEqual([600_000, 600]);
    expect(issued(GRANT.expiresMs)).toEqual([600_000, 600]);
  });

  it('ends with its login, as expires_in says: also if a shortened limit ends the login sooner than the store says', () => {
    expect(issued(NOW_MS + 599_999)).toEqual([599_999, 599]);
    expect(issued(NOW_MS + 1500)).toEqual([1500, 1]);
  });
});
