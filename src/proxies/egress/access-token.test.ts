import { describe, expect, it } from 'vitest';
import type { ServiceOauth } from '../../config/service.ts';
import { createAccessToken, type TokenFetch } from './access-token.ts';

const CLIENT: ServiceOauth = {
  ...{ tokenUrl: 'https://idp.example/oauth/token', clientId: 'gate way', clientSecret: 's3cret$', clientAuth: 'basic' },
  ...{ scope: 'read write', audience: null, caFile: null },
};

function setting(more: Partial<ServiceOauth> = {}) {
  const state = { nowMs: 1_800_000_000_000, putMs: 0, answer: (number: number): Response => token(`token-${number}`) };
  const asked: { readonly url: string; readonly headers: Headers; readonly form: URLSearchParams }[] = [];
  const trouble: string[] = [];
  const fetch: TokenFetch = async (url, { headers, body }) => {
    asked.push({ url, headers: new Headers(headers), form: new URLSearchParams(body) });
    return state.answer(asked.length);
  };
  const made = createAccessToken({
    oauth: { ...CLIENT, ...more },
    fetch,
    clock: () => state.nowMs + state.putMs,
    steady: () => state.nowMs - 1_800_000_000_000,
    onTrouble: (what) => trouble.push(what),
  });
  const current = async () => (await made.current())?.token;
  return { state, asked, trouble, made, current, refused: made.refused };
}

function token(text: unknown, more: Readonly<Record<string, unknown>> = {}): Response {
  return Response.json({ access_token: text, token_type: 'Bearer', expires_in: 600, ...more });
}

