// Checks that nginx can listen at the first start. Later, the supervisor restarts nginx until it can.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ListenAddress } from '../../config/config.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { takenWords } from '../../contract/taken.ts';

/** A process that was killed just before the start may hold its port for a moment. */
const PATIENCE_MS = 2_000;
const EVERY_MS = 50;

/**
 * Throws `listen-taken` if another process listens on one of them and continues. Closes each before it tries the next, because nginx can use
 * an address together with the wildcard of the same port. nginx itself reports any other problem, such as a port that needs root.
 */
export async function assertListenable(addresses: readonly ListenAddress[], patienceMs: number = PATIENCE_MS): Promise<void> {
  const until = performance.now() + patienceMs;
  for (const address of addresses) {
    while (await isTaken(address)) {
      if (performance.now() >= until) throw new LictorError('listen-taken', takenWords(address, 'listen'));
      await delay(EVERY_MS);
    }
  }
}

/** As nginx: an IPv6 wildcard does not cover IPv4. */
async function isTaken({ host, port }: ListenAddress): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port, ipv6Only: true, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    return isErrno(error, 'EADDRINUSE');
  }
  server.close();
  await once(server, 'close');
  return false;
}
