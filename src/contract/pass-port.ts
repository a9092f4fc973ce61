// Listens on a port of this machine that a running control plane passes to its successor: for a moment, both listen.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { LictorError } from './error.ts';

export interface Port {
  readonly host: string;
  readonly port: number;
}

/** With 1, Linux gives the connections that wait at a listener that closes to the other listener of the port. With 0, it resets them. */
const MOVES_WAITING = '/proc/sys/net/ipv4/tcp_migrate_req';

/** `isPassed`: the control plane before this one listens there. Rejects with `replace-refused` or the system's error. */
export async function listenOnPort(server: Server, { host, port }: Port, isPassed: boolean): Promise<void> {
  // Otherwise another gateway of this user would share the port without notice.
  if (!isPassed) await assertFree({ host, port });
  else if (!movesWaiting()) throw wouldReset({ host, port });
  const listening = once(server, 'listening');
  server.listen({ host, port, reusePort: true });
  await listening;
}

async function assertFree({ host, port }: Port): Promise<void> {
  const probe = createServer((socket) => socket.destroy());
  probe.listen({ host, port, exclusive: true });
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}

function movesWaiting(): boolean {
  try {
    return readFileSync(MOVES_WAITING, 'utf8').trim() === '1';
  } catch {
    return false; // Linux before 5.14
  }
}

function wouldReset({ host, port }: Port): LictorError {
  return new LictorError(
    'replace-refused',
    `${host}:${port} cannot pass from one process to the other without reset connections: run sysctl -w net.ipv4.tcp_migrate_req=1 (Linux 5.14 or newer), or stop the running lictor and start lictor up.`,
  );
}
