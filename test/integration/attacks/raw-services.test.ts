// Rows XA-01 and EG-01: what a service answers that speaks no HTTP, or two answers at once, and what nginx would make a tunnel of.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway, type Token } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { rawRequest, request } from '../../env/raw-request.ts';
import { type Recorder, startRecorder } from '../../env/upstream-recorder.ts';
import { bearerLine, expectStatus } from './harness.ts';

const POLICY = '@id("caller-calls")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource);\n';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-raw-services-'));
const open = new Set<Socket>();
let answer = '';
/** Before that one. */
let first: string[] = [];
let heard: string[] = [];
let onHeard: () => void = () => undefined;
let service: Server;
let prefect: Recorder;
let gateway: Gateway;
let caller: Token;
let stranger: Token;

beforeAll(async () => {
  service = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    socket.on('data', (bytes) => {
      // Of the health of `two`, too.
      if (bytes.toString('latin1').startsWith('GET /health ')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      heard.push(bytes.toString('latin1'));
      onHeard();
      socket.end(Buffer.from(first.shift() ?? answer, 'latin1'));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', () => resolve()));
  const { port } = service.address() as AddressInfo;
  writeFileSync(join(directory, 'services.cedar'), POLICY);
  prefect = await startRecorder();
  const [one, other] = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  gateway = await startGateway({
    upstream: prefect,
    config: {
      identity_providers: [{ id: 'local', type: 'accounts' }],
      policies: directory,
      services: [
        { name: 'raw', servers: [one] },
        { name: 'open', servers: [one], sockets: true },
        { name: 'two', servers: [one, other], health: { path: '/health' } },
        { name: 'cached', servers: [one], cache: [{ paths: ['/*'], ttl: '60s', shared: true }] },
        { name: 'says', servers: [one], cache: [{ paths: ['/*'], ttl: 'upstream' }] },
        { name: 'again', servers: [one, other], retries: { attempts: 2 }, cache: [{ paths: ['/*'], ttl: '60s', shared: true }] },
        { name: 'alone', servers: [one], retries: { attempts: 2 } },
        // A member keeps the connection on which it hands on what is no answer.
        { name: 'cached-late', servers: [one, other], health: { path: '/health' }, cache: [{ paths: ['/*'], ttl: '60s' }], timeout: '1s' },
        { name: 'cached-two', servers: [one, other], health: { path: '/health' }, cache: [{ paths: ['/*'], ttl: '60s', stale_if_error: '10s' }] },
      ],
    },
  });
  [caller, stranger] = await Promise.all([gateway.token('caller', ['viewer']), gateway.token('stranger', ['viewer'])]);
});
beforeEach(() => {
  heard = [];
  first = [];
});
afterAll(async () => {
  await gateway?.close();
  await prefect?.close();
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => service?.close(resolve));
  rmSync(directory, { recursive: true });
});

const linesOf = (name: string, { secret }: Token, path: string) => [
  `GET /.lictor/svc/${name}/${path} HTTP/1.1`,
  `Host: localhost:${gateway.port}`,
  bearerLine(secret),
];
const call = (name: string, lines: readonly string[] = [], token = caller, path = 'x') => request(gateway.port, [...linesOf(name, token, path), ...lines]);

/** What comes in the time in which it would, once the service was asked: some of it never ends. */
const begin = (name: string, path = 'x') => {
  const reached = new Promise<void>((resolve) => {
    onHeard = resolve;
  });
  return rawRequest(gateway.port, [...linesOf(name, caller, path), 'Connection: close', '', ''].join('\r\n'), 2_000, reached);
};

const EVIL = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: lictor=evil\r\nContent-Length: 6\r\n\r\n<b>hi\n';
/** A cacheable answer with headers that may not pass. */
const LASTING = EVIL.replace('Set-Cookie: lictor=evil', 'Refresh: 0;url=/evil\r\nCache-Control: max-age=60');
const interimOf =
  (evil: string) =>
  (line: string, more = '') =>
    `HTTP/1.1 ${line}\r\n${more}Content-Length: ${2 * evil.length}\r\n\r\n${evil}${evil}`;

function formsOf(evil: string): readonly (readonly [string, string])[] {
  const interim = interimOf(evil);
  return [
    ['a line end before its head', `\r\n${evil}`],
    ['bytes before its head', `ab${evil}`],
    ['a lower-case status line', evil.replace('HTTP', 'http')],
    ['HTTP/0.9 in words', evil.replace('1.1', '0.9')],
    ['HTTP/0.9', evil.replace(/^.*\r\n/, '')],
    ['line ends of one kind', `\n${evil.replaceAll('\r\n', '\n')}`],
    ['line ends of the other kind', `\r${evil.replaceAll('\r\n', '\r')}`],
    ['100 and a second answer', interim('100 Continue')],
    ['100 without a length', `HTTP/1.1 100 Continue\r\n\r\n${evil}`],
    ['103 and a second answer', interim('103 Early Hints', 'Link: </x.js>; rel=preload; as=script\r\n')],
    ['101 that nobody asked for', interim('101 Switching Protocols', 'Upgrade: websocket\r\nConnection: upgrade\r\n')],
    ['a status below 100', interim('099 No')],
    ['no status', interim('000 No')],
  ];
}
const FORMS = formsOf(EVIL);

describe.each(['raw', 'two'])('a service (%s) that answers as it likes', (name) => {
  it('in HTTP: every byte of its body arrives, line ends as well', async () => {
    const body = 'a\r\nb\n\rc\n';
    answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Own: 1\r\n\r\n${body}`;
    const { text } = await call(name);
    // Names of fields have no case (RFC 9110, 5.1).
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n[Xx]-[Oo]wn: 1\r\n[\s\S]*\r\nContent-Security-Policy: sandbox; /);
    expect(text.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(text).toMatch(/\r\nContent-Length: 8\r\n/);
  });

  // Behind members the same bytes come through one nginx more: one of each kind is enough.
  it.each(name === 'raw' ? FORMS : FORMS.filter((_form, place) => place % 5 === 0))('with %s: no head of its making arrives', async (_what, bytes) => {
    answer = bytes;
    const { text } = await begin(name);
    expectHarmless(text);
    expect(heard.length).toBeGreaterThan(0);
  });
});

function expectHarmless(text: string): void {
  // A head that nginx made itself ends with the first empty line, and nothing behind it is a line; from 1.29 on it passes over a 103.
  const own = /^HTTP\/1\.1 \d{3} [\s\S]*?\r\n\r\n/.exec(text)?.[0] ?? '';
  const rest = text.slice(own.length);
  expect(own).not.toMatch(/evil|rel=preload/);
  if (/^HTTP\/1\.1 2/.test(own)) expect([/\r\nContent-Security-Policy: sandbox; /.test(own), rest]).toEqual([true, '<b>hi\n']);
  else if (!/^HTTP\/1\.1 [45]/.test(own)) expect(rest).not.toMatch(/[\r\n]/);
  expect(text).not.toMatch(/[\r\n](?:Set-Cookie|Refresh)/i);
}

describe.each(['cached', 'says', 'cached-two'])('a service (%s) with cacheable answers of any form', (name) => {
  it('in HTTP: the answer is cached unchanged', async () => {
    answer = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\na\r\nb';
    expect((await call(name, [], caller, 'fine')).text.endsWith('\r\n\r\na\r\nb')).toBe(true);
    answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno';
    expect((await call(name, [], caller, 'fine')).text.endsWith('\r\n\r\na\r\nb')).toBe(true);
    expect(heard).toHaveLength(1);
  });

  it.each(formsOf(LASTING).filter((_form, place) => name === 'cached' || place % 4 === 0))(
    'with %s: no head of its making arrives, cached or not',
    async (what, bytes) => {
      answer = bytes;
      const path = what.replaceAll(/[^a-z0-9]/gi, '-');
      for (const _again of [1, 2]) expectHarmless((await begin(name, path)).text);
      expect(heard.length).toBeGreaterThan(0);
      // Bytes that are no HTTP answer are never cached.
      answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      if (!/^[\r\nab]*http\/1\.1 2/i.test(bytes)) expect((await call(name, [], caller, path)).text.endsWith('\r\n\r\nok')).toBe(true);
    },
  );
});

it.each(['cached', 'says', 'cached-late'])('what %s says in the gateway’s name, in a head that nginx does not read, is in no record', async (name) => {
  answer = '\r\nHTTP/1.1 503 No\r\nLictorcode: session-expired\r\nX_Lictor_Code: session-expired\r\nLictorcache: hit\r\nContent-Length: 2\r\n\r\nno';
  const path = `in-the-name-${name}`;
  await call(name, [], caller, path);
  const records = async () => jsonLines(await gateway.lictorOk('audit', '--path', `/.lictor/svc/${name}/${path}`, '--json'));
  await waitFor(async () => (await records()).length > 0, { what: 'the record', timeoutMs: 60_000, everyMs: 500 });
  const [record] = await records();
  expect(record).toMatchObject({ service: name, decision: 'allow' });
  expect(record?.['reason']).not.toBe('session-expired');
});

it('a cacheable call that breaks off is repeated, and the next answer is cached', async () => {
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  first = [''];
  for (const times of [2, 3, 3]) {
    expect((await call('again', [], caller, 'broken')).text).toMatch(/\r\n\r\nok$/);
    expect(heard).toHaveLength(times);
  }
  first = ['', ''];
  expectStatus(await call('again', [], caller, 'twice'), 503, 'broken twice');
});

it('the only server of a service gets the calls of others, and the next attempt, whatever breaks off there', async () => {
  // Said to close, so that no call is sent on a connection that is about to end.
  answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
  first = ['', '', '', '', '', '', '', ''];
  for (const times of [2, 4, 6, 8]) {
    expectStatus(await call('alone', [], caller, 'broken'), 503, 'broken twice');
    expect(heard).toHaveLength(times);
  }
  for (const _each of [1, 2, 3, 4]) expectStatus(await call('alone'), 200, 'another call');
  first = [''];
  expectStatus(await call('alone'), 200, 'broken once');
});

describe('a tunnel', () => {
  const UPGRADE = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];

  it.each(['raw', 'two', 'cached'])('is not made: who asks for one is refused before %s hears of it', async (name) => {
    answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello';
    for (const lines of [UPGRADE, ['Upgrade: h2c'], ['uPGRADE: x']]) {
      const refused = await call(name, lines);
      expectStatus(refused, 400, lines[0] ?? '');
      expect(refused.text).toContain('"code":"service-upgrade"');
    }
    expect(heard).toEqual([]);
  });

  const behind = (lines: readonly string[]) => rawRequest(gateway.port, [...lines, '', ...linesOf('raw', caller, 'behind'), '', ''].join('\r\n'));
  const asking = (name: string, token: Token, version = '13') => [
    ...linesOf(name, token, 'x'),
    'Connection: Upgrade',
    ...UPGRADE.map((line) => line.replace(/(?<=Version: ).*/, version)),
  ];

  it.each([
    ['no socket goes to', () => asking('raw', caller), 400],
    ['nobody may open', () => asking('open', stranger), 403],
    ['is asked for in another version', () => asking('open', caller, '8'), 400],
    [
      'is one of Prefect, asked for by nobody',
      () => ['GET /api/events/in HTTP/1.1', `Host: localhost:${gateway.port}`, 'Connection: Upgrade', ...UPGRADE],
      401,
    ],
  ])('that %s is refused, and what stands behind it is no other request', async (_what, lines, status) => {
    const { statuses, closed } = await behind(lines());
    expect([statuses, closed, heard]).toEqual([[status], true, []]);
  });

  it('that the service refuses is followed by no other request either', async () => {
    answer = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
    const { statuses, closed } = await behind(asking('open', caller));
    expect([statuses, closed, heard.length]).toEqual([[502], true, 1]);
  });

  it('who asks for none is followed by the next request', async () => {
    // Said to close: on a connection that nginx takes for a lasting one it may send the second call twice.
    answer = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n';
    const next = [...linesOf('raw', caller, 'y'), 'Connection: close', '', ''].join('\r\n');
    const { statuses } = await rawRequest(gateway.port, [...linesOf('raw', caller, 'x'), '', next].join('\r\n'));
    expect([statuses, heard.length]).toEqual([[200, 200], 2]);
  });

  it('a client that asks for none is served, and one without the right is still refused', async () => {
    answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    expectStatus(await call('raw'), 200, 'no upgrade');
    expectStatus(await call('raw', [], stranger), 403, 'a stranger');
    expect(heard).toHaveLength(1);
  });
});
