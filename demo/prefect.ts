// The demo's real Prefect: a server that only the gateway can talk to, and a stock process worker behind the gateway.
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '../src/operations/supervise/processes/start-process.ts';

export interface PrefectServerOptions {
  /** Venv with Prefect in it. */
  readonly venv: string;
  /** PREFECT_HOME: its SQLite database. */
  readonly home: string;
  readonly port: number;
  readonly authString: string;
  readonly logFile: string;
  /** True: nobody waits for readiness any more. */
  readonly isEnding: () => boolean;
}

/** Resolves when the server's API answers. */
export function startPrefectServer({ venv, home, port, authString, logFile, isEnding }: PrefectServerOptions): Promise<RunningProcess> {
  return startProcess({
    name: 'prefect server',
    command: join(venv, 'bin', 'prefect'),
    args: ['server', 'start', '--host', '127.0.0.1', '--port', String(port)],
    cwd: home,
    env: {
      ...prefectEnvironment(home),
      PREFECT_API_URL: `http://127.0.0.1:${port}/api`,
      PREFECT_SERVER_API_AUTH_STRING: authString,
      PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      // Both are off by default; without them `--watch` shows no log lines.
      PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED: 'true',
      PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED: 'true',
    },
    logFile,
    ready: async () => isEnding() || (await fetch(`http://127.0.0.1:${port}/api/health`)).ok,
    readyTimeoutMs: 120_000,
  });
}

export interface WorkerOptions {
  readonly venv: string;
  readonly home: string;
  /** Of the gateway, without `/api`. */
  readonly gatewayUrl: string;
  /** Service token of role worker. */
  readonly token: string;
  readonly pool: string;
  readonly logFile: string;
}

/** A stock worker with nothing but Prefect's own settings. Resolves when it runs; it finds its pool by itself. */
export function startWorker({ venv, home, gatewayUrl, token, pool, logFile }: WorkerOptions): Promise<RunningProcess> {
  return startProcess({
    name: 'prefect worker',
    command: join(venv, 'bin', 'prefect'),
    args: ['worker', 'start', '--pool', pool, '--type', 'process', '--name', 'demo-worker'],
    cwd: home,
    env: {
      ...prefectEnvironment(home),
      PREFECT_API_URL: `${gatewayUrl}/api`,
      PREFECT_API_AUTH_STRING: `worker:${token}`,
      PREFECT_WORKER_QUERY_SECONDS: '2',
    },
    logFile,
  });
}

/** Nothing of the caller's own Prefect settings reaches the demo's. */
function prefectEnvironment(home: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PREFECT_'));
  return { ...Object.fromEntries(inherited), PREFECT_HOME: home, DO_NOT_TRACK: '1', NO_COLOR: '1' };
}
