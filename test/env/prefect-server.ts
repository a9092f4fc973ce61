// A real Prefect server on a free port: SQLite in a temporary directory, an auth string that only tests and gateways know.
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { forkedBy, forkedPrefect } from './commands/prefect-host.ts';
import { freePort } from './free-port.ts';
import { once } from './once.ts';
import { start } from './process.ts';
import { prefectVenv } from './venv.ts';

/** What a test needs to reach Prefect itself, round every gateway. Survives `provide`. */
export interface PrefectAddress {
  /** Without `/api`. */
  readonly url: string;
  readonly authString: string;
  readonly venv: string;
  readonly logFile: string;
}

export interface PrefectServer extends PrefectAddress {
  /** SQLite. */
  readonly database: string;
  /** Ends it (SIGTERM); its database stays. */
  halt(): Promise<void>;
  /** Starts it again. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface PrefectOptions {
  /** Where it serves its UI, `/prefect`; default the root. */
  readonly uiBase?: string;
  /** Another venv. Its server creates its database itself and runs in a separate process. Others are forks (commands/prefect-host.ts). */
  readonly of?: string;
  /** True: it listens at every address, as many servers do; `url` is on loopback all the same. */
  readonly everywhere?: boolean;
  /** The address of an empty database in Postgres (several/postgres.ts), for more clients at once than SQLite serves. Default: SQLite. */
  readonly postgres?: string;
  /** Only where no test asks: the URL of the shared servers. */
  readonly sharedServers?: string;
}

/** Starts `prefect server start`; resolves when its API answers. */
export async function startPrefect({ uiBase, of, everywhere = false, postgres, sharedServers }: PrefectOptions = {}): Promise<PrefectServer> {
  const venv = of ?? (await prefectVenv());
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-prefect-'));
  if (of === undefined) cpSync(join(await madeDatabase(venv), DATABASE), join(home, DATABASE));
  const beginFork = sharedServers === undefined ? () => forkedPrefect(venv, {}) : () => forkedBy(sharedServers, venv);
  const begin = of === undefined ? await beginFork() : undefined;
  const authString = `gateway:${randomBytes(24).toString('hex')}`;
  const place = { venv, home, port: await freePort(), authString, host: everywhere ? '0.0.0.0' : '127.0.0.1' };
  const more = { ...(uiBase !== undefined && uiSettings(uiBase, home)), ...(postgres !== undefined && databaseIn(postgres)) };
  const startServer = () => start(serverProcess(place, more), begin);
  let server = await startServer();
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
  return {
    ...{ url: urlOf(place), authString, venv, logFile: server.logFile, database: join(home, DATABASE), stop },
    halt: async () => void (await server.stop({ graceMs: 15_000 })),
    resume: async () => {
      server = await startServer();
    },
  };
}

const DATABASE = 'prefect.db';

/** A directory with the database that a Prefect of this release made at its first start: half of what a start costs. */
async function madeDatabase(venv: string): Promise<string> {
  const made = join(resolve(toolCacheDir(process.env)), `prefect-${releaseIn(venv)}-database`);
  if (!existsSync(made)) await once(made, (work) => makeDatabase(venv, work));
  return made;
}

async function makeDatabase(venv: string, directory: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-prefect-'));
  const server = await start(serverProcess({ venv, home, port: await freePort(), authString: 'nobody:asks', host: '127.0.0.1' }));
  await server.stop({ graceMs: 30_000 });
  using database = new DatabaseSync(join(home, DATABASE));
  // One file, without its log; and only when nothing is amiss with it.
  database.prepare('VACUUM INTO ?').run(join(directory, DATABASE));
  rmSync(home, { recursive: true, force: true });
}

/** LICTOR_PREFECT may be any. */
function releaseIn(venv: string): string {
  const [found = ''] = globSync('lib/python3*/site-packages/prefect-*.dist-info', { cwd: venv });
  const release = /prefect-([^/]+)\.dist-info$/.exec(found)?.[1];
  if (release === undefined) throw new Error(`${venv} has no Prefect`);
  return release;
}

interface ServerPlace {
  readonly venv: string;
  readonly home: string;
  readonly port: number;
  readonly authString: string;
  readonly host: string;
}

function urlOf({ port }: ServerPlace): string {
  return `http://127.0.0.1:${port}`;
}

function serverProcess(place: ServerPlace, more: NodeJS.ProcessEnv = {}): Parameters<typeof start>[0] {
  const { venv, home, port, authString, host } = place;
  return {
    name: 'prefect server',
    command: join(venv, 'bin', 'prefect'),
    args: ['server', 'start', '--host', host, '--port', String(port)],
    cwd: home,
    env: { ...serverEnv(home, port, authString), ...more },
    ready: async () => (await fetch(`${urlOf(place)}/api/health`)).ok,
    readyTimeoutMs: 240_000,
  };
}

/** The files of the UI are rewritten for its base: not those that every server of this venv shares. */
function uiSettings(uiBase: string, home: string): NodeJS.ProcessEnv {
  return { PREFECT_UI_SERVE_BASE: uiBase, PREFECT_UI_STATIC_DIRECTORY: join(home, 'ui') };
}

function databaseIn(postgres: string): NodeJS.ProcessEnv {
  return { PREFECT_SERVER_DATABASE_CONNECTION_URL: `postgresql+asyncpg://${postgres}` };
}

function serverEnv(home: string, port: number, authString: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    PREFECT_HOME: home,
    PREFECT_API_URL: `http://127.0.0.1:${port}/api`,
    PREFECT_SERVER_API_AUTH_STRING: authString,
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    DO_NOT_TRACK: '1',
    // Both are off by default; without them `--watch` shows no log lines.
    PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED: 'true',
    PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED: 'true',
    NO_COLOR: '1',
  };
}
