// Until when a login of a client that a person allows lasts at most.
import { expect, it } from 'vitest';
import { createNewGrants, type NewGrantParts, type NewGrants } from './new-grant.ts';

type Prepared = Parameters<NewGrants['prepare']>;
const SESSION: Prepared[1] = {
  ...{ id: 's1', idpSession: null, refreshAfterMs: null, authenticatedMs: null, createdMs: 0, lastSeenMs: 0, lastSeenFrom: null, expiresMs: 50_000 },
  owner: { kind: 'identity', word: 'w', identityId: 'i1', identity: { idp: 'corp', subject: 's', name: 'alice', kind: 'user', groups: [], claims: {} } },
};
const ASKED: Prepared[0] = { clientId: 'lictor-cli', scopes: [], audience: 'api' };

function endOf(absoluteSeconds: number, lifeMs = 100_000): number {
  const parts = { clock: () => 1000, lifeMs, sessionLimits: { absoluteSeconds } } as unknown as NewGrantParts;
  return createNewGrants(parts).prepare(ASKED, SESSION, undefined).expiresMs;
}

it('on a browser session: is valid as long as the session, by its present limit', () => {
  expect(endOf(60)).toBe(50_000);
  expect(endOf(40)).toBe(40_000);
  expect(endOf(40, 9000)).toBe(10_000);
});
