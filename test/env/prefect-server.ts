// A real Prefect server on a free port: SQLite in a temporary directory, an auth string that only tests and gateways know.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, start } from './process.ts';
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

/** Starts `prefect server start`; resolves when its API answers. `uiBase`: where it serves its UI, `/prefect`; default the root. `of`: another venv. */
export async function startPrefect(uiBase: string | null = null, of?: string): Promise<PrefectServer> {
  const venv = of ?? (await prefectVenv());
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-prefect-'));
  const port = await freePort();
  const authString = `gateway:${randomBytes(24).toString('hex')}`;
  const url = `http://127.0.0.1:${port}`;
  const startServer = () =>
    start({
      name: 'prefect server',
      command: join(venv, 'bin', 'prefect'),
      args: ['server', 'start', '--host', '127.0.0.1', '--port', String(port)],
      cwd: home,
      env: { ...serverEnv(home, port, authString), ...(uiBase !== null && uiSettings(uiBase, home)) },
      ready: async () => (await fetch(`${url}/api/health`)).ok,
      readyTimeoutMs: 120_000,
    });
  let server = await startServer();
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
  return {
    ...{ url, authString, venv, logFile: server.logFile, database: join(home, 'prefect.db'), stop },
    halt: async () => void (await server.stop({ graceMs: 15_000 })),
    resume: async () => {
      server = await startServer();
    },
  };
}

/** The files of the UI are rewritten for its base: not those that every server of this venv shares. */
function uiSettings(uiBase: string, home: string): NodeJS.ProcessEnv {
  return { PREFECT_UI_SERVE_BASE: uiBase, PREFECT_UI_STATIC_DIRECTORY: join(home, 'ui') };
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
