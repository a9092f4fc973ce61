// Python tools in separate venvs. A venv is created once, under a lock, and does not change afterwards.
import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../config/load.ts';
import { isErrno } from '../contract/errno.ts';
import { CommandFailed } from './errors.ts';
import { runCommand } from './run-command.ts';

export interface VenvRequest {
  /** Directory of the venv. Its name contains the version, so another version has another directory. */
  readonly directory: string;
  /** Pinned requirements, `prefect==3.9.1`. */
  readonly requirements: readonly string[];
  readonly cacheDir: string;
  readonly env: Environment;
  readonly onProgress: (line: string) => void;
}

/** From PyPI, as a wheel with the binary. */
const UV = 'uv==0.13.9';

/** A lock that its owner has not refreshed for this time comes from a killed process. */
const STALE_LOCK_MS = 30_000;

/** Creates the venv if it is missing, and returns its `bin`. Of two concurrent callers, one creates it and the other waits. */
export async function ensureVenv(request: VenvRequest): Promise<string> {
  const bin = join(request.directory, 'bin');
  if (isComplete(request.directory)) return bin;
  mkdirSync(request.cacheDir, { recursive: true, mode: 0o755 });
  const unlock = await lock(`${request.directory}.lock`);
  try {
    if (!isComplete(request.directory)) await create(request);
  } finally {
    unlock();
  }
  return bin;
}

/** A venv cannot be moved, so it is created in place and marked at the end. */
function isComplete(directory: string): boolean {
  return existsSync(join(directory, '.complete'));
}

async function create({ directory, requirements, cacheDir, env, onProgress }: VenvRequest): Promise<void> {
  const startedMs = performance.now();
  rmSync(directory, { recursive: true, force: true });
  const uv = await findUv(cacheDir, env, onProgress);
  onProgress(`bringing ${requirements.join(', ')}`);
  const uvEnv = { ...env, UV_PYTHON_DOWNLOADS: 'never', VIRTUAL_ENV: undefined };
  const run = (args: readonly string[]) => must(uv, args, uvEnv);
  await run(['venv', '--quiet', directory]);
  await run(['pip', 'install', '--quiet', '--compile-bytecode', '--python', join(directory, 'bin', 'python'), ...requirements]);
  writeFileSync(join(directory, '.complete'), `${requirements.join('\n')}\n`);
  onProgress(`brought ${requirements.join(', ')} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** uv on PATH, else uv in a separate venv. */
async function findUv(cacheDir: string, env: Environment, onProgress: (line: string) => void): Promise<string> {
  const onPath = (env['PATH'] ?? '').split(delimiter).find((directory) => directory !== '' && existsSync(join(directory, 'uv')));
  if (onPath !== undefined) return join(onPath, 'uv');
  const directory = join(cacheDir, 'uv');
  const uv = join(directory, 'bin', 'uv');
  if (existsSync(uv)) return uv;
  onProgress('bringing uv');
  const beside = `${directory}.new`;
  rmSync(beside, { recursive: true, force: true });
  await must('python3', ['-m', 'venv', beside], env);
  await must(join(beside, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', UV], env);
  rmSync(directory, { recursive: true, force: true });
  // uv's binary may move, unlike the scripts of the venv.
  renameSync(beside, directory);
  return uv;
}

async function must(command: string, args: readonly string[], env: Environment): Promise<void> {
  const { status, output } = await runCommand({ command, args, env });
  if (status === 0) return;
  const why = output.trim().split('\n').slice(-8).join('\n');
  const remedy =
    command === 'python3'
      ? 'Install python3 and python3-venv (Debian: apt-get install python3-venv).'
      : 'Check the network and the package index, then try again.';
  throw new CommandFailed(`${command} ${args.slice(0, 2).join(' ')} failed:\n${why}\n${remedy}`);
}

/** The lock is a directory, because mkdir succeeds for only one process. Its owner refreshes its time. */
async function lock(path: string): Promise<() => void> {
  while (!tryLock(path)) {
    if (ageMs(path) > STALE_LOCK_MS) rmSync(path, { recursive: true, force: true });
    else await delay(200);
  }
  const refresh = setInterval(() => touch(path), STALE_LOCK_MS / 6);
  return () => {
    clearInterval(refresh);
    rmSync(path, { recursive: true, force: true });
  };
}

function tryLock(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function touch(path: string): void {
  // A user may have removed the whole cache meanwhile.
  if (existsSync(path)) utimesSync(path, new Date(), new Date());
}

function ageMs(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}
