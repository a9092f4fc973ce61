// `lictor bench`: measures the same work with and without the gateway on this machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type BenchParts, bench } from '../../bench/bench.ts';
import { benchNodes } from '../../bench/nodes.ts';
import { makeBenchPlaces } from '../../bench/places.ts';
import { renderMarkdown, renderNodes } from '../../bench/report.ts';
import { judge } from '../../bench/targets.ts';
import { createProgress, type Progress } from '../../demo/progress.ts';
import { createRunning } from '../../demo/running.ts';
import { LictorError } from '../contract/error.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { interruption } from './interruption.ts';
import { ensurePrefect } from './prefect-venv.ts';
import { toolCacheDir } from './repository.ts';

interface BenchOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly flow: boolean;
  readonly nodes?: true;
  readonly json?: true;
  readonly output?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('bench')
    .description('measure the gateway on this machine against bare nginx and others; loopback only, everything is stopped afterwards')
    .option('--seconds <n>', 'length of each run', wholeNumber, 2)
    .option('--rounds <n>', 'how often everything is run, interleaved', wholeNumber, 13)
    .option('--no-flow', 'without the stock flow, which needs Prefect')
    .option('--nodes', 'compare one and two nodes on Postgres only')
    .option('--json', 'print JSON')
    .option('-o, --output <dir>', 'write bench.md and bench.json there too')
    .addHelpText(
      'after',
      '\nExample:\n  lictor bench -o bench/            about fifteen minutes\n  lictor bench --seconds 1 --rounds 1 --no-flow\n  lictor bench --nodes\n',
    )
    .action((options: BenchOptions) => benchCommand(context, options));
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 600) throw new InvalidArgumentError('a number from 1 to 600.');
  return number;
}

async function benchCommand(context: CliContext, options: BenchOptions): Promise<void> {
  const progress = createProgress(context.err);
  const running = createRunning();
  const interrupted = interruption();
  const places = makeBenchPlaces(context.stateDir());
  try {
    const { seconds, rounds } = options;
    const parts = { root: places.root, env: context.env, seconds, rounds, running, progress };
    const work = options.nodes === true ? nodesText(context, parts) : wholeText(parts, await bring(context, options, progress));
    work.catch(() => undefined); // it fails when an interruption stops its processes
    const result = await Promise.race([work, interrupted.signal]);
    if (result === 'interrupted') throw new CommandFailed('interrupted; everything is stopped.');
    show(context, options, result);
  } catch (error) {
    throw error instanceof LictorError && !(error instanceof CommandFailed) ? new CommandFailed(error.message, error) : error;
  } finally {
    await running.stop();
    interrupted.forget();
    places.remove();
  }
}

type CommonParts = Omit<BenchParts, 'venv'>;

async function wholeText(parts: CommonParts, venv: string | null): Promise<Texts> {
  const result = await bench({ ...parts, venv });
  return { markdown: renderMarkdown(result), json: { ...result, targets: judge(result) } };
}

/** Installs the load generator, HAProxy and Postgres by apt if they are missing. Postgres has two databases, which end with it. */
async function nodesText(context: CliContext, parts: CommonParts): Promise<Texts> {
  const { bringProgram } = await import('../../test/runner/programs.ts');
  for (const program of ['wrk', 'haproxy', 'postgres'] as const) await bringProgram(program, context.env, parts.progress.line);
  const { startBenchPostgres } = await import('../../test/runner/bench-postgres.ts');
  const { stores, stop } = await startBenchPostgres();
  try {
    const result = await benchNodes({ ...parts, stores });
    return { markdown: renderNodes(result), json: result };
  } finally {
    await parts.running.stop();
    await stop();
  }
}

/** Installs the load generator by apt and Prefect from PyPI if they are missing. Returns Prefect's venv. */
async function bring(context: CliContext, { flow }: BenchOptions, progress: Progress): Promise<string | null> {
  const { bringProgram } = await import('../../test/runner/programs.ts');
  await bringProgram('wrk', context.env, progress.line);
  if (!flow) return null;
  return (await ensurePrefect({ cacheDir: toolCacheDir(context.env), env: context.env, onProgress: progress.line })).directory;
}

interface Texts {
  readonly markdown: string;
  readonly json: object;
}

function show(context: CliContext, { json, output }: BenchOptions, result: Texts): void {
  const text = { markdown: result.markdown, json: `${JSON.stringify(result.json, null, 2)}\n` };
  context.out.write(json === true ? text.json : text.markdown);
  if (output === undefined) return;
  const directory = resolve(output);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'bench.md'), text.markdown);
  writeFileSync(join(directory, 'bench.json'), text.json);
  context.err.write(`lictor: ${join(directory, 'bench.md')} and bench.json are written.\n`);
}
