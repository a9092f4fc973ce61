// `lictor demo`: starts a real Prefect behind a real gateway, with a sample flow that a named person starts.
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { assertPortFree, claimDemo } from '../../demo/already-running.ts';
import { demo } from '../../demo/demo.ts';
import { type DemoPlaces, demoPlaces } from '../../demo/places.ts';
import { createProgress, type Progress } from '../../demo/progress.ts';
import { createRunning } from '../../demo/running.ts';
import { PRIVATE_UMASK } from '../config/state-dir.ts';
import { LictorError } from '../contract/error.ts';
import { findNginx } from '../edge/nginx/version.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { interruption } from './interruption.ts';
import { ensurePrefect } from './prefect-venv.ts';
import { toolCacheDir } from './repository.ts';

interface DemoOptions {
  readonly once?: true;
  readonly port: number;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('start a real Prefect, a worker, accounts and the gateway, and run a sample flow through it')
    .option('--once', 'the same, then stop everything; exit 0 only if the run completed and its timeline names who started it')
    .option('--port <n>', 'port of the gateway on localhost', parsePort, 8200)
    .addHelpText('after', '\nExample:\n  lictor demo --port 8300\n')
    .action((options: DemoOptions) => demoCommand(context, options));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('a port is a number from 1 to 65535.');
  return port;
}

async function demoCommand(context: CliContext, options: DemoOptions): Promise<void> {
  const places = demoPlaces(join(context.stateDir(), 'demo'));
  const progress = createProgress(context.out);
  const release = claim(places);
  const running = createRunning();
  const interrupted = interruption();
  try {
    await assertPortFree(options.port);
    await findNginx(process.env);
    const venv = await prefect(context, progress);
    // Prefect and the worker inherit it. Before this line it would also close the venv, which users may share.
    process.umask(PRIVATE_UMASK);
    const ended = Promise.race([interrupted.signal, running.died.then(diedToo(places))]);
    const afterwards = options.once === true ? 'stops' : 'stays';
    const succeeded = await Promise.race([demo({ places, port: options.port, venv, running, progress, afterwards }), ended]);
    if (succeeded === 'interrupted') return progress.line('Stopping ...');
    if (!succeeded) throw new CommandFailed(`the demo did not succeed: the logs are in ${places.log}`);
    if (options.once !== true) await untilEnd(progress, ended);
  } catch (error) {
    throw error instanceof LictorError ? new CommandFailed(error.message, error) : error;
  } finally {
    await running.stop();
    interrupted.forget();
    release();
  }
}

function claim(places: DemoPlaces): () => void {
  try {
    return claimDemo(places.state);
  } catch (error) {
    throw error instanceof LictorError ? new CommandFailed(error.message, error) : error;
  }
}

/** Installs Prefect if it is missing, and prints that time separately. */
async function prefect(context: CliContext, progress: Progress): Promise<string> {
  const started = performance.now();
  const { directory } = await progress.step(
    'Looking for Prefect',
    (update) => ensurePrefect({ cacheDir: toolCacheDir(context.env), env: context.env, onProgress: update }),
    () => `Prefect is there (download time: ${((performance.now() - started) / 1000).toFixed(1)} s)`,
  );
  return directory;
}

async function untilEnd(progress: Progress, ended: Promise<'interrupted'>): Promise<void> {
  progress.line('Ctrl-C stops everything.');
  await ended;
  progress.line('Stopping ...');
}

function diedToo(places: DemoPlaces): (name: string) => never {
  return (name) => {
    throw new CommandFailed(`${name} ended by itself: its log is in ${places.log}`);
  };
}
