import { describe, expect, it } from 'vitest';
import { createLookup } from './lookup.ts';
import type { UpstreamAnswer, UpstreamRequest } from './upstream.ts';
import { UpstreamError } from './upstream-error.ts';

function prefectAnswering(answer: Partial<UpstreamAnswer> | ((request: UpstreamRequest) => Partial<UpstreamAnswer>)) {
  const asked: UpstreamRequest[] = [];
  const request = async (sent: UpstreamRequest): Promise<UpstreamAnswer> => {
    asked.push(sent);
    return { status: 200, headers: {}, body: Buffer.from('{}'), upstreamMs: 1, ...(typeof answer === 'function' ? answer(sent) : answer) };
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

  it('fetches a separate CSRF token when Prefect requires one, and repeats the request', async () => {
    const { asked, upstream } = prefectAnswering((request) => {
      if (request.path === '/api/csrf-token') return { body: Buffer.from('{"token":"t"}') };
      return request.headers?.['prefect-csrf-token'] === 't' ? { body: Buffer.from('[]') } : { status: 403 };
    });
    expect(await createLookup(upstream)('/api/flows/filter', {})).toEqual([]);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/flows/filter', 'GET /api/csrf-token', 'POST /api/flows/filter']);
    expect(asked[1]?.query).toBe(`client=${asked[2]?.headers?.['prefect-csrf-client']}`);
    const closed = prefectAnswering({ status: 403 });
    await expect(createLookup(closed.upstream)('/api/flows/filter', {})).rejects.toMatchObject({ reason: 'upstream-unavailable' });
    expect(closed.asked).toHaveLength(2);
  });

  it.each([404, 422])('%i is nothing', async (status) => {
    expect(await createLookup(prefectAnswering({ status }).upstream)('/api/flows/1')).toBeNull();
  });

  it.each([{ status: 500 }, { status: 403 }, { status: 307 }, { body: Buffer.from('no json') }])('%j cannot be decided on', async (answer) => {
    await expect(createLookup(prefectAnswering(answer).upstream)('/api/flows/1')).rejects.toMatchObject({ reason: 'upstream-unavailable', forwarded: false });
  });

  const failing = (times: number, error: UpstreamError) => {
    let failed = 0;
    return prefectAnswering(() => {
      if (++failed <= times) throw error;
      return { body: Buffer.from('{"id":"1"}') };
    });
  };
  const broken = new UpstreamError('upstream-unavailable', { forwarded: true, broken: true });

  it.each([undefined, { limit: 1 }])('is made once more, and only once, when its connection breaks: %j', async (filter) => {
    const once = failing(1, broken);
    expect(JSON.stringify(await createLookup(once.upstream)('/api/flows/1', filter))).toBe('{"id":"1"}');
    const twice = failing(2, broken);
    await expect(createLookup(twice.upstream)('/api/flows/1', filter)).rejects.toBe(broken);
    expect([once.asked.length, twice.asked.length]).toEqual([2, 2]);
  });

  it('is not made again when Prefect is slow, or cannot be reached', async () => {
    for (const error of [new UpstreamError('upstream-timeout', { forwarded: true }), new UpstreamError('upstream-unavailable', { forwarded: false })]) {
      const { asked, upstream } = failing(1, error);
      await expect(createLookup(upstream)('/api/flows/1')).rejects.toBe(error);
      expect(asked).toHaveLength(1);
    }
  });
});
