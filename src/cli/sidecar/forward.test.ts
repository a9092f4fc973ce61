import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askRaw, openTestSidecar, REFUSAL, type TestSidecar } from './gateway.fixture.ts';

let test: TestSidecar;
beforeEach(async () => {
  test = await openTestSidecar();
});
afterEach(() => test.close());

const ours = () => ({ authorization: `Basic ${Buffer.from(`lictor:${test.sidecar.secret}`).toString('base64')}` });
const ask = (options: Parameters<typeof askRaw>[1] = {}) => askRaw(test.sidecar.url, { ...options, headers: { ...ours(), ...options.headers } });
const bearers = () => test.gateway.seen.map(({ headers }) => headers.authorization);

describe('a request of the started process', () => {
  it('goes to the gateway with the credential instead of the secret, target and body byte for byte', async () => {
    test.gateway.answer = () => ({ status: 201, headers: { 'x-request-id': 'r9' }, body: '{"a":1}' });
    const target = '/api/flows/%7Bx%7D/../..//y?z=%2e';
    const answer = await ask({ method: 'POST', target, body: '{"n": 1.0}', headers: { 'content-length': '10', 'user-agent': 'prefect/3.9.1' } });
    expect(answer).toMatchObject({ status: 201, body: '{"a":1}', headers: { 'x-request-id': 'r9' } });
    expect(test.gateway.seen).toMatchObject([{ method: 'POST', target, body: '{"n": 1.0}' }]);
    expect(test.gateway.seen[0]?.headers).toMatchObject({ authorization: 'Bearer c1', host: new URL(test.gateway.origin).host, 'user-agent': 'prefect/3.9.1' });
    expect(JSON.stringify(test.gateway.seen)).not.toContain(test.sidecar.secret);
  });

  it('removes cookies, tokens of other kinds and hop-by-hop headers, both ways', async () => {
    test.gateway.answer = () => ({ status: 200, headers: { 'set-cookie': 'lictor=x', 'x-hop': '1', connection: 'x-hop' }, body: '{}' });
    const headers = {
      cookie: 'lictor=stolen',
      'x-lictor-token': 'lct_other',
      connection: 'keep-alive, X-Mine',
      'x-mine': '1',
      te: 'trailers',
      'proxy-authorization': 'x',
    };
    const answer = await ask({ headers });
    for (const name of ['cookie', 'x-lictor-token', 'x-mine', 'te', 'proxy-authorization']) expect(test.gateway.seen[0]?.headers).not.toHaveProperty(name);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('x-hop');
  });

  it('keeps links of the gateway on the loopback address, and leaves others alone', async () => {
    test.gateway.answer = ({ target }) => ({
      status: 307,
      headers: { location: target.includes('out') ? 'https://elsewhere.example/' : `${test.gateway.origin}/api/flows/?a=1` },
    });
    expect((await ask()).headers.location).toBe(`${test.sidecar.url}/api/flows/?a=1`);
    expect((await ask({ target: '/api/out' })).headers.location).toBe('https://elsewhere.example/');
  });

  it('moves next_page of a list of events, and keeps the numbers as they were written', async () => {
    test.gateway.answer = () => ({
      status: 200,
      body: `{"events":[{"n":12345678901234567890}],"next_page":"${test.gateway.origin}/api/events/filter/next?page-token=x"}`,
    });
    const answer = await ask({ method: 'POST', target: '/api/events/filter' });
    expect(answer.body).toBe(`{"events":[{"n":12345678901234567890}],"next_page":"${test.sidecar.url}/api/events/filter/next?page-token=x"}`);
  });

  it.each(['/.lictor/svc/billing/api/events/filter', '/.lictor/svc/billing/api/events/filter/next?page-token=x', '/api/flows?from=/api/events/filter'])(
    'leaves what is no list of events as it came: %s',
    async (target) => {
      const body = `{"n": 1.0, "next_page": "${test.gateway.origin}/api/events/filter/next?page-token=x"}`;
      test.gateway.answer = () => ({ status: 200, body });
      const answer = await ask({ target, headers: { 'accept-encoding': 'gzip' } });
      expect([answer.body, test.gateway.seen[0]?.headers['accept-encoding']]).toEqual([body, 'gzip']);
    },
  );

  it('passes a body of many megabytes on as it comes', async () => {
    const body = 'x'.repeat(5 * 1024 * 1024);
    expect((await ask({ method: 'POST', body, headers: { 'content-length': String(body.length) } })).status).toBe(200);
    expect(test.gateway.seen[0]?.body.length).toBe(body.length);
  });
});

