// Who may listen beside another process: only its successor.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { listenOnPort } from './pass-port.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

function server(): Server {
  const made = createServer();
  open.push(made);
  return made;
}

it('is refused a port on which another control plane of this user listens', async () => {
  const former = server().listen({ host: '127.0.0.1', port: 0, reusePort: true });
  await once(former, 'listening');
  const { port } = former.address() as AddressInfo;
  await expect(listenOnPort(server(), { host: '127.0.0.1', port }, false)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  former.close();
  await once(former, 'close');
  await listenOnPort(server(), { host: '127.0.0.1', port }, false);
});
