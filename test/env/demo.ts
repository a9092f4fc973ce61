// Starts `lictor demo` with the venv that the tests use.
import { join, resolve } from 'node:path';
import { type Finished, type Running, run, start } from './process.ts';
import { prefectVenv } from './venv.ts';

/** Always the sources, as `./lictor` in a checkout runs them. */
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');

async function demoSpec(stateDir: string, port: number, args: readonly string[]) {
  return {
    name: `lictor demo ${args.join(' ')}`,
    command: process.execPath,
    args: [MAIN, 'demo', ...args, '--port', String(port), '--state-dir', stateDir],
    env: { PATH: process.env['PATH'], HOME: join(stateDir, 'home'), LICTOR_PREFECT: await prefectVenv() },
  };
}

/** Runs a demo that ends by itself. */
export async function runDemo(stateDir: string, port: number, ...args: string[]): Promise<Finished> {
  return run({ ...(await demoSpec(stateDir, port, args)), timeoutMs: 200_000 });
}

export async function startDemo(stateDir: string, port: number, ...args: string[]): Promise<Running> {
  return start(await demoSpec(stateDir, port, args));
}