/** Sends the raw text on a separate connection, and returns all bytes of the answer. */
function sendText(text: string): Promise<string> {
  const socket = connect(Number(new URL(test.sidecar.url).port), '127.0.0.1');
  return new Promise((resolve) => {
    let all = '';
    socket.on('data', (chunk) => {
      all += String(chunk);
    });
    socket.once('close', () => resolve(all));
    socket.write(text);
  });
}

describe('a body that is written as another request', () => {
  const body = 'POST /api/other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
  it.each([
    ['without a length', 'Connection: close\r\nTransfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`],
    ['though its length is named a matter of this hop', `Connection: close, content-length\r\nContent-Length: ${body.length}`, body],
  ])('is a body to the gateway, whatever the method: %s', async (_what, framing, sent) => {
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
      const head = `${method} /api/flows HTTP/1.1\r\nHost: ${new URL(test.sidecar.url).host}\r\nAuthorization: ${ours().authorization}\r\n${framing}\r\n\r\n`;
      expect(await sendText(head + sent), method).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(test.gateway.seen.map(({ method, target, body: seen }) => [method, target, seen])).toEqual(
      ['GET', 'DELETE', 'OPTIONS', 'POST'].map((method) => [method, '/api/flows', body]),
    );
  });
});

describe('a connection to the gateway that is used again', () => {
  it('keeps nothing of the requests before', async () => {
    const warnings: string[] = [];
    const hear = (warning: Error) => void warnings.push(warning.name);
    process.on('warning', hear);
    for (let request = 0; request < 15; request++) expect((await ask()).status).toBe(200);
    await setImmediate();
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });
});

describe('a credential that the gateway refuses', () => {
  beforeEach(() => {
    test.gateway.valid.clear();
    test.gateway.valid.add('c2');
  });

  it('is renewed once, and the same request is sent again: the process sees nothing of it', async () => {
    test.source.secret = 'c2';
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ method: 'POST', body: '{}', headers: { 'content-length': '2' } })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(test.source.asked).toBe(2);
    expect(test.gateway.seen.filter(({ body }) => body !== '{}')).toEqual([]);
  });

  it('is a refusal when the source has no other one: the gateway says it in its own words', async () => {
    const answer = await ask();
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual(REFUSAL);
    expect(bearers()).toEqual(['Bearer c1']);
  });

  it('is a refusal when the fresh one is refused too, and there is no third attempt', async () => {
    test.source.secret = 'c3';
    expect((await ask()).status).toBe(401);
    expect(bearers()).toEqual(['Bearer c1', 'Bearer c3']);
  });

  it('makes the process wait while the source does not answer, since the reason of the refusal is unknown', async () => {
    test.source.secret = null;
    const answer = await ask();
    expect(answer).toMatchObject({ status: 503, headers: { 'prefect-maintenance': 'true', 'retry-after': '2' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'sidecar-no-credential' });
  });

  it('does not lose a large body: the process sends it again, and then it passes', async () => {
    test.source.secret = 'c2';
    const body = 'x'.repeat(3 * 1024 * 1024);
    const post = () => ask({ method: 'POST', body, headers: { 'content-length': String(body.length) } });
    expect(await post()).toMatchObject({ status: 503, headers: { 'prefect-maintenance': 'true' } });
    expect((await post()).status).toBe(200);
  });
});

