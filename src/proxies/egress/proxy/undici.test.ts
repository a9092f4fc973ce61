// Why the proxy is built on Node's own client: what undici and its interceptors do that the proxy must not.
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { Agent, cacheStores, interceptors, Pool, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { closeOpened, opened, startService } from './service-proxy.fixture.ts';

afterEach(closeOpened);

function dispatcher(...with_: Parameters<Agent['compose']>): { readonly dispatcher: ReturnType<Agent['compose']> } {
  const agent = new Agent();
  opened.push({ close: () => agent.destroy() });
  return { dispatcher: agent.compose(...with_) };
}

describe('undici', () => {
  it('takes HTTP/0.9 in words for an answer, and does not say so', async () => {
    const server = createTcpServer((socket) => void socket.on('data', () => socket.end('HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nno')));
    opened.push({ close: () => server.close() });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const pool = new Pool(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
    opened.push({ close: () => pool.destroy() });
    const answer = await pool.request({ method: 'GET', path: '/' });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'no']);
    expect(Object.keys(answer).filter((name) => /version/i.test(name))).toEqual([]);
  });

  it('bounds what its cache has stored, and not what is on its way there', () => {
    const store = new cacheStores.MemoryCacheStore({ maxSize: 1_000, maxEntrySize: 1_000, maxCount: 1 });
    const times = { cachedAt: Date.now(), staleAt: Date.now() + 60_000, deleteAt: Date.now() + 60_000 };
    for (let number = 0; number < 100; number += 1) {
      const stream = store.createWriteStream(
        { origin: 'http://x', method: 'GET', path: `/${number}` },
        { statusCode: 200, statusMessage: '', headers: {}, ...times },
      );
      stream?.write(Buffer.alloc(900));
    }
    expect(Reflect.get(store, 'size')).toBe(0);
  });

  it('shares an answer between calls that its service wants to be private', async () => {
    let asked = 0;
    const origin = await startService((_incoming, response) => {
      asked += 1;
      setImmediate(() => response.writeHead(200, { 'cache-control': 'private, no-store' }).end(`answer ${asked}`));
    });
    const by = dispatcher(interceptors.deduplicate());
    const bodies = await Promise.all([1, 2].map(async () => (await request(origin, by)).body.text()));
    expect([asked, bodies]).toEqual([1, ['answer 1', 'answer 1']]);
  });

  it('repeats by its own list of statuses an answer that a service has given', async () => {
    let asked = 0;
    const origin = await startService((_incoming, response) => {
      asked += 1;
      response.writeHead(503).end('of the service');
    });
    await request(origin, dispatcher(interceptors.retry({ maxRetries: 1, minTimeout: 1, maxTimeout: 1 }))).then(
      ({ body }) => body.dump(),
      () => undefined,
    );
    expect(asked).toBe(2);
  });
});
