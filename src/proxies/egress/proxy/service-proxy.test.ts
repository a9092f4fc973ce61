import { afterEach, describe, expect, it, vi } from 'vitest';
import { SERVICE_PROXY } from '../../../contract/names.ts';
import { closeOpened, originOfNone, refusalOf, startProxy, startService, stateOf } from './service-proxy.fixture.ts';

afterEach(() => {
  closeOpened();
  vi.unstubAllEnvs();
});

describe('a call', () => {
  it('arrives byte for byte, with nothing of what stands between nginx and the proxy', async () => {
    const seen: unknown[] = [];
    const origin = await startService(async (request, response) => {
      seen.push([request.method, request.url, request.headers, String(await request.toArray())]);
      response.end('ok');
    });
    const { ask } = await startProxy([origin], { retries: { attempts: 2, budget: null } });
    const headers = { 'x-lictor-assertion': 'signed', 'x-lictor-token': 'no', connection: 'x-hop', 'x-hop': 'no', 'content-type': 'a/b' };
    await ask({ method: 'POST', path: '/a%20b:c/..;/x?x=%7e+1&y', headers, body: 'hello' });
    const host = new URL(origin).host;
    expect(seen).toEqual([
      [
        'POST',
        '/a%20b:c/..;/x?x=%7e+1&y',
        { 'x-lictor-assertion': 'signed', 'content-type': 'a/b', 'content-length': '5', host, connection: 'keep-alive' },
        'hello',
      ],
    ]);
  });

  it.each(['GET', 'DELETE', 'POST'])('has its body at the server, where it says no length and whatever the method: %s', async (method) => {
    const seen: string[] = [];
    const origin = await startService(async (request, response) => {
      seen.push(`${request.method} ${String(await request.toArray())}`);
      response.end();
    });
    const { ask } = await startProxy([origin], { retries: { attempts: 2, budget: null } });
    expect((await ask({ method, headers: { 'transfer-encoding': 'chunked' }, body: 'hello' })).status).toBe(200);
    expect(seen).toEqual([`${method} hello`]);
  });

  it('of a service that the configuration does not have goes nowhere', async () => {
    const { ask } = await startProxy([await originOfNone()]);
    expect(refusalOf(await ask({ headers: { [SERVICE_PROXY.service]: 'another' } }))).toBe('@service_failed');
  });

  it.each([
    ['/v2/x', undefined],
    ['/v1/x', '@service_failed'],
    ['/v2x', '@service_failed'],
    ['/v2', '@service_failed'],
  ])('that nginx made from a former configuration, with another path of the service, goes nowhere: %s', async (path, refusal) => {
    const seen: unknown[] = [];
    const origin = await startService((request, response) => {
      seen.push(request.url);
      response.end();
    });
    const { ask, use } = await startProxy([origin], { path: '/v1', retries: { attempts: 1, budget: null } });
    use({ path: '/v2' });
    expect(refusalOf(await ask({ path }))).toBe(refusal);
    expect(seen).toEqual(refusal === undefined ? [path] : []);
  });

  it.each([200_000, 400_000])('that is refused leaves its connection free for the next one: a body of %d bytes', async (bytes) => {
    const { ask } = await startProxy([await originOfNone()], { retries: { attempts: 2, budget: null } });
    for (const length of [bytes, 10]) expect(refusalOf(await ask({ method: 'POST', body: Buffer.alloc(length) }))).toBe('@service_failed');
  });

  it('with a body goes to the next server, whole, where the first takes no connection', async () => {
    const bodies: number[] = [];
    const origin = await startService(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).length);
      response.end();
    });
    const { ask } = await startProxy([await originOfNone(), origin], { health: { path: '/', intervalMs: 1, unhealthyAfter: 1, healthyAfter: 1 } });
    for (const _each of [1, 2]) expect((await ask({ method: 'POST', body: Buffer.alloc(300_000) })).status).toBe(200);
    expect(bodies).toEqual([300_000, 300_000]);
  });
});

