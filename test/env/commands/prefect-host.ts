// Runs a stock `prefect` command or a flow's script of a test in a fork of a process that has imported Prefect: most of what one costs is the import.

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { inject } from 'vitest';
import { logTail } from '../../../src/operations/supervise/processes/log-tail.ts';
import { endGroup, onceReady, type ProcessExit, type ProcessOptions, type RunningProcess } from '../../../src/operations/supervise/processes/start-process.ts';
import { type Begin, type Running, start } from '../process.ts';
import { hostHere } from './run-command.ts';

const PROGRAM = resolve(import.meta.dirname, 'prefect-host.py');

/** One host for each venv, started when a test asks first. */
export interface PrefectHosts {
  /** The socket of the host of this venv. */
  socketOf(venv: string): Promise<string>;
  stop(): Promise<void>;
}

export function createPrefectHosts(): PrefectHosts {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-prefect-hosts-'));
  const hosts = new Map<string, Promise<Running>>();
  return {
    async socketOf(venv) {
      const socket = join(directory, createHash('sha256').update(venv).digest('hex').slice(0, 12));
      if (!hosts.has(venv)) hosts.set(venv, startHost(venv, directory, socket));
      await hosts.get(venv);
      return socket;
    },
    async stop() {
      await Promise.all([...hosts.values()].map(async (host) => (await host).stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Its environment is what libraries read as they are imported; a command brings the rest. */
function startHost(venv: string, home: string, socket: string): Promise<Running> {
  return start({
    name: 'host of prefect commands',
    command: join(venv, 'bin', 'python'),
    args: [PROGRAM, socket],
    env: { ...WHILE_IMPORTED, PATH: process.env['PATH'], HOME: home, PREFECT_HOME: join(home, '.prefect') },
    ready: () => existsSync(socket),
    readyTimeoutMs: 120_000,
  });
}

/** What a command has in its environment to be run in a host: Rich reads these as Prefect is imported. */
export const WHILE_IMPORTED = { NO_COLOR: '1', COLUMNS: '250', DO_NOT_TRACK: '1' } as const;

/** Names that Python, OpenSSL and the loader read as a process starts; the host reads PYTHONPATH. */
const READ_AT_START = /^(PYTHON(?!PATH$|UNBUFFERED$|DONTWRITEBYTECODE$)|OPENSSL_|LD_)/;

/** As `startProcess`, for `prefect ARGS` and `python SCRIPT ARGS` of this venv. Undefined: this environment needs a separate process. */
export async function forkedPrefect(venv: string, env: NodeJS.ProcessEnv): Promise<Begin | undefined> {
  const isOwn = hostHere() === null || Object.keys(env).some((name) => READ_AT_START.test(name));
  return isOwn ? undefined : forkedBy(inject('sharedServers'), venv);
}

/** `sharedServers`: where the host is asked for. */
export async function forkedBy(sharedServers: string, venv: string): Promise<Begin> {
  const answer = await fetch(`${sharedServers}/prefect-host`, { method: 'POST', body: venv });
  const { socket }: { readonly socket: string } = JSON.parse(await answer.text());
  return (options) => forkIn(socket, options);
}

/** The connection is the life of the command: the host ends its process group with it. */
async function forkIn(socket: string, options: ProcessOptions): Promise<RunningProcess> {
  const { command, args = [], env, cwd, logFile, name = 'prefect' } = options;
  const ofPython = basename(command) === 'python' ? args : [command, ...args];
  const connection = connect(socket);
  connection.on('error', () => undefined); // Its end says the same.
  connection.write(`${JSON.stringify({ args: ofPython, env, cwd, log: logFile })}\n`);
  const lines = createInterface({ input: connection })[Symbol.asyncIterator]();
  const begun = await lines.next();
  if (begun.done === true) throw new Error('the host of prefect commands has ended');
  const { pid }: { readonly pid: number } = JSON.parse(begun.value);
  let isRunning = true;
  const exited = lines.next().then(({ value }): ProcessExit => {
    isRunning = false;
    return value === undefined ? { code: null, signal: 'SIGKILL' } : JSON.parse(value);
  });
  const stop: RunningProcess['stop'] = async ({ graceMs = 5000 } = {}) => {
    await endGroup(pid, graceMs);
    await exited;
  };
  const handle = { name, pid, logFile, exited, running: () => isRunning, logTail: (count?: number) => logTail(logFile, count), stop };
  return onceReady(handle, options);
}
