import { describe, expect, it } from 'vitest';
import type { UpstreamAnswer, UpstreamRequest } from '../prefect/upstream.ts';
import { createLookup } from './lookup.ts';

function prefectAnswering(answer: Partial<UpstreamAnswer>) {
  const asked: UpstreamRequest[] = [];
  const request = async (sent: UpstreamRequest): Promise<UpstreamAnswer> => {
    asked.push(sent);
    return { status: 200, headers: {}, body: Buffer.from('{}'), upstreamMs: 1, ...answer };
  };
  return { asked, upstream: { request } };
}

describe('a lookup', () => {
  it('reads an object, or searches with a filter', async () => {
    const { asked, upstream } = prefectAnswering({ body: Buffer.from('{"n":12345678901234567890}') });
    const lookup = createLookup(upstream);
    expect(JSON.stringify(await lookup('/api/flows/1'))).toBe('{"n":12345678901234567890}');
    await lookup('/api/flows/filter', { limit: 1 });
    expect(asked).toMatchObject([
      { method: 'GET', path: '/api/flows/1' },
      { method: 'POST', path: '/api/flows/filter', headers: { 'content-type': 'application/json' } },
    ]);
    expect(asked[1]?.body?.toString()).toBe('{"limit":1}');
  });

  it("searches with the client's own CSRF token, and nothing else of the client's", async () => {
    const { asked, upstream } = prefectAnswering({});
    const client = { 'prefect-csrf-token': 't', 'prefect-csrf-client': 'c', authorization: 'Bearer x', 'content-type': 'text/plain' };
    await createLookup(upstream, client)('/api/flows/filter', {});
    expect(asked[0]?.headers).toEqual({ 'prefect-csrf-token': 't', 'prefect-csrf-client': 'c', 'content-type': 'application/json' });
  });

  it.each([404, 422])('%i is nothing', async (status) => {
    expect(await createLookup(prefectAnswering({ status }).upstream)('/api/flows/1')).toBeNull();
  });

  it.each([{ status: 500 }, { status: 403 }, { status: 307 }, { body: Buffer.from('no json') }])('%j cannot be decided on', async (answer) => {
    await expect(createLookup(prefectAnswering(answer).upstream)('/api/flows/1')).rejects.toMatchObject({ reason: 'upstream-unavailable', forwarded: false });
  });
});