describe('an access token for a service', () => {
  it('is obtained by client credentials, once for all simultaneous calls, and cached', async () => {
    const { current, asked } = setting();
    expect(await Promise.all([current(), current(), current()])).toEqual(['token-1', 'token-1', 'token-1']);
    expect(await current()).toBe('token-1');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('https://idp.example/oauth/token');
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({ grant_type: 'client_credentials', scope: 'read write' });
    // RFC 6749, 2.3.1: both are form-encoded first.
    expect(asked[0]?.headers.get('authorization')).toBe(`Basic ${Buffer.from('gate+way:s3cret%24').toString('base64')}`);
  });

  it('is requested in the form and with an audience if the configuration says it', async () => {
    const { current, asked } = setting({ clientAuth: 'post', scope: null, audience: 'https://billing' });
    await current();
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      ...{ grant_type: 'client_credentials', audience: 'https://billing', client_id: 'gate way', client_secret: 's3cret$' },
    });
    expect(asked[0]?.headers.has('authorization')).toBe(false);
  });

  it('is replaced before it ends, while the former is still used', async () => {
    const { current, asked, state } = setting();
    await current();
    state.nowMs += 530_000;
    expect([await current(), asked.length]).toEqual(['token-1', 1]);
    state.nowMs += 15_000;
    expect(await current()).toBe('token-1');
    await expect.poll(current).toBe('token-2');
    expect(asked).toHaveLength(2);
  });

  it('is used to its end while the server does not answer, which is asked at growing intervals', async () => {
    const { current, asked, state, trouble } = setting();
    await current();
    state.answer = () => Response.json({ error: 'temporarily_unavailable', error_description: 'client s3cret$ is known' }, { status: 503 });
    state.nowMs += 599_000;
    expect(await current()).toBe('token-1');
    await expect.poll(() => trouble.length).toBe(1);
    state.nowMs += 1_500;
    expect(await current()).toBeUndefined();
    expect(await current()).toBeUndefined();
    expect(asked).toHaveLength(3);
    state.nowMs += 1_500;
    expect([await current(), asked.length]).toEqual([undefined, 3]);
    state.nowMs += 1_000;
    state.answer = () => token('again');
    expect([await current(), asked.length]).toEqual(['again', 4]);
    expect(JSON.stringify(trouble)).not.toContain('s3cret');
    expect(trouble[0]).toContain('(503)');
  });

  it('is replaced once if the service rejects it, and not for a rejection of the former one', async () => {
    const { current, refused, asked, state } = setting();
    await current();
    refused(state.nowMs - 1);
    refused(state.nowMs + 1_000);
    expect([await current(), asked.length]).toEqual(['token-1', 1]);
    state.nowMs += 10_000;
    refused(state.nowMs);
    await expect.poll(current).toBe('token-2');
    expect(asked).toHaveLength(2);
    state.nowMs += 10_000;
    refused(state.nowMs);
    expect([await current(), asked.length]).toEqual(['token-2', 2]);
    state.nowMs += 60_000;
    refused(state.nowMs);
    await expect.poll(current).toBe('token-3');
    expect(asked).toHaveLength(3);
  });

  it('is still used if the service rejects it and there is no other, but no longer than it is valid', async () => {
    const { current, refused, trouble, state } = setting();
    await current();
    state.answer = () => Response.json({}, { status: 500 });
    state.nowMs += 10_000;
    refused(state.nowMs);
    await expect.poll(() => trouble).toHaveLength(1);
    expect(await current()).toBe('token-1');
    state.nowMs += 590_000;
    expect(await current()).toBeUndefined();
  });

  it.each([
    ['what could not stand in a header', () => token('a b\r\nX-Evil: 1')],
    ['another type', () => token('abc', { token_type: 'DPoP' })],
    ['no token', () => token(undefined)],
    ['one that no header takes', () => token('a'.repeat(9_000))],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } })],
    ['a refusal', () => Response.json({ error: 'invalid_client' }, { status: 401, headers: { 'www-authenticate': 'Basic' } })],
  ])('is none where the server answers with %s', async (_what, answer) => {
    const { current, state, trouble } = setting();
    state.answer = answer;
    expect(await current()).toBeUndefined();
    expect(trouble).toHaveLength(1);
    const other = setting();
    expect(await other.current()).toBe('token-1');
  });

  it.each([-3_600_000, -2_000])('keeps its lifetime if the clock is put back by %i ms', async (putMs) => {
    const { made, current, asked, state } = setting();
    await current();
    state.putMs = putMs;
    state.answer = () => Response.json({}, { status: 500 });
    state.nowMs += 599_000;
    expect(await made.current()).toEqual({ token: 'token-1', expiresAtMs: state.nowMs + putMs + 1_000 });
    state.nowMs += 1_000;
    expect(await current()).toBeUndefined();
    const before = asked.length;
    state.nowMs += 5_000;
    state.answer = () => token('another');
    expect([await current(), asked.length]).toEqual(['another', before + 1]);
  });

  it('is not used after its end by the wall clock: the machine may have slept', async () => {
    const { current, state } = setting();
    await current();
    state.putMs = 599_999;
    expect(await current()).toBe('token-1');
    state.putMs = 600_000;
    expect(await current()).toBe('token-2');
  });

  it('is replaced if the service rejects it, and not for a rejection of the former one, after the clock was put back', async () => {
    const { current, refused, asked, state } = setting();
    await current();
    state.putMs = -3_600_000;
    state.nowMs += 1_000;
    refused(state.nowMs + state.putMs);
    state.nowMs += 9_000;
    // It began before the token was had.
    refused(state.nowMs + state.putMs - 11_000);
    expect([await current(), asked.length]).toEqual(['token-1', 1]);
    refused(state.nowMs + state.putMs);
    await expect.poll(current).toBe('token-2');
    state.nowMs += 10_000;
    refused(state.nowMs + state.putMs);
    expect([await current(), asked.length]).toEqual(['token-2', 2]);
  });

  it('is used for five minutes if the answer names no lifetime', async () => {
    const { current, asked, state } = setting();
    state.answer = (number) => token(`token-${number}`, { expires_in: undefined });
    await current();
    state.nowMs += 301_000;
    expect([await current(), asked.length]).toEqual(['token-2', 2]);
  });
});
