// The venv of the stock Prefect: LICTOR_PREFECT, else the one that `lictor demo` uses too, brought when it is missing.
import { join } from 'node:path';
import { ensurePrefect, PREFECT_VERSION } from '../../src/cli/prefect-venv.ts';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';

const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);

/** Path of a venv whose `bin/prefect` is the stock client and server. */
export async function prefectVenv(): Promise<string> {
  const { directory } = await ensurePrefect({ cacheDir: toolCacheDir(process.env), env: process.env, onProgress });
  return directory;
}

/** A venv whose server can be one of several: they share their state through Redis. */
export async function scaledPrefectVenv(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `prefect-${PREFECT_VERSION}-redis-${PREFECT_REDIS_VERSION}`);
  const requirements = [`prefect==${PREFECT_VERSION}`, `prefect-redis==${PREFECT_REDIS_VERSION}`];
  await ensureVenv({ directory, requirements, cacheDir, env: process.env, onProgress });
  return directory;
}

const PREFECT_REDIS_VERSION = '0.3.0';

/** A venv whose workers start containers and pods. */
export async function isolatingVenv(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const requirements = [`prefect==${PREFECT_VERSION}`, 'prefect-kubernetes==0.8.0', 'prefect-docker==0.7.4'];
  const directory = join(cacheDir, `prefect-${PREFECT_VERSION}-kubernetes-0.8.0-docker-0.7.4`);
  await ensureVenv({ directory, requirements, cacheDir, env: process.env, onProgress });
  return directory;
}

/** 3.6.13 imports it without naming it: what it came with no longer does. */
const UNNAMED = 'importlib-metadata==8.7.1';

/** With what is newest the servers of older releases do not start. */
const FASTAPI: readonly (readonly [prefix: string, version: string])[] = [
  ['3.4.', '0.120.4'],
  ['3.6.', '0.120.4'],
  ['3.7.', '0.120.4'],
  ['3.8.', '0.150.0'],
];

/** A venv whose server is of an older version. */
export async function oldServerVenv(version: string): Promise<string> {
  const fastapi = FASTAPI.find(([prefix]) => version.startsWith(prefix))?.[1];
  if (fastapi === undefined) throw new Error(`which FastAPI does Prefect ${version} start with?`);
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `prefect-server-${version}`);
  await ensureVenv({ directory, requirements: [`prefect==${version}`, UNNAMED, `fastapi==${fastapi}`], cacheDir, env: process.env, onProgress });
  return directory;
}

/** The same of an older version, for its client. */
export async function oldClientVenv(version: string): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `prefect-${version}`);
  await ensureVenv({ directory, requirements: [`prefect==${version}`, UNNAMED], cacheDir, env: process.env, onProgress });
  return directory;
}

/** For a Python service that verifies assertions. */
export async function pyjwtVenv(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, 'pyjwt-2.15.1');
  await ensureVenv({ directory, requirements: ['pyjwt==2.15.1', 'cryptography==50.0.2'], cacheDir, env: process.env, onProgress });
  return directory;
}
