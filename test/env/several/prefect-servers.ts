// Two real Prefect API servers on one Postgres and one Redis, with their background services: started by hand, as docs/how-to/existing-server.md says.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalGroup } from '../../../src/operations/supervise/processes/process-table.ts';
import { forkedPrefect } from '../commands/prefect-host.ts';
import { docsBlock, environmentOf } from '../docs.ts';
import { freePort } from '../free-port.ts';
import type { PrefectAddress } from '../prefect-server.ts';
import { type Running, start } from '../process.ts';
import { prefectVenv, scaledPrefectVenv } from '../venv.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type Redis, startRedis } from './redis.ts';

export interface PrefectServers {
  /** The two of them, without `/api`. */
  readonly urls: readonly [string, string];
  /** One of them with the auth string of now; `venv` is the stock client's. */
  address(index: 0 | 1): PrefectAddress;
  /** SIGKILL for the server and its children. */
  kill(index: 0 | 1): Promise<void>;
  /** It takes connections from now on, and answers nobody. */
  freeze(index: 0 | 1): void;
  thaw(index: 0 | 1): void;
  /** Starts one that was killed; resolves when it answers. */
  start(index: 0 | 1): Promise<void>;
  /** Stops and starts one, with this auth string from now on. */
  restart(index: 0 | 1, authString: string): Promise<void>;
  /** Ids of the events that a server has begun to write into the stream: it marks each in Redis first, and refuses it from then on (prefect_redis, Publisher). */
  begunEvents(): Promise<readonly string[]>;
  /** What they share their events and locks through. */
  readonly redis: Redis;
  stop(): Promise<void>;
}

/** Resolves when both answer. */
export async function startPrefectServers(): Promise<PrefectServers> {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-servers-'));
  const [postgres, redis, server, client] = await Promise.all([startPostgres(), startRedis(), scaledPrefectVenv(), prefectVenv()]);
  const ports = [await freePort(), await freePort()] as const;
  const urls = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`] as const;
  const shared = sharedEnvironment(home, postgres, redis);
  const first = `admin:${randomBytes(24).toString('hex')}`;
  const authStrings: [string, string] = [first, first];
  const begin = await forkedPrefect(server, {});
  const running: [Running | undefined, Running | undefined] = [undefined, undefined];
  const launch = async (index: 0 | 1, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const options = {
      name: `prefect server ${index}`,
      command: join(server, 'bin', 'prefect'),
      args: ['server', 'start', '--no-services', '--host', '127.0.0.1', '--port', String(ports[index])],
      cwd: home,
      env: { ...shared, PREFECT_API_URL: `${urls[index]}/api`, PREFECT_SERVER_API_AUTH_STRING: authStrings[index], ...env },
      ready: async () => (await fetch(`${urls[index]}/api/health`)).ok,
      readyTimeoutMs: 150_000,
    };
    running[index] = await start(options, begin);
  };
  const end = async (index: 0 | 1, graceMs: number): Promise<void> => {
    await running[index]?.stop({ graceMs });
    running[index] = undefined;
  };
  const signal = (index: 0 | 1, name: NodeJS.Signals): void => {
    const group = running[index]?.pid;
    if (group !== undefined) signalGroup(group, name);
  };
  await launch(0);
  // What the first one has written into the database is not written again: it is there.
  const later = { PREFECT_SERVER_DATABASE_MIGRATE_ON_START: 'false', PREFECT_API_BLOCKS_REGISTER_ON_START: 'false' };
  const ofServices = {
    name: 'prefect services',
    command: join(server, 'bin', 'prefect'),
    args: ['server', 'services', 'start'],
    cwd: home,
    env: { ...shared, ...later, PREFECT_SERVER_API_AUTH_STRING: first },
  };
  const services = start(ofServices, begin);
  const [background] = await Promise.all([services, launch(1, later)]);
  return {
    urls,
    redis,
    address: (index) => ({ url: urls[index], authString: authStrings[index], venv: client, logFile: running[index]?.logFile ?? '' }),
    kill: (index) => end(index, 0),
    freeze: (index) => signal(index, 'SIGSTOP'),
    thaw: (index) => signal(index, 'SIGCONT'),
    async start(index) {
      if (running[index] === undefined) await launch(index, later);
    },
    async restart(index, authString) {
      await end(index, 15_000);
      authStrings[index] = authString;
      await launch(index, later);
    },
    begunEvents: async () => (await redis.keys('message:*')).map((key) => key.slice(key.lastIndexOf(':') + 1)),
    async stop() {
      await Promise.all([end(0, 5_000), end(1, 5_000), background.stop()]);
      await Promise.all([postgres.stop(), redis.stop()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The environment of the docs, with the addresses of this test. */
function sharedEnvironment(home: string, postgres: Postgres, redis: Redis): NodeJS.ProcessEnv {
  const block = docsBlock('how-to/existing-server.md', 'PREFECT_SERVER_API_AUTH_STRING=');
  return {
    PATH: process.env['PATH'],
    HOME: home,
    PREFECT_HOME: home,
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    DO_NOT_TRACK: '1',
    NO_COLOR: '1',
    ...environmentOf(block.replaceAll('10.0.0.9:6379', redis.address).replaceAll('prefect:secret@10.0.0.9/prefect', postgres.address)),
  };
}
