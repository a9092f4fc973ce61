// Starts `lictor demo` with the venv that the tests use.
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commandLine, type Finished, type Running, run, start } from './process.ts';
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

/** A state directory for demos. */
export function demoDirectory() {
  const stateDir = mkdtempSync(join(tmpdir(), 'lictor-test-demo-'));
  return {
    stateDir,
    /** Processes that were started for its demos. */
    remaining: (): string[] =>
      readdirSync('/proc')
        .filter((entry) => /^\d+$/.test(entry))
        .map((entry) => commandLine(Number(entry)))
        .filter((command) => command.includes(stateDir)),
    remove(): void {
      const runtime = join(stateDir, 'demo', 'run');
      // A demo that ended has removed it.
      if (existsSync(runtime)) rmSync(realpathSync(runtime), { recursive: true, force: true });
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
