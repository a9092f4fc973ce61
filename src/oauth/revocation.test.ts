import { expect, it } from 'vitest';
import { createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import type { NewRecord } from '../contract/record.ts';
import { createRevocation } from './revocation.ts';

it('what has ended is recorded also when it could not be made to hold at once, and the client is not told that all is well', async () => {
  const { id, text } = createTokenText('0123456789', 'lca_');
  const records: NewRecord[] = [];
  const token = { id, hash: hashToken(text) };
  const revoke = createRevocation({
    grants: { ofRefreshToken: unasked, ofAccessToken: unasked, end: unasked, endAccessToken: unasked },
    accessTokens: { byId: async () => token as never, revoke: async () => true },
    record: async (record) => void records.push(record),
    onEnded: () => Promise.reject(new Error('the cache cannot be swept')),
    onError: () => undefined,
    clock: () => 0,
    revision: 1,
  });
  const body = Buffer.from(`token=${text}`);
  const request = { contentType: 'application/x-www-form-urlencoded', body, address: '192.0.2.1', requestId: 'r', userAgent: null, path: '/x' };
  await expect(revoke(request)).rejects.toThrow('cannot be swept');
  expect(records).toMatchObject([{ action: 'token.revoke', credential_id: id, request_id: 'r' }]);
});

function unasked(): Promise<never> {
  return Promise.reject(new Error('not asked for'));
}
