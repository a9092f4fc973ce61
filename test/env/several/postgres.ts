// A real Postgres for a test: a separate cluster in a temporary directory, on a free port of loopback, as an unprivileged user.
import { chownSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseWorkerUser } from '../../../src/config/worker-user.ts';
import { freePort } from '../free-port.ts';
import { type Running, run, start } from '../process.ts';

export interface Postgres {
  /** Of an empty database, without the scheme: `prefect@127.0.0.1:5432/postgres`. */
  readonly address: string;
  /** Ends the server and all of its connections; the data stays. */
  end(): Promise<void>;
  /** Starts it again, on the same port. */
  begin(): Promise<void>;
  /** SIGKILL for all of its processes. */
  kill(): Promise<void>;
  /** A streaming replica on the same port of 127.0.0.2. */
  standby(): Promise<Standby>;
  /** Creates another one; answers its address. */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface Standby {
  /** Makes it the primary; resolves when it accepts changes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** Every user may connect without a password, except this one. */
export const GUARDED_USER = 'guarded';

/** Nothing of it outlives the test, so nothing is forced to the disk. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'dynamic_shared_memory_type=mmap', 'max_connections=200'];

export async function startPostgres(): Promise<Postgres> {
  const bin = binaries();
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-pg-'));
  const data = join(home, 'data');
  const port = await freePort();
  const user = unprivilegedUser();
  if (user !== null) chownSync(home, user.uid, user.gid);
  const spec = (name: string, args: readonly string[]) => unprivileged({ name, program: join(bin, name), args, cwd: home });
  const made = await run(spec('initdb', ['-D', data, '-U', 'prefect', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C']));
  if (made.code !== 0) throw new Error(`initdb: ${made.output}`);
  const serve = (directory: string, host: string, sockets = '') => {
    const settings = [...SETTINGS, `listen_addresses=${host}`, `port=${port}`, `unix_socket_directories=${sockets}`].flatMap((setting) => ['-c', setting]);
    const ready = async (): Promise<boolean> => (await run(spec('pg_isready', ['-q', '-h', host, '-p', String(port)]))).code === 0;
    return start({ ...spec('postgres', ['-D', directory, ...settings]), ready });
  };
  const rules = join(data, 'pg_hba.conf');
  writeFileSync(rules, `host all ${GUARDED_USER} 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, 'utf8')}`);
  const begin = () => serve(data, '127.0.0.1', home);
  let server: Running = await begin();
  const end = async (): Promise<void> => {
    server.signal('SIGINT'); // "fast": it closes all open connections
    await server.exited;
    await server.stop();
  };
  const standby = async (): Promise<Standby> => {
    const replica = join(home, 'standby');
    const to = ['-h', '127.0.0.1', '-p', String(port), '-U', 'prefect'];
    const copied = await run(spec('pg_basebackup', [...to, '-D', replica, '-R', '--checkpoint=fast', '--no-sync']));
    if (copied.code !== 0) throw new Error(`pg_basebackup: ${copied.output}`);
    const second = await serve(replica, '127.0.0.2');
    return {
      async promote() {
        const promoted = await run(spec('pg_ctl', ['promote', '-w', '-D', replica]));
        if (promoted.code !== 0) throw new Error(`pg_ctl promote: ${promoted.output}`);
      },
      async stop() {
        second.signal('SIGINT');
        await second.exited;
        await second.stop();
      },
    };
  };
  return {
    address: `prefect@127.0.0.1:${port}/postgres`,
    end,
    async begin() {
      server = await begin();
    },
    standby,
    kill: () => server.stop({ graceMs: 0 }),
    async database(name) {
      const made = await run(spec('createdb', ['-h', '127.0.0.1', '-p', String(port), '-U', 'prefect', name]));
      if (made.code !== 0) throw new Error(`createdb: ${made.output}`);
      return `prefect@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      if (server.running()) await end();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Not nginx's: `lictor doctor` finds what runs beside it. */
export function unprivilegedUser() {
  const nobody = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('nobody:'));
  return process.getuid?.() === 0 ? chooseWorkerUser(nobody.join('\n')) : null;
}

/** Debian has them beside PATH, by version; elsewhere they are on it. */
function binaries(): string {
  const found = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => Number(a.split('/')[4]) - Number(b.split('/')[4]));
  return found.at(-1) ?? '';
}

interface Program {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Postgres refuses to run as root. */
export function unprivileged({ name, program, args, cwd }: Program) {
  const user = unprivilegedUser();
  const env = { PATH: process.env['PATH'] };
  if (user === null) return { name, command: program, args, cwd, env };
  return { name, command: 'setpriv', args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', program, ...args], cwd, env };
}
