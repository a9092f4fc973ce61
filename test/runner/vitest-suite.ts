// Suites that vitest runs; the counts come from its JSON report.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { build, DIST } from '../../build/build.ts';
import { ensurePrefect } from '../../src/cli/prefect-venv.ts';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Environment } from '../../src/config/load.ts';
import { lanes } from './lanes.ts';
import { bringProgram, type ProgramName } from './programs.ts';
import { PARTS_AND_REST } from './shares.ts';
import { addOutcomes, failed, inShort, type Outcome, type Suite, type SuiteContext } from './suite.ts';
import { WholeLines } from './whole-lines.ts';

const testSchema = z.object({
  status: z.string(),
  ancestorTitles: z.array(z.string()),
  title: z.string(),
  failureMessages: z.array(z.string()).nullish(),
});
const fileSchema = z.object({ status: z.string(), name: z.string(), message: z.string(), assertionResults: z.array(testSchema) });
const reportSchema = z.object({ testResults: z.array(fileSchema) });

type Need = 'prefect' | 'build' | ProgramName;

/** Runs of vitest at a time: their tests wait for servers more than they compute, so that this many keep two cores busy. */
const AT_ONCE = 4;
const inLane = lanes(AT_ONCE);
/** Programs are brought by one suite at a time: the next one finds them there. */
const alone = lanes(1);

export interface VitestSuite {
  /** Of vitest.config.ts: the suite has their names. */
  readonly projects: readonly string[];
  readonly summary: string;
  /** Brought first. */
  readonly needs: readonly Need[];
  /** Runs beside each other, each with a part of the files and one set of servers (Prefect, Keycloak); the last of PARTS_AND_REST waits for the suites beside. */
  readonly parts?: number;
}

/** Vitest projects as a suite: in one run, files share their servers and wait for each other. */
export function vitestSuite({ projects, summary, needs, parts = 1 }: VitestSuite): Suite {
  const name = projects.join(', ');
  return {
    name,
    summary,
    besideOthers: true,
    isEmpty: () => name !== 'unit' && globSync(`test/${name}/**/*.test.ts`, { cwd: REPOSITORY }).length === 0,
    async run(context) {
      const env = await alone(() => bring(needs, context));
      const shards = Array.from({ length: parts }, (_, index) => (parts === 1 ? [] : [`--shard=${index + 1}/${parts}`]));
      const begin = (index: number): Promise<unknown> => (index === PARTS_AND_REST - 1 ? context.others : Promise.resolve());
      const outcomes = await Promise.all(
        shards.map((shard, index) => begin(index).then(() => inLane(() => runVitest(projects, shard, { out: context.out, env })))),
      );
      return outcomes.reduce(addOutcomes);
    },
  };
}

async function runVitest(projects: readonly string[], more: readonly string[], { out, env }: Pick<SuiteContext, 'out' | 'env'>): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-report-'));
  const lines = new WholeLines(out);
  const name = projects.join(', ');
  try {
    const reportFile = join(directory, 'report.json');
    const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
    const chosen = projects.flatMap((project) => ['--project', project]);
    const args = [vitest, 'run', ...chosen, ...more, '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const { status } = await runCommand({ command: process.execPath, args, env, cwd: REPOSITORY, show: lines });
    return judge(name, readOutcome(name, readReport(reportFile)), status);
  } finally {
    lines.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function bring(needs: readonly Need[], { out, env }: SuiteContext): Promise<Environment> {
  const onProgress = (line: string) => out.write(`  ${line}\n`);
  const more: Record<string, string> = {};
  for (const need of needs) {
    if (need === 'prefect') more['LICTOR_PREFECT'] = (await ensurePrefect({ cacheDir: toolCacheDir(env), env, onProgress })).directory;
    else if (need === 'build') more['LICTOR_TEST_PROGRAM'] = env['LICTOR_TEST_PROGRAM'] ?? (await buildOnce());
    else await bringProgram(need, env, onProgress);
  }
  return { ...env, ...more };
}

let built: Promise<string> | undefined;

/** For all suites of a run. */
function buildOnce(): Promise<string> {
  built ??= build(DIST).then(() => join(DIST, 'main.js'));
  return built;
}

/** A run that ended badly without a failed test, or in which nothing ran, is a failure. */
export function judge(name: string, outcome: Outcome, status: number | null): Outcome {
  if (outcome.failed > 0) return outcome;
  if (status !== 0) return addOutcomes(outcome, failed(`${name}: ended with ${status ?? 'a signal'}, though no test failed`));
  return outcome.passed === 0 ? addOutcomes(outcome, failed(`${name}: nothing ran`)) : outcome;
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // No report: vitest broke down before the end; judge() counts that as failed.
    return undefined;
  }
}

/** Of vitest's report; a test file that broke before its tests is one failure, and so is a report that is none. */
export function readOutcome(name: string, report: unknown): Outcome {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) return failed(`${name}: vitest broke down before its report`);
  return parsed.data.testResults.map(outcomeOfFile).reduce(addOutcomes, { passed: 0, failed: 0, skipped: 0, failures: [] });
}

function outcomeOfFile({ status, name, message, assertionResults: tests }: z.output<typeof fileSchema>): Outcome {
  const file = relative(REPOSITORY, name);
  const broken = tests.filter((test) => test.status === 'failed');
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failures = broken.map((test) => `${[file, ...test.ancestorTitles, test.title].join(' > ')}: ${inShort(test.failureMessages?.[0] ?? 'no word why')}`);
  const outcome = { passed, failed: broken.length, skipped: tests.length - passed - broken.length, failures };
  return status === 'failed' && broken.length === 0 ? addOutcomes(outcome, failed(`${file}: ${inShort(message)}`)) : outcome;
}
