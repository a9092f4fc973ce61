// A logout token at the limits of its lifetime: it counts once while it is valid.
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import type { OidcClient } from './client.ts';
import { createKeys } from './keys.ts';
import { checkLogoutToken } from './logout-token.ts';

const SECOND = 1_800_000_000;
const CONFIG = { id: 'corp', issuer: 'https://idp.example', clientId: 'lictor' };

let privateKey: CryptoKey;
let jwk: JWK;
let test: TestStore;
beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  privateKey = pair.privateKey;
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256' };
});
beforeEach(async () => {
  // Between two whole seconds: ages are counted in those.
  test = await openTestStore(SECOND * 1000 + 500);
});
afterEach(() => test.close());

function send(token: string) {
  const keys = createKeys('https://idp.example/keys', { fetch: async () => Response.json({ keys: [jwk] }) }, test);
  const client = async () => ({ keys }) as unknown as OidcClient;
  return checkLogoutToken({ config: CONFIG, client, marks: test.store.marks, clock: test.clock }, token);
}

it.each([
  ['created in this second', 0],
  ['of a clock that is ahead by the tolerance', 30],
])('%s', async (_what, ahead) => {
  const claims = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, sub: 's', jti: 'j' };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'logout+jwt' })
    .setIssuer(CONFIG.issuer)
    .setAudience(CONFIG.clientId)
    .setIssuedAt(SECOND + ahead)
    .sign(privateKey);
  expect(await send(token)).toMatchObject({ ok: true, subject: 's' });
  // Up to the moment from which on it is refused for its age.
  test.advance(145_000);
  const details = new Set<string>();
  for (let waited = 0; waited < 40_000; waited += 250) {
    const answer = await send(token);
    details.add(answer.ok ? 'taken again' : answer.detail);
    test.advance(250);
  }
  expect(details).toEqual(new Set(['used before', 'ERR_JWT_EXPIRED iat']));
});
