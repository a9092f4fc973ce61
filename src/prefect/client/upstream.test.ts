import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';
import { UpstreamError } from './upstream-error.ts';

const SECRET = 'admin:s3cr3t-päss';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(server: TcpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

function upstream(url: string, more: Partial<UpstreamOptions> = {}): Upstream {
  const made = createUpstream({ servers: [url], authString: SECRET, publicUrl: { origin: 'https://gate.example:8443', secure: true }, ...more });
  closing.unshift(() => made.close());
  return made;
}

async function failure(promise: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamError)) throw new Error(`no UpstreamError but ${String(error)}`);
  return error;
}

/** Everything that a log of the error could show. */
function everything(error: UpstreamError): string {
  const cause = error.cause instanceof Error ? `${error.cause.message} ${error.cause.stack}` : String(error.cause);
  return [error.message, error.detail, error.stack, cause].join(' ');
}

describe('upstream', () => {
  it('sends what it is given and its own host, scheme and credential', async () => {
    const seen: { url?: string; headers?: IncomingHttpHeaders; body?: string } = {};
    const url = await listening(
      createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        Object.assign(seen, { url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] }).end('{"id":1}');
      }),
    );
    const answer = await upstream(url).request({
      method: 'POST',
      path: '/api/flows/%C3%A9',
      query: 'a=1&a=2',
      headers: { 'x-prefect-api-version': '0.8.4', authorization: 'Basic Zm9yZWlnbg==', host: 'evil.example' },
      body: Buffer.from('{"a":1.0}'),
    });
    expect(answer).toMatchObject({ status: 201, headers: { 'content-type': 'application/json', 'set-cookie': 'a=1, b=2' } });
    expect(answer.body.toString()).toBe('{"id":1}');
    expect(seen).toMatchObject({ url: '/api/flows/%C3%A9?a=1&a=2', body: '{"a":1.0}' });
    expect(seen.headers).toMatchObject({
      host: 'gate.example:8443',
      'x-forwarded-proto': 'https',
      'accept-encoding': 'identity',
      'x-prefect-api-version': '0.8.4',
      authorization: `Basic ${Buffer.from(SECRET).toString('base64')}`,
    });
  });

  it.each([
    [5, 5],
    [-5, 0],
  ])('took no less time than none, where the clock goes by %i ms meanwhile', async (stepMs, upstreamMs) => {
    const url = await listening(createServer((_request, response) => response.end()));
    let nowMs = 1_700_000_000_000;
    const clock = () => (nowMs += stepMs);
    expect(await upstream(url, { clock }).request({ method: 'GET', path: '/' })).toMatchObject({ upstreamMs });
  });

  it('sends no credential when Prefect has none, and its own host without a public URL', async () => {
    let headers: IncomingHttpHeaders = {};
    const url = await listening(
      createServer((request, response) => {
        headers = request.headers;
        response.end();
      }),
    );
    const bare = upstream(url, { authString: null, publicUrl: null });
    await bare.request({ method: 'GET', path: '/' });
    expect(headers['authorization']).toBeUndefined();
    expect(headers['host']).toBe(new URL(url).host);
    expect(bare.socketTarget('/api/events/in', 0)).toEqual({ url: `${url.replace('http', 'ws')}/api/events/in`, token: null });
  });

  it('shows the credential that comes where the present one is refused, and that one first from then on', async () => {
    const shown: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        const [, value = ''] = (request.headers.authorization ?? '').split(' ');
        shown.push(Buffer.from(value, 'base64').toString());
        response.writeHead(shown.at(-1) === 'u:new' ? 200 : 401).end();
      }),
    );
    const both = upstream(url, { authString: 'u:old', next: 'u:new' });
    const ask = () => both.request({ method: 'POST', path: '/', body: Buffer.from('{}') });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    expect(shown).toEqual(['u:old', 'u:new', 'u:new']);
    expect([0, 1, 2].map((attempt) => both.socketTarget('/', attempt).token)).toEqual(['u:new', 'u:old', 'u:new']);
  });

  it('twin: is away when Prefect takes neither of the two', async () => {
    const url = await listening(createServer((_request, response) => response.writeHead(401).end()));
    const error = await failure(upstream(url, { authString: 'u:old', next: 'u:new' }).request({ method: 'GET', path: '/' }));
    expect(error).toMatchObject({ reason: 'upstream-unavailable', forwarded: false });
    expect(everything(error)).not.toMatch(/u:old|u:new/);
  });

  it('passes an error of Prefect as an answer', async () => {
    const url = await listening(createServer((_request, response) => response.writeHead(500).end('Internal Server Error')));
    expect(await upstream(url).request({ method: 'GET', path: '/' })).toMatchObject({ status: 500 });
  });

  it('says that nothing was forwarded when there was no connection', async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(upstream(url).request({ method: 'POST', path: '/', body: Buffer.from('{}') }));
    expect(error).toMatchObject({ reason: 'upstream-unavailable', code: 'upstream-unavailable', forwarded: false });
    expect(everything(error)).not.toMatch(/s3cr3t|czNjcjN0/);
  });

  const hostile: [name: string, expected: { reason: string; forwarded: boolean; broken?: boolean }, listener: RequestListener, answerTimeoutMs?: number][] = [
    ['a connection that ends without an answer', { reason: 'upstream-unavailable', forwarded: true, broken: true }, (request) => request.socket.destroy()],
    ['an answer that never begins', { reason: 'upstream-timeout', forwarded: true }, () => undefined, 300],
    ['an answer that never ends', { reason: 'upstream-timeout', forwarded: true }, (_request, response) => void response.writeHead(200).write('{'), 300],
    ['an answer that is too large', { reason: 'upstream-unavailable', forwarded: true }, (_request, response) => response.end(Buffer.alloc(5000))],
  ];
  it.each(hostile)('says that it may have acted: %s', async (_name, expected, listener, answerTimeoutMs = 20_000) => {
    const server = createServer(listener);
    const url = await listening(server);
    closing.push(async () => server.closeAllConnections());
    const error = await failure(upstream(url, { answerTimeoutMs, maxAnswerBytes: 4000 }).request({ method: 'POST', path: '/', body: Buffer.from('{}') }));
    expect(error).toMatchObject(expected);
    expect(everything(error)).not.toMatch(/s3cr3t|czNjcjN0/);
  });

  it('survives what is no HTTP at all', async () => {
    const url = await listening(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')));
    expect(await failure(upstream(url).request({ method: 'GET', path: '/' }))).toMatchObject({ reason: 'upstream-unavailable', forwarded: true });
  });
});
