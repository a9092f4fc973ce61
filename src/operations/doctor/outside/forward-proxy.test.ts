import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, TOKEN, type World } from '../../../proxies/forward/proxy.fixture.ts';
import { checkForwardProxy } from './forward-proxy.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('the forward proxy', () => {
  it('denies what it must, without a credential and with one', async () => {
    const listen = { host: '127.0.0.1', port: world.port };
    expect(await checkForwardProxy({ listen, token: null })).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('denies requests without a credential'),
    });
    expect(await checkForwardProxy({ listen, token: TOKEN })).toMatchObject({ status: 'ok', message: expect.stringContaining('169.254.169.254:443') });
    expect(world.dialled).toEqual([]);
  });

  it('fails when it allows every request, or is another program', async () => {
    const open = createServer().on('connect', (_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
    const address = open.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(await checkForwardProxy({ listen: { host: '127.0.0.1', port }, token: null })).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('200'),
    });
    await new Promise((resolve) => open.close(resolve));
    expect(await checkForwardProxy({ listen: { host: '127.0.0.1', port }, token: null })).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
