// A free TCP port.
import { createServer } from 'node:net';
import { LictorError } from '../../../contract/error.ts';

/** Asks the kernel. Another process may take the port before you do. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new LictorError('no-free-port', `no free TCP port on ${host}`));
      });
    });
  });
}
