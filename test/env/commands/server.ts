// Owns the host of commands: started when a test asks, once for all files of a run; started again when a command has ended it.

import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { ProcessExit } from '../../../src/operations/supervise/processes/start-process.ts';
import { lanes } from '../../runner/lanes.ts';
import { listenOnLoopback } from '../listen.ts';
import type { Finished } from '../process.ts';
import { MAIN } from '../program.ts';
import type { TimedCall, Told } from './call.ts';

export interface CommandServer {
  /** `POST` a TimedCall, and be answered a Finished. */
  readonly url: string;
  stop(): void;
}

export async function serveCommands(): Promise<CommandServer> {
  const host = createHost();
  const server = createServer(async (request, response) => {
    const call: TimedCall = JSON.parse(await text(request));
    response.end(JSON.stringify(await host.run(call)));
  });
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
      host.stop();
    },
  };
}

interface Host {
  /** One call at a time: the environment and the streams of a process are for all that runs in it. */
  run(call: TimedCall): Promise<Finished>;
  stop(): void;
}

/** `commandLine`: the address of a module whose `main` runs a command line. */
export function createHost(commandLine = pathToFileURL(MAIN).href): Host {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-commands-'));
  const outputFile = join(directory, 'output');
  const inTurn = lanes(1);
  let child: ChildProcess | undefined;
  return {
    run: (call) =>
      inTurn(async () => {
        if (child === undefined || !isUp(child)) child = forkHost(commandLine, outputFile);
        truncateSync(outputFile);
        const exit = await endOf(child, call);
        return { ...exit, output: readFileSync(outputFile, 'utf8') };
      }),
    stop: () => {
      child?.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function isUp(child: ChildProcess): boolean {
  return child.connected && child.exitCode === null && child.signalCode === null;
}

/** Both streams lead to one file, as those of every process of a test do. */
function forkHost(commandLine: string, outputFile: string): ChildProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === 'PATH' || name === 'NODE_COMPILE_CACHE'));
  const output = openSync(outputFile, 'a', 0o600);
  try {
    return fork(new URL('host.ts', import.meta.url), [commandLine], { stdio: ['ignore', output, output, 'ipc'], env, execArgv: [] });
  } finally {
    closeSync(output);
  }
}

/** Resolves when the command has ended, or the whole host with it. */
function endOf(child: ChildProcess, { timeoutMs, ...call }: TimedCall): Promise<ProcessExit> {
  return new Promise((resolve) => {
    const onMessage = ({ status }: Told): void => onExit(status, null);
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      resolve({ code, signal });
    };
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('message', onMessage).on('exit', onExit);
    child.send(call);
  });
}
