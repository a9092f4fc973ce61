// Runs this very command line as a child: `up` for the gateway, short commands for accounts, tokens and the timeline.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LictorError } from '../src/contract/error.ts';
import { type RunningProcess, startProcess } from '../src/operations/supervise/processes/start-process.ts';
import type { DemoPlaces } from './places.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

const execute = promisify(execFile);

function commandLineOf(places: DemoPlaces, args: readonly string[]): string[] {
  return [MAIN, ...args, '-c', places.configFile, '--state-dir', places.state];
}

/** Runs a command to its end and answers its standard output. Throws LictorError `demo-step-failed` when it fails. */
export async function lictor(places: DemoPlaces, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, commandLineOf(places, args), { maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new LictorError('demo-step-failed', `lictor ${args.slice(0, 3).join(' ')} failed. ${said}`, { cause });
  }
}

/** The gateway; resolves when edge, store and upstream are ready, or when `isEnding` says that nobody waits any more. */
export function startGateway(places: DemoPlaces, url: string, isEnding: () => boolean): Promise<RunningProcess> {
  return startProcess({
    name: 'gateway',
    command: process.execPath,
    args: commandLineOf(places, ['up']),
    logFile: join(places.log, 'gateway.log'),
    ready: async () => isEnding() || (await fetch(`${url}/.lictor/ready`)).ok,
    // It is ready when Prefect is, which takes its time on a slow machine.
    readyTimeoutMs: 150_000,
  });
}