describe('an answer', () => {
  it('has no word that nginx obeys or believes, in any spelling; twin: its other headers pass', async () => {
    const origin = await startService((_request, response) =>
      response
        .writeHead(200, {
          'X-ACCEL-Redirect': '@direct',
          'x-accel-limit-rate': '1',
          'x-lictor-facts': 'a',
          'X-Lictor-Any': 'b',
          Lictorcode: 'c',
          LICTORCACHE: 'hit',
          'x-own': 'e',
        })
        .end(),
    );
    const { ask } = await startProxy([origin], { retries: { attempts: 1, budget: null } });
    const { headers } = await ask();
    expect(headers['x-own']).toBe('e');
    expect(Object.keys(headers).filter((name) => /accel|lictor/.test(name))).toEqual([]);
  });

  it.each([
    ['a head that is too large', `HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['no head', 'no head\r\n\r\nx'],
    ['another version', 'HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nno'],
    ['no status', 'HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nno'],
    ['a tunnel', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nno'],
  ])('with %s is none', async (_what, raw) => {
    const origin = await startService((request) => void request.socket.end(raw));
    const { ask } = await startProxy([origin], { retries: { attempts: 1, budget: null } });
    expect(refusalOf(await ask())).toBe('@service_failed');
  });

  it('that does not come in time is a timeout, and no server is asked again', async () => {
    let asked = 0;
    const never = await startService(() => {
      asked += 1;
    });
    const { ask } = await startProxy([never, never], { retries: { attempts: 3, budget: null }, timeoutSeconds: 0.05 });
    expect(refusalOf(await ask())).toBe('@service_timeout');
    expect(asked).toBe(1);
  });

  it.each([
    ['has begun', true],
    ['has not begun', false],
  ])('ends at the service when the caller goes, where it %s', async (_what, hasBegun) => {
    const [reached, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const origin = await startService((_request, response) => {
      response.once('close', () => closed.resolve());
      if (hasBegun) response.write('x');
      reached.resolve();
    });
    const { begin, log } = await startProxy([origin, origin], { retries: { attempts: 2, budget: null }, timeoutSeconds: 3_600 });
    const { call, answered } = begin();
    await (hasBegun ? answered : reached.promise);
    call.on('error', () => undefined).destroy();
    await closed.promise;
    expect(log).toEqual([]);
  });
});

describe('attempts', () => {
  const counting = async () => {
    const state = { asked: 0 };
    const origin = await startService((request) => {
      state.asked += 1;
      request.socket.destroy();
    });
    return { state, origin };
  };

  it.each([
    [1, 1],
    [3, 3],
  ])('are so many and no more, at one server too: %d', async (attempts, wanted) => {
    const { state, origin } = await counting();
    const { ask } = await startProxy([origin], { retries: { attempts, budget: null } });
    expect(refusalOf(await ask())).toBe('@service_failed');
    expect(state.asked).toBe(wanted);
  });

  it('are one at each server without `retries`, and one in all for a call that must not be repeated', async () => {
    const { state, origin } = await counting();
    const cache = [{ patterns: ['/cached'], ttlSeconds: 1, shared: false, staleSeconds: 0, mostBytes: 1 }];
    const { ask } = await startProxy([origin, origin.replace('127.0.0.1', 'localhost')], { cache });
    await ask();
    expect(state.asked).toBe(2);
    await ask({ method: 'POST', body: 'x' });
    await ask({ method: 'PUT', headers: { 'content-length': '0' } });
    expect(state.asked).toBe(4);
  });

  it('do not count a connection that an idle server has closed meanwhile', async () => {
    let asked = 0;
    const origin = await startService((request, response) => {
      asked += 1;
      // Ends the connection without a word, as a server does that is idle for too long.
      if (asked === 2) request.socket.destroy();
      else response.end('ok');
    });
    const { ask } = await startProxy([origin], { retries: { attempts: 1, budget: null } });
    for (const _each of [1, 2]) expect((await ask()).body).toBe('ok');
    expect(asked).toBe(3);
  });

  it('stay within the budget of the service', async () => {
    const { state, origin } = await counting();
    const { ask } = await startProxy([origin], { retries: { attempts: 3, budget: 0.1 } });
    for (let calls = 0; calls < 30; calls += 1) await ask();
    expect(state.asked).toBe(33);
  });

  it('pass over a server that has just failed, while another is there', async () => {
    const { state, origin } = await counting();
    const sound = await startService((_request, response) => void response.end('ok'));
    const proxy = await startProxy([origin, sound], { retries: { attempts: 2, budget: null } });
    for (let calls = 0; calls < 8; calls += 1) expect((await proxy.ask()).body).toBe('ok');
    expect(state.asked).toBe(1);
    proxy.state.nowMs += 2_001;
    for (let calls = 0; calls < 8; calls += 1) expect((await proxy.ask()).body).toBe('ok');
    expect(state.asked).toBe(2);
  });
});

it('the bodies of one caller that are read whole leave room for those of others', async () => {
  const waiting: (() => void)[] = [];
  const origin = await startService((request, response) => void request.resume().on('end', () => waiting.push(() => response.end('ok'))));
  const injected = { sigv4: { region: 'x', service: 's3', profile: null } };
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'no-real-secret');
  const { ask } = await startProxy([origin], { injected }, { limits: { bodyBytes: 100 } });
  const put = (bytes: number, caller: string) => ask({ method: 'PUT', body: Buffer.alloc(bytes), caller });
  const held = put(40, 'greedy');
  await expect.poll(() => waiting.length, { timeout: 30_000 }).toBe(1);
  expect(refusalOf(await put(40, 'greedy'))).toBe('@limited');
  expect(refusalOf(await put(61, 'other'))).toBe('@service_failed');
  const other = put(40, 'other');
  await expect.poll(() => waiting.length, { timeout: 30_000 }).toBe(2);
  for (const answer of waiting) answer();
  expect((await Promise.all([held, other])).map(({ body, headers }) => [body, stateOf({ headers })])).toEqual([
    ['ok', undefined],
    ['ok', undefined],
  ]);
});