describe('a service that answers 401', () => {
  const target = '/.lictor/svc/billing/v1/x';
  const post = (body: string) => ask({ method: 'POST', target, body, headers: { 'content-length': String(body.length) } });

  it('gets no other credential, and the call is made once', async () => {
    test.source.secret = 'c2';
    const body = 'x'.repeat(100_000);
    test.gateway.answer = () => ({ status: 401, body });
    for (const sent of ['{}', 'x'.repeat(3 * 1024 * 1024)]) expect(await post(sent)).toMatchObject({ status: 401, body });
    expect([test.source.asked, bearers()]).toEqual([1, ['Bearer c1', 'Bearer c1']]);
  });

  it('twin: where the gateway itself refuses the credential there, another one is asked for', async () => {
    test.source.secret = 'c2';
    const realm = { 'www-authenticate': 'Bearer realm="lictor"' };
    test.gateway.answer = ({ headers }) => (headers.authorization === 'Bearer c1' ? { status: 401, headers: realm } : { status: 200 });
    test.gateway.valid.add('c2');
    expect((await post('{}')).status).toBe(200);
    expect(bearers()).toEqual(['Bearer c1', 'Bearer c2']);
  });
});

it('an answer that nobody can take is an answer to the process all the same', async () => {
  test.gateway.answer = () => ({ status: 101, headers: { connection: 'upgrade', upgrade: 'x' } });
  expect((await ask({ target: '/.lictor/svc/billing/x' })).status).toBe(503);
});

describe('a gateway that is away', () => {
  it('makes the process wait, reports it once, and reports the recovery', async () => {
    await test.gateway.stop();
    for (const _each of [1, 2, 3]) expect(await ask()).toMatchObject({ status: 503, headers: { 'prefect-maintenance': 'true' } });
    await test.gateway.start();
    expect((await ask()).status).toBe(200);
    expect(test.said).toEqual([expect.stringContaining('ECONNREFUSED'), expect.stringContaining('is back')]);
  });

  it.each(['Bearer', 'Basic'])('leaves no rest of a body before the next request on the connection: %s', async (scheme) => {
    await test.gateway.stop();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { hostname, port } = new URL(test.sidecar.url);
    const { authorization } = scheme === 'Basic' ? ours() : { authorization: `Bearer lcf_${'0'.repeat(68)}` };
    const body = Buffer.alloc(scheme === 'Basic' ? 3 * 1024 * 1024 : 400_000);
    for (const bytes of [body, Buffer.alloc(2)]) {
      const call = request({ agent, hostname, port, method: 'POST', path: '/api/flows', headers: { authorization, 'content-length': bytes.length } });
      call.end(bytes);
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(503);
      await answer.resume().toArray();
    }
    agent.destroy();
  });

  it('that breaks off after it has the request makes no promise: the process counts its attempts', async () => {
    test.gateway.answer = () => 'break';
    const answer = await ask({ method: 'POST' });
    expect(answer.status).toBe(503);
    expect(answer.headers).not.toHaveProperty('prefect-maintenance');
  });
});

