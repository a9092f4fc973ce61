import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { assertListenable } from './listenable.ts';

let others: Server[] = [];
afterEach(() => {
  for (const other of others) other.close();
  others = [];
});

/** The listener of another process. Returns its port. */
async function listenElsewhere(host: string): Promise<number> {
  const server = createServer();
  others.push(server);
  server.listen({ host, port: 0, ipv6Only: true });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('an address to listen on', () => {
  it('that is taken is reported with a remedy, also in a list', async () => {
    const port = await listenElsewhere('127.0.0.1');
    const taken = { code: 'listen-taken', message: `127.0.0.1:${port} is taken: end what listens there, or change listen.` };
    await expect(assertListenable([{ host: '127.0.0.1', port }], 0)).rejects.toMatchObject(taken);
    await expect(
      assertListenable(
        [
          { host: '127.0.0.2', port },
          { host: '127.0.0.1', port },
        ],
        0,
      ),
    ).rejects.toMatchObject(taken);
    await expect(assertListenable([{ host: '0.0.0.0', port }], 0)).rejects.toThrow(`0.0.0.0:${port} is taken`);
  });

  it('that is free is left as it is: it can be listened on afterwards, and asked about again', async () => {
    const port = await listenElsewhere('127.0.0.1');
    others.pop()?.close();
    await assertListenable(
      [
        { host: '0.0.0.0', port },
        { host: '127.0.0.1', port },
      ],
      0,
    );
    await assertListenable([{ host: '127.0.0.1', port }], 0);
    const server = createServer();
    others.push(server);
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
  });

  it('that is taken for a moment is waited for', async () => {
    const port = await listenElsewhere('127.0.0.1');
    setTimeout(() => others.pop()?.close(), 100);
    await assertListenable([{ host: '127.0.0.1', port }]);
  });

  it('that this machine does not have is not reported as taken', async () => {
    await assertListenable([{ host: '192.0.2.1', port: 8200 }], 0);
  });
});
