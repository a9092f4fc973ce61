// The processes of a test: started through supervise/processes, each with a separate log that appears when a test fails.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, processInfo, signalProcess } from '../../src/operations/supervise/processes/process-table.ts';
import { type ProcessExit, type ProcessOptions, type RunningProcess, startProcess } from '../../src/operations/supervise/processes/start-process.ts';
import { type WaitOptions, waitFor as waitForIt } from '../../src/operations/supervise/processes/wait-for.ts';

export { commandLine } from '../../src/config/pid-file.ts';
export { isAlive, signalGroup, signalProcess } from '../../src/operations/supervise/processes/process-table.ts';

export interface StartOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly ready?: () => boolean | Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

export interface Running extends RunningProcess {
  /** Standard output and error. */
  output(): string;
  /** Signals the process alone, not its group. */
  signal(signal: NodeJS.Signals): void;
}

export interface Finished extends ProcessExit {
  readonly output: string;
}

/** Node need not compile the same files for each `lictor` of each test; a test gives its processes an environment of their own. */
const COMPILED = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === 'NODE_COMPILE_CACHE'));

/** The start of a process: as a separate one, or as a fork of prefect-host.ts. */
export type Begin = (options: ProcessOptions) => Promise<RunningProcess>;

/** Starts a process; resolves when it is ready. */
export async function start(options: StartOptions, begin: Begin = startProcess): Promise<Running> {
  const logFile = join(logDirectory(), `${logs.length}-${options.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)}.log`);
  alsoShow(options.name, logFile);
  const running = await begin({ ...options, env: { ...COMPILED, ...options.env }, logFile });
  started.add(running);
  return { ...running, output: () => readLog(logFile), signal: (signal) => signalProcess(running.pid, signal) };
}

/** Runs a process to its end. One that takes longer than `timeoutMs` is stopped: its `signal` says so. */
export async function run(options: StartOptions & { readonly timeoutMs?: number }, begin?: Begin): Promise<Finished> {
  const running = await start(options, begin);
  const timer = setTimeout(() => void running.stop({ graceMs: 0 }), options.timeoutMs ?? 120_000);
  const exit = await running.exited;
  clearTimeout(timer);
  await running.stop({ graceMs: 1_000 });
  return { ...exit, output: running.output() };
}

/** Ends whatever a test file has left running, and forgets its logs. */
export async function stopLeftOvers(): Promise<void> {
  await Promise.all([...started].filter((process) => process.running()).map((process) => process.stop({ graceMs: 15_000 })));
  started.clear();
  logs.length = 0;
  directory = undefined;
}

/** Live processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return listed === '' ? [] : listed.split(' ').map(Number).filter(isAlive);
}

/** All live descendants of `pid`. */
export function descendantsOf(pid: number): number[] {
  if (processInfo(pid) === undefined) return [];
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** What every process of this test file printed last. */
export function journalTail(characters: number): string {
  return logs.map(({ name, read }) => `--- ${name}\n${read().slice(-characters)}`).join('\n');
}

/** Adds a log file that some process writes by itself. */
export function alsoShow(name: string, logFile: string): void {
  logs.push({ name, read: () => readLog(logFile) });
}

/** Adds the output of a program without a separate process. */
export function noteOutput(name: string, output: string): void {
  logs.push({ name, read: () => output });
}

const started = new Set<RunningProcess>();
const logs: { readonly name: string; readonly read: () => string }[] = [];
let directory: string | undefined;

function logDirectory(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'lictor-test-logs-'));
  return directory;
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Nothing was written.
    return '';
  }
}

/** As the supervisor waits, with more patience: a busy machine is no failure. Most conditions ask a process, which takes its time from what is waited for. */
export function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<T> {
  return waitForIt(condition, { timeoutMs: 40_000, everyMs: 100, ...options });
}