describe('another client of the port', () => {
  it.each([
    ['no credential', {}],
    ['the wrong secret', { authorization: 'Bearer wrong' }],
    ['another user name is fine, another secret is not', { authorization: `Basic ${Buffer.from('lictor:wrong').toString('base64')}` }],
    ["the gateway's own credential", { authorization: 'Bearer c1' }],
    ['the secret in another header', { 'x-lictor-token': 'SECRET' }],
  ])('is refused with %s, and the gateway sees nothing', async (_what, headers) => {
    const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value === 'SECRET' ? test.sidecar.secret : value]));
    const answer = await askRaw(test.sidecar.url, { headers: given });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'sidecar-foreign' });
    expect(test.gateway.seen).toEqual([]);
    expect(answer.body).not.toContain(test.sidecar.secret);
  });

  it.each([
    ['another Host (DNS rebinding)', { headers: { host: 'evil.example' } }, 'host-unknown'],
    ['another port in Host', { headers: { host: '127.0.0.1:1' } }, 'host-unknown'],
    ['an Origin: a page of whatever site', { headers: { origin: 'https://evil.example' } }, 'origin-foreign'],
    ['its own Origin', { headers: { origin: 'http://localhost' } }, 'origin-foreign'],
    ['an absolute target', { target: 'http://evil.example/api/flows' }, 'request-invalid'],
    ['a target without a host', { target: '//evil.example/api/flows' }, 'request-invalid'],
    ['the pages of the gateway', { target: '/.lictor/login' }, 'not-found'],
    ['its authorization server', { target: '/.lictor/oauth/token' }, 'not-found'],
    ['the root', { target: '/' }, 'not-found'],
  ])('even with the secret: %s', async (_what, options, code) => {
    const answer = await ask(options);
    expect(JSON.parse(answer.body)).toMatchObject({ code });
    expect(test.gateway.seen).toEqual([]);
  });

  it('is no proxy: CONNECT is refused', async () => {
    const text = await sendText(`CONNECT ${new URL(test.gateway.origin).host} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${ours().authorization}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(test.gateway.seen).toEqual([]);
  });

  it('twin: localhost as Host, and Bearer, are the process itself', async () => {
    const { port } = new URL(test.sidecar.url);
    const headers = { host: `localhost:${port}`, authorization: `Bearer ${test.sidecar.secret}` };
    await expect.poll(async () => (await askRaw(test.sidecar.url, { headers })).status).toBe(200);
  });
});

describe('a flow run of the started worker, with its own token', () => {
  const TOKEN = `lcf_${'0'.repeat(68)}`;
  const basicOf = (token: string) => `Basic ${Buffer.from(`run:${token}`).toString('base64')}`;

  it('is forwarded with its own token from any header', async () => {
    test.gateway.valid.add(TOKEN);
    for (const headers of [{ authorization: basicOf(TOKEN) }, { authorization: `Bearer ${TOKEN}` }, { 'x-lictor-token': TOKEN }]) {
      expect(await askRaw(test.sidecar.url, { headers })).toMatchObject({ status: 200 });
    }
    expect(bearers()).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
  });

  it('gets the refusal of an expired token, and is never forwarded as its worker', async () => {
    test.gateway.answer = ({ headers }) => (headers.authorization === `Bearer ${TOKEN}` ? { status: 401, body: JSON.stringify(REFUSAL) } : { status: 200 });
    expect(await askRaw(test.sidecar.url, { headers: { authorization: basicOf(TOKEN) } })).toMatchObject({ status: 401 });
    expect(bearers()).toEqual([`Bearer ${TOKEN}`]);
  });

  it('has no buffered body: other users of the machine can forge a token', async () => {
    const socket = connect(Number(new URL(test.sidecar.url).port), '127.0.0.1');
    socket.write(`POST /api/flows HTTP/1.1\r\nHost: ${new URL(test.sidecar.url).host}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 9\r\n\r\npart`);
    await expect.poll(() => test.gateway.begun).toEqual(['/api/flows']);
    socket.write(',rest');
    await expect.poll(() => test.gateway.seen.map(({ body }) => body)).toEqual(['part,rest']);
    socket.destroy();
  });

  it('a malformed token is rejected', async () => {
    for (const token of ['lcf_short', `lct_${'0'.repeat(68)}`, `x${TOKEN}`]) {
      expect(await askRaw(test.sidecar.url, { headers: { 'x-lictor-token': token, authorization: basicOf(token) } }), token).toMatchObject({ status: 401 });
    }
    expect(test.gateway.seen).toEqual([]);
  });
});
