// A real PgBouncer in transaction mode for a test, in front of a Postgres of the test.
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { start } from '../process.ts';
import { type Postgres, unprivileged, unprivilegedUser } from './postgres.ts';

export interface PgBouncer {
  /** As `Postgres.address`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** `connections`: to Postgres, shared by all clients. */
export async function startPgBouncer(postgres: Pick<Postgres, 'address'>, connections: number): Promise<PgBouncer> {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-pgbouncer-'));
  const port = await freePort();
  const [user = '', host = '', behind = '', database = ''] = postgres.address.split(/[@:/]/);
  const settings = [
    '[databases]',
    `* = host=${host} port=${behind} user=${user}`,
    '[pgbouncer]',
    ...['listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'auth_type = any', 'pool_mode = transaction'],
    `default_pool_size = ${connections}`,
    'server_login_retry = 1',
  ];
  const file = join(home, 'pgbouncer.ini');
  writeFileSync(file, `${settings.join('\n')}\n`);
  const owner = unprivilegedUser();
  if (owner !== null) for (const path of [home, file]) chownSync(path, owner.uid, owner.gid);
  const bouncer = await start({ ...unprivileged({ name: 'pgbouncer', program: '/usr/sbin/pgbouncer', args: [file], cwd: home }), ready: () => accepts(port) });
  return {
    address: `${user}@127.0.0.1:${port}/${database}`,
    async stop() {
      await bouncer.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
