// research row SM-02: what HTTP/2 allows inside a frame must not become something else in HTTP/1.1.
import { expect, it } from 'vitest';
import { type Field, type RawStream, rawHttp2Request } from '../../../env/raw-http2.ts';
import { fieldOf, pseudoFields } from '../../../env/transport.ts';
import { type Door, expectNothingThrough } from './door.ts';

const PATH = '/api/work_pools/p';
const INJECTED = ' HTTP/1.1\r\nHost: localhost\r\n\r\nDELETE /api/work_pools/smuggled HTTP/1.1\r\nX: y';

const FILTER = '/api/variables/filter';
const POSTED: Readonly<Record<string, string>> = { ':method': 'POST', ':path': FILTER };

type Build = (good: readonly Field[], credential: Field) => Partial<RawStream>;

/** Another value in the place of a good one. */
const instead =
  (name: string, value: string): Build =>
  (good, credential) => ({ fields: [...good.map((field): Field => (field[0] === name ? [name, value] : field)), credential] });
const without =
  (name: string): Build =>
  (good, credential) => ({ fields: [...good.filter((field) => field[0] !== name), credential] });
const also =
  (...fields: readonly Field[]): Build =>
  (good, credential) => ({ fields: [...good, credential, ...fields] });

/** Of another method, to a filter. */
const post =
  (body: string, ...fields: readonly Field[]): Build =>
  (good, credential) => ({
    fields: [...good.map(([name, value]): Field => [name, POSTED[name] ?? value]), credential, ['content-type', 'application/json'], ...fields],
    body,
  });

const REFUSED: readonly (readonly [what: string, build: Build])[] = [
  ['a space in :path', instead(':path', `${PATH} b`)],
  ['CRLF in :path', instead(':path', `${PATH}${INJECTED}`)],
  ['a bare LF in :path', instead(':path', `${PATH}\nX: y`)],
  ['NUL in :path', instead(':path', `${PATH}\0`)],
  ['a tab in :path', instead(':path', `${PATH}\tb`)],
  ['a :path without a slash', instead(':path', 'api/work_pools/p')],
  ['an empty :path', instead(':path', '')],
  ['a :path of *', instead(':path', '*')],
  ['no :path', without(':path')],
  ['two :path', (good, credential) => ({ fields: [...good, [':path', '/api/flows/filter'], credential] })],
  ['CRLF in :method', instead(':method', `GET ${PATH}${INJECTED}`)],
  ['a space in :method', instead(':method', 'GET /api')],
  ['an empty :method', instead(':method', '')],
  ['no :method', without(':method')],
  ['no :scheme', without(':scheme')],
  ['CRLF in :scheme', instead(':scheme', 'https\r\nX: y')],
  ['a foreign :authority', instead(':authority', 'evil.example')],
  ['CRLF in :authority', instead(':authority', 'localhost\r\nX: y')],
  ['a path in :authority', instead(':authority', 'localhost/api/health?')],
  ['a user in :authority', instead(':authority', 'localhost@evil.example')],
  ['neither :authority nor host', without(':authority')],
  ['a host that is not :authority', also(['host', 'evil.example'])],
  [
    'a socket by extended CONNECT',
    (good, credential) => ({ fields: [...(instead(':method', 'CONNECT')(good, credential).fields ?? []), [':protocol', 'websocket']] }),
  ],
  ['an unknown pseudo-header', (good, credential) => ({ fields: [...good, [':evil', 'x'], credential] })],
  ['transfer-encoding', also(['transfer-encoding', 'chunked'])],
  ['transfer-encoding with a body', post('0\r\n\r\nDELETE /api/work_pools/smuggled HTTP/1.1\r\n\r\n', ['transfer-encoding', 'chunked'])],
  ['a name in upper case', also(['X-Forwarded-User', 'root'])],
  ['a name with CRLF', also(['x\r\nx-forwarded-user', 'root'])],
  ['a value with CRLF', also(['accept', '*/*\r\nX-Forwarded-User: root'])],
  ['a value with a bare LF', also(['accept', '*/*\nX-Forwarded-User: root'])],
  ['a value with NUL', also(['accept', 'a\0b'])],
  ['a body longer than content-length', post(`{}${'x'.repeat(40)}`, ['content-length', '2'])],
  ['a body shorter than content-length', post('{}', ['content-length', '40'])],
  ['no body where content-length says one', post('', ['content-length', '40'])],
  ['two content-length', post('{}', ['content-length', '2'], ['content-length', '40'])],
  ['a content-length that is no number', post('{}', ['content-length', '+2'])],
];

/** Of HTTP/1.1's connection, not of the request (RFC 9113, 8.2.2): refused or left out, by version. */
const CONNECTION_FIELDS: readonly Field[] = [
  ['connection', 'authorization, host'],
  ['keep-alive', 'timeout=5'],
  ['proxy-connection', 'keep-alive'],
  ['upgrade', 'h2c'],
  ['te', 'trailers, gzip'],
  ['http2-settings', 'AAMAAABkAAQAAP__'],
];

export function http2Rows(find: () => Door): void {
  const send = (build: Build) => {
    const { port, admin } = find();
    return rawHttp2Request(port, { fields: [], ...build(pseudoFields(port, { target: PATH }), fieldOf(admin)) });
  };

  it.each(REFUSED)('SM-02: %s is refused and goes nowhere', async (_what, build) => {
    const answer = await send(build);
    expect(
      answer.statuses.filter((status) => status !== 400),
      answer.text,
    ).toEqual([]);
    expect(answer.closed).toBe(true);
    expectNothingThrough(find());
  });

  it.each(CONNECTION_FIELDS)('SM-02: %s is refused or not passed on', async (name, value) => {
    const answer = await send(also([name, value]));
    expect([[], [200], [400]], answer.text).toContainEqual(answer.statuses);
    for (const { headers } of find().seen()) {
      expect(headers['authorization']).toBe(find().upstreamCredential);
      expect(headers[name] ?? '').not.toBe(value);
    }
  });

  it('SM-02: trailers are not passed on', async () => {
    await send((good, credential) => ({ ...post('{}')(good, credential), trailers: [['x-forwarded-user', 'root']] }));
    expect(JSON.stringify(find().seen())).not.toContain('root');
  });

  it('SM-02: a request is read once, whatever its body looks like', async () => {
    await send(post('DELETE /api/work_pools/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    expect(
      find()
        .seen()
        .map(({ method, target }) => `${method} ${target}`),
    ).toEqual([`POST ${FILTER}`]);
  });

  it('SM-02 twin: an honest HTTP/2 request and its body are forwarded', async () => {
    expect((await send(also(['te', 'trailers'], ['accept', '*/*']))).statuses).toEqual([200]);
    expect((await send(post('{"limit":10}', ['content-length', '12']))).statuses).toEqual([200]);
    expect(
      find()
        .seen()
        .map(({ target, body }) => [target, body.toString()]),
    ).toEqual([
      [PATH, ''],
      [FILTER, '{"limit":10}'],
    ]);
  });
}
