// Metadata documents of clients: which address is fetched, and which document is accepted. Each rejection has its code.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../../../test/env/authority.ts';
import { createIsPublic } from '../../contract/addresses.ts';
import { type ClientDocuments, createClientDocuments, DOCUMENT_LIMITS, type DocumentNetwork, parseClientUrl } from './client-documents.ts';

const HOST = 'client.example';
const PERSON = 'alice@corp';
let authority: Authority;
let server: Server;
let base: string;
let network: DocumentNetwork;
let nowMs: number;
let looked: string[];
let requests: number;
let answer: { status: number; headers: Record<string, string>; body: string | null };

beforeAll(async () => {
  authority = createAuthority();
  const { chain, key } = authority.issue({ names: [HOST], days: 1 });
  server = createServer({ cert: readFileSync(chain), key: readFileSync(key) }, (_request, response) => {
    requests += 1;
    if (answer.body === null) return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `https://${HOST}:${typeof address === 'object' ? address?.port : 0}`;
  network = {
    lookup: async (host) => {
      looked.push(host);
      return ['127.0.0.1'];
    },
    isPublic: () => true,
    caFile: authority.root,
    timeoutMs: 20_000,
  };
});
afterAll(() => {
  server.close();
  authority.remove();
});
beforeEach(() => {
  [nowMs, looked, requests] = [0, [], 0];
  answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '' };
});
afterEach(() => server.closeAllConnections());

function documents(more: Partial<DocumentNetwork> = {}, hosts: readonly string[] = [HOST], ids: readonly string[] = []): ClientDocuments {
  return createClientDocuments({ hosts, ids: new Set(ids), network: { ...network, ...more }, steady: () => nowMs });
}

const sound = (more: Record<string, unknown> = {}) => ({
  client_id: `${base}/client.json`,
  client_name: 'Agent Tool',
  redirect_uris: [`${base}/callback`, 'http://127.0.0.1/callback', 'tool://callback'],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  ...more,
});

const find = (more: Partial<DocumentNetwork> = {}) => documents(more).find(`${base}/client.json`, PERSON);

describe('a metadata document', () => {
  it('gives the client, and is fetched once in a while', async () => {
    answer.body = JSON.stringify(sound());
    const known = documents();
    const expected = { id: `${base}/client.json`, name: 'Agent Tool', redirectUris: sound().redirect_uris, host: new URL(base).host };
    expect(await known.find(`${base}/client.json`, PERSON)).toEqual({ ok: true, client: expected });
    expect(await known.find(`${base}/client.json`, PERSON)).toEqual({ ok: true, client: expected });
    expect([requests, looked]).toEqual([1, [HOST]]);
  });

  it('may have another JSON type, no name, and up to 5 KiB', async () => {
    answer.headers['content-type'] = 'application/client-metadata+json; charset=utf-8';
    answer.body = JSON.stringify(sound({ client_name: undefined })).padEnd(DOCUMENT_LIMITS.bytes);
    expect(await find()).toMatchObject({ ok: true, client: { name: new URL(base).host } });
  });

  it.each<readonly [string, Record<string, unknown>, RegExp]>([
    ['names another id', { client_id: 'https://client.example/other.json' }, /another address/],
    ['has no id', { client_id: undefined }, /another address/],
    ['has no redirect URIs', { redirect_uris: [] }, /no redirect_uris/],
    ['has a redirect URI on another host', { redirect_uris: ['https://evil.example/callback'] }, /another host/],
    ['has a redirect URI in clear', { redirect_uris: ['http://client.example/callback'] }, /another form/],
    ['has a redirect URI with a script', { redirect_uris: ['javascript:alert(1)'] }, /another form/],
    ['has a secret', { client_secret: 'x' }, /secret/],
    ['has a secret that ends', { client_secret_expires_at: 0 }, /secret/],
    ['authenticates with a secret', { token_endpoint_auth_method: 'client_secret_basic' }, /authentication method none/],
    ['authenticates with a key', { token_endpoint_auth_method: 'private_key_jwt' }, /authentication method none/],
    ['uses another grant', { grant_types: ['client_credentials'] }, /authorization_code/],
    ['uses another response', { response_types: ['token'] }, /not use code/],
    ['has invisible letters in its name', { client_name: 'Lictor\u202eevil' }, /invisible/],
    ['has a name of fillers', { client_name: '\u3164\u115f' }, /invisible/],
    ['has variation selectors in its name', { client_name: 'Lictor\ufe0f' }, /invisible/],
    ['has a second line in its name', { client_name: 'Lictor\u2028by the administrator' }, /invisible/],
    ['has a name of blanks', { client_name: ' \u00a0 ' }, /invisible/],
    ['has a long name', { client_name: 'x'.repeat(61) }, /60 letters/],
  ])('that %s is not valid', async (_what, more, words) => {
    answer.body = JSON.stringify(sound(more));
    expect(await find()).toEqual({ ok: false, reason: 'client-document-invalid', detail: expect.stringMatching(words) });
  });

  it.each([
    ['is no JSON', 'client-document-invalid', () => ({ body: '<html>' })],
    ['is a list', 'client-document-invalid', () => ({ body: '[]' })],
    ['is sent as a page', 'client-document-invalid', () => ({ headers: { 'content-type': 'text/html' } })],
    ['is larger than 5 KiB', 'client-document-unavailable', () => ({ body: JSON.stringify(sound()).padEnd(6 * 1024) })],
    ['is moved', 'client-document-unavailable', () => ({ status: 302, headers: { location: `${base}/other`, 'content-type': 'application/json' } })],
    ['is missing', 'client-document-unavailable', () => ({ status: 404 })],
  ] as const)('that %s gives no client, and one request', async (_what, reason, change) => {
    Object.assign(answer, { body: JSON.stringify(sound()) }, change());
    expect(await find()).toMatchObject({ ok: false, reason });
    expect(requests).toBe(1);
  });

  it('that is not sent in time gives no client', async () => {
    answer.body = null;
    expect(await find({ timeoutMs: 200 })).toEqual({ ok: false, reason: 'client-document-unavailable' });
    expect(await find({ timeoutMs: 200, lookup: () => new Promise(() => {}) })).toEqual({ ok: false, reason: 'client-document-unavailable' });
    expect(requests).toBeLessThanOrEqual(1);
  });

  it('is not cached while it is not valid', async () => {
    const known = documents();
    answer.body = '[]';
    expect(await known.find(`${base}/client.json`, PERSON)).toMatchObject({ ok: false });
    answer.body = JSON.stringify(sound());
    expect(await known.find(`${base}/client.json`, PERSON)).toMatchObject({ ok: true });
  });
});

describe('no request goes out', () => {
  it.each([
    ['127.0.0.1'],
    ['169.254.169.254'],
    ['10.0.0.1'],
    ['192.168.1.1'],
    ['100.64.0.1'],
    ['0.0.0.0'],
    ['::1'],
    ['fd00::1'],
    ['fe80::1'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::a9fe:a9fe'],
  ])('to %s, also beside a public address', async (address) => {
    answer.body = JSON.stringify(sound());
    for (const addresses of [[address], ['93.184.216.34', address]]) {
      expect(await find({ isPublic: createIsPublic(), lookup: async () => addresses })).toEqual({ ok: false, reason: 'client-document-private' });
    }
    expect(requests).toBe(0);
  });

  it('for a host that lictor.yaml does not list, not even a look-up; twin: a listed one, one below a pattern, and the address of an agent', async () => {
    const id = `${base}/client.json`;
    for (const hosts of [[], ['other.example'], ['*.client.example'], ['example']]) {
      const known = documents({}, hosts);
      expect(known.accepts(id)).toBe(false);
      expect(await known.find(id, PERSON)).toEqual({ ok: false, reason: 'client-not-allowed', detail: expect.stringContaining(HOST) });
    }
    expect([looked, requests]).toEqual([[], 0]);
    answer.body = JSON.stringify(sound());
    for (const known of [documents(), documents({}, ['*.example']), documents({}, [], [id])]) {
      expect(known.accepts(id)).toBe(true);
      expect(await known.find(id, PERSON)).toMatchObject({ ok: true });
    }
  });

  it('for a name without an address, or a look-up that fails', async () => {
    expect(await find({ lookup: async () => [] })).toEqual({ ok: false, reason: 'client-document-unavailable' });
    expect(await find({ lookup: () => Promise.reject(new Error('ENOTFOUND')) })).toEqual({ ok: false, reason: 'client-document-unavailable' });
  });

  it('more than ten times a minute for a person; another person is not affected', async () => {
    const known = documents();
    answer.body = '[]';
    for (let index = 0; index < DOCUMENT_LIMITS.perMinute; index += 1) await known.find(`${base}/client.json`, PERSON);
    expect(await known.find(`${base}/client.json`, PERSON)).toEqual({ ok: false, reason: 'rate-limited' });
    expect(requests).toBe(10);
    expect(await known.find(`${base}/client.json`, 'bob@corp')).toMatchObject({ reason: 'client-document-invalid' });
    nowMs += 60_000;
    expect(await known.find(`${base}/client.json`, PERSON)).toMatchObject({ reason: 'client-document-invalid' });
  });

  it.each([
    'http://client.example/client.json',
    'https://client.example',
    'https://client.example/',
    'https://client.example/#fragment',
    'https://client.example/client.json#',
    'https://user@client.example/client.json',
    'https://user:password@client.example/client.json',
    'https://client.example/../client.json',
    'https://client.example/a/./client.json',
    'https://client.example/%2e%2e/client.json',
    'https://client.example:443/client.json',
    'https://CLIENT.example/client.json',
    'https://client.example\\client.json',
    'https://127.0.0.1/client.json',
    'https://2130706433/client.json',
    'https://[::1]/client.json',
    'https://client.example./client.json',
    `https://client.example/${'x'.repeat(512)}`,
  ])('for %s', async (id) => {
    expect(parseClientUrl(id)).toBeUndefined();
    const known = documents();
    expect(known.accepts(id)).toBe(false);
    expect(await known.find(id, PERSON)).toMatchObject({ ok: false, reason: 'client-document-invalid' });
    expect([looked, requests]).toEqual([[], 0]);
  });
});

it('the checked addresses are the ones that are connected to: a second look-up would lead elsewhere', async () => {
  answer.body = JSON.stringify(sound());
  let count = 0;
  const lookup = async () => {
    count += 1;
    return count === 1 ? ['127.0.0.1'] : ['169.254.169.254'];
  };
  expect(await find({ lookup, isPublic: (address) => address === '127.0.0.1' })).toMatchObject({ ok: true });
  expect([count, requests]).toEqual([1, 1]);
});
