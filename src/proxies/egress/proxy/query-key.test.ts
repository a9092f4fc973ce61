import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { addKey, queryKeyStrategy } from './query-key.ts';

const KEY = { name: 'api_key', value: 'a$b&c=d e/é"1234' };
const SHOWN = 'api_key=a%24b%26c%3Dd%20e%2F%C3%A9%221234';

describe('a key in the query', () => {
  it.each([
    ['/v1', `/v1?${SHOWN}`],
    ['/v1?', `/v1?${SHOWN}`],
    ['/v1?a=1&b=%7e+x', `/v1?a=1&b=%7e+x&${SHOWN}`],
    ['/v1?a=1&', `/v1?a=1&${SHOWN}`],
    ['/v1?a?b', `/v1?a?b&${SHOWN}`],
    ['/v1?api[key]=1&%u0062pi_key=2', `/v1?api[key]=1&%u0062pi_key=2&${SHOWN}`],
    ['/v1?my_api_key=1&api_key2=2&x=api_key', `/v1?my_api_key=1&api_key2=2&x=api_key&${SHOWN}`],
  ])('stands behind the caller’s own query, of which no byte changes: %s', (target, wanted) => expect(addKey(target, KEY)).toBe(wanted));

  it.each([
    '/v1?api_key=mine',
    '/v1?api_key',
    '/v1?a=1;api_key=mine',
    '/v1?a=1&API_KEY=mine',
    '/v1?api%5Fkey=mine',
    '/v1?%61pi_key=mine',
    '/v1?%2561pi_key=mine',
    '/v1?+api_key=mine',
    '/v1?api_key%20=mine',
    '/v1?api_key[]=mine',
    '/v1?api_key%5B0%5D=mine',
    '/v1?api.key=mine',
    '/v1?api+key=mine',
    '/v1?api[key=mine',
    '/v1?api%5Bkey=mine',
    '/v1?%u0061pi_key=mine',
    '/v1?api_key%00x=mine',
    '/v1?a=1#',
    '/v1#?a',
  ])('is not the caller’s to name, to double or to hide: %s', async (target) => {
    expect(addKey(target, KEY)).toBeUndefined();
    expect(await queryKeyStrategy(KEY).authenticateCall({ method: 'GET', target, headers: {}, body: null })).toEqual({ ok: false, reason: 'request-invalid' });
  });

  it('is put behind a thousand parts, and behind no more', () => {
    const parts = 'a&'.repeat(1_000);
    expect(addKey(`/v1?${parts}`, KEY)).toBe(`/v1?${parts}${SHOWN}`);
    expect(addKey(`/v1?${'&'.repeat(30_000)}`, KEY)).toBeDefined();
    for (const more of ['a', 'a;']) expect(addKey(`/v1?${parts}${more}`, KEY)).toBeUndefined();
  });

  it('goes without what would let it be read in pieces or in another form', async () => {
    const headers = { host: 'x', range: 'bytes=3-5', 'if-range': 'x', 'accept-encoding': 'zstd', accept: '*/*' };
    expect(await queryKeyStrategy(KEY).authenticateCall({ method: 'GET', target: '/', headers, body: null })).toEqual({
      ...{ ok: true, target: `/?${SHOWN}` },
      headers: { host: 'x', accept: '*/*', 'accept-encoding': 'identity' },
    });
  });
});

describe('the answer to it', () => {
  const clean = (headers: Record<string, string>) => queryKeyStrategy(KEY).clean?.headers(headers);
  const plain = { name: 'key', value: 'SECRET-12345' };

  it.each([
    [`/v1/next?page=2&${SHOWN}`, '/v1/next?page=2'],
    [`/v1/next?${SHOWN}&page=2`, '/v1/next?page=2'],
    [`/v1/next?a=1&${SHOWN}&page=2`, '/v1/next?a=1&page=2'],
    [`/v1/next?${SHOWN}#top`, '/v1/next#top'],
    ['/v1/next?api_key=a%24b%26c%3dd+e%2f%c3%a9%221234', '/v1/next'],
    ['/v1/next?page=2&api_key=other', '/v1/next?page=2&api_key=other'],
  ])('has a Location without it: %s', (location, wanted) => expect(clean({ location })).toEqual({ location: wanted }));

  it('has links without it, and no header that holds it elsewhere', () => {
    const link = `</v1?page=2&${SHOWN}>; rel="next", </v1?${SHOWN}>; rel="first"`;
    expect(clean({ link, 'x-echo': `you sent ${KEY.value}`, 'x-other': 'fine', connection: 'close' })).toEqual({
      ...{ link: '</v1?page=2>; rel="next", </v1>; rel="first"', 'x-other': 'fine' },
    });
  });

  it.each([
    ['identity', (text: string) => Buffer.from(text)],
    ['gzip', (text: string) => gzipSync(text)],
  ])('has a body without it, of the same length: %s', async (encoding, encode) => {
    const text = JSON.stringify({ next: '/v1?page=2&key=SECRET-12345', said: 'SECRET-1234', again: 'SECRET-12345SECRET-12345' });
    let stream: Readable = Readable.from([...encode(text)].map((byte) => Buffer.from([byte])));
    for (const through of queryKeyStrategy(plain).clean?.body(encoding) ?? []) stream = stream.pipe(through);
    const chunks = await stream.toArray();
    expect(Buffer.concat(chunks).toString()).toBe(text.replaceAll('SECRET-12345', '*'.repeat(12)));
  });

  it.each(['a/b+c/d==x', 'a\\/b+c\\/d==x', 'a/b\\u002Bc/d==x', 'a/b\\u002bc/d==x'])('has a body without it as languages write JSON: %s', async (form) => {
    const [mask] = queryKeyStrategy({ name: 'key', value: 'a/b+c/d==x' }).clean?.body(undefined) ?? [];
    const chunks =
      mask === undefined
        ? []
        : await Readable.from([Buffer.from(`"${form}"`)])
            .pipe(mask)
            .toArray();
    expect(Buffer.concat(chunks).toString()).toBe(`"${'*'.repeat(form.length)}"`);
  });

  it('does not pass where it cannot be read', () => {
    expect(queryKeyStrategy(plain).clean?.body('zstd')).toBeUndefined();
    for (const name of ['gzip, gzip', 'constructor', 'toString', '__proto__']) expect(queryKeyStrategy(plain).clean?.body(name)).toBeUndefined();
    expect(queryKeyStrategy(plain).clean?.body(undefined)).toHaveLength(1);
    expect(queryKeyStrategy({ name: 'key', value: 'short' }).clean?.body(undefined)).toEqual([]);
  });

  it('has no length of what was decoded', () => {
    expect(clean({ 'content-encoding': 'gzip', 'content-length': '10', 'accept-ranges': 'bytes' })).toEqual({});
    expect(clean({ 'content-length': '10' })).toEqual({ 'content-length': '10' });
  });
});
