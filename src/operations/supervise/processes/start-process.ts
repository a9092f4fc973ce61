// Starts a command as its own process group, waits until it is ready, and ends the whole group.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { LictorError } from '../../../contract/error.ts';
import { logTail } from './log-tail.ts';
import { groupMembers, signalGroup } from './process-table.ts';
import { waitFor } from './wait-for.ts';

export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment of the process. Default: this one's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Polled until true. By default the process is ready when it runs. */
  readonly ready?: () => boolean | Promise<boolean>;
  readonly readyTimeoutMs?: number;
  /** For messages. Default: the command's base name. */
  readonly name?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  /** Also the id of its process group. */
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  running(): boolean;
  /** SIGTERM to the group, SIGKILL after `graceMs` (default 5000). Resolves when no member is left. */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
  logTail(lines?: number): string;
}

/**
 * Resolves when the process is ready. One that ends or stays unready is stopped. The LictorError (`process-not-started`, `process-died`, `process-not-ready`)
 * has the last lines of its log.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const name = options.name ?? basename(options.command);
  const child = spawnGroup(options);
  await spawned(child, name);
  return onceReady(processHandle(child, name, options.logFile), options);
}

/** As startProcess ends, for a process that runs already. */
export async function onceReady(handle: RunningProcess, options: ProcessOptions): Promise<RunningProcess> {
  try {
    await untilReady(handle, options);
  } catch (error) {
    await handle.stop({ graceMs: 1000 });
    throw error;
  }
  return handle;
}

function spawnGroup(options: ProcessOptions): ChildProcess {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    return spawn(options.command, [...(options.args ?? [])], {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } finally {
    closeSync(log);
  }
}

function spawned(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new LictorError('process-not-started', `cannot start ${name}: is it installed?`, { cause, detail: cause.message })));
  });
}

function processHandle(child: ChildProcess, name: string, logFile: string): RunningProcess {
  const pid = child.pid;
  if (pid === undefined) throw new LictorError('process-not-started', `cannot start ${name}: it has no process id`);
  const killOnExit = () => signalGroup(pid, 'SIGKILL');
  process.once('exit', killOnExit);
  const exited = new Promise<ProcessExit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  return {
    name,
    pid,
    logFile,
    exited,
    running: () => child.exitCode === null && child.signalCode === null,
    logTail: (lines) => logTail(logFile, lines),
    stop: async ({ graceMs = 5000 } = {}) => {
      await endGroup(pid, graceMs);
      await exited;
      process.removeListener('exit', killOnExit);
    },
  };
}

/** Ends every member of a process group: SIGTERM, SIGKILL after `graceMs`. Resolves when none is left. */
export async function endGroup(group: number, graceMs: number): Promise<void> {
  signalGroup(group, 'SIGTERM');
  const gone = () => groupMembers(group).length === 0;
  try {
    await waitFor(gone, { what: `process group ${group} to end`, timeoutMs: graceMs });
  } catch {
    signalGroup(group, 'SIGKILL');
    await waitFor(gone, { what: `process group ${group} to end after SIGKILL` });
  }
}

async function untilReady(handle: RunningProcess, options: ProcessOptions): Promise<void> {
  const { ready, readyTimeoutMs = 60_000 } = options;
  if (ready === undefined) return;
  const died = Symbol('died');
  const seen = await waitFor(async () => ((await safely(ready)) ? true : handle.running() ? false : died), {
    what: `${handle.name} to be ready`,
    timeoutMs: readyTimeoutMs,
    everyMs: 50,
  }).catch((cause: unknown) => {
    throw report('process-not-ready', `${handle.name} was not ready within ${readyTimeoutMs} ms`, handle, cause);
  });
  if (seen !== died) return;
  const { code, signal } = await handle.exited;
  throw report('process-died', `${handle.name} ended before it was ready (${signal ?? `exit ${code}`})`, handle, undefined);
}

async function safely(ready: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await ready();
  } catch {
    // A failing probe (connection refused, no such file) means: not ready yet.
    return false;
  }
}

function report(code: string, message: string, handle: RunningProcess, cause: unknown): LictorError {
  const tail = handle.logTail();
  const lines = tail === '' ? 'Its log is empty.' : `Last lines of its log:\n${tail}`;
  return new LictorError(code, `${message}. ${lines}`, { cause, detail: handle.logFile });
}
