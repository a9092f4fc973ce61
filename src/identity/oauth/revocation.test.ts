import { expect, it } from 'vitest';
import type { NewRecord } from '../../contract/record.ts';
import { createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import { createRevocation } from './revocation.ts';

it('records an end that does not take effect at once, and does not report success to the client', async () => {
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

it('a token with the same id and another secret ends nothing', async () => {
  const { id, text } = createTokenText('0123456789', 'lca_');
  const ended: string[] = [];
  const revoke = createRevocation({
    grants: { ofRefreshToken: unasked, ofAccessToken: unasked, end: unasked, endAccessToken: unasked },
    accessTokens: { byId: async () => ({ id, hash: hashToken(text) }) as never, revoke: async (which) => ended.push(which) > 0 },
    record: async () => undefined,
    onEnded: async () => undefined,
    onError: () => undefined,
    clock: () => 0,
    revision: 1,
  });
  const ask = (token: string) =>
    revoke({
      contentType: 'application/x-www-form-urlencoded',
      body: Buffer.from(`token=${token}`),
      address: '192.0.2.1',
      requestId: 'r',
      userAgent: null,
      path: '/x',
    });
  expect(await ask(createTokenText(id, 'lca_').text)).toMatchObject({ status: 200 });
  expect(ended).toEqual([]);
  await ask(text);
  expect(ended).toEqual([id]);
});

function unasked(): Promise<never> {
  return Promise.reject(new Error('not asked for'));
}
