// `lictor check`: prints every problem of the configuration and of the files rendered from it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { loadInUse } from '../config/in-use.ts';
import { loadConfig, type Problem } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import { checkRestartKeys } from '../config/restart-keys.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import { renderJsonSchema } from '../config/schema/index.ts';
import { scimWarnings } from '../config/scim-warnings.ts';
import { scopeWarnings } from '../config/scope-warnings.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { assertStateOurs } from '../config/state-owner.ts';
import { systemClock } from '../contract/clock.ts';
import { diskTrouble } from '../contract/disk.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly printSchema?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('check')
    .description('validate the configuration, your policies and the nginx configuration rendered from them; reports every problem with its place and remedy')
    .option('--json', 'one problem a line, as JSON')
    .option('--print-schema', 'print the JSON Schema of lictor.yaml and do nothing else')
    .addHelpText('after', '\nExample:\n  lictor check -c /etc/lictor/lictor.yaml\n')
    .action((options: CheckOptions) => (options.printSchema === true ? void context.out.write(renderJsonSchema()) : check(context, options)));
}

async function check(context: CliContext, options: CheckOptions): Promise<void> {
  assertStateOurs(context.stateDir());
  const file = relative(process.cwd(), context.configFile()) || context.configFile();
  const { problems, warnings, vectors } = await findProblems(context);
  const print = (problem: Problem, isWarning: boolean): void => {
    const reported = isWarning ? { ...problem, message: `warning: ${problem.message}` } : problem;
    context.out.write(options.json === true ? `${JSON.stringify({ ...problem, ...(isWarning && { severity: 'warning' }) })}\n` : renderProblem(file, reported));
  };
  for (const warning of warnings) print(warning, true);
  for (const problem of problems) print(problem, false);
  if (problems.length > 0) throw new CommandFailed(`${file}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}.`);
  if (options.json !== true)
    context.out.write(`${file}: no problem; nginx accepts what is rendered from it${vectors === 0 ? '' : `; ${vectors} decision vectors hold`}.\n`);
}

interface Found {
  readonly problems: readonly Problem[];
  /** Warnings do not reject the configuration. */
  readonly warnings: readonly Problem[];
  /** The number of decision vectors that ran. */
  readonly vectors: number;
}

/** nginx tests only a valid configuration. `isAside`: the state directory is of no gateway. */
async function findProblems(context: Pick<CliContext, 'configFile' | 'stateDir' | 'env'>, isAside = false): Promise<Found> {
  const loaded = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir() });
  if (!loaded.ok) return { problems: loaded.problems, warnings: [], vectors: 0 };
  const { testedPolicies } = await import('./own-policies.ts');
  const { problems, warnings: ofPolicies, vectors } = testedPolicies(loaded.config);
  const warnings = [...scopeWarnings(loaded.config), ...scimWarnings(loaded.config), ...ofPolicies];
  const [{ checkEdge }, { checkMetadataFiles }, { ruleProblems }] = await Promise.all([
    import('../edge/nginx/check.ts'),
    import('../identity/authn/saml/check-files.ts'),
    import('../authorization/approvals/rule-problems.ts'),
  ]);
  const { edge, paths } = await written(context, async () => {
    const prepared = prepareStateDir(context.stateDir());
    return { paths: prepared, edge: await checkEdge(loaded.config, prepared, { ...context.env }) };
  });
  const { storeProblems } = await import('./store-problems.ts');
  const restarts = await needRestart(context, paths, loaded.config);
  const { certificateWarnings } = await import('./certificate-warnings.ts');
  return {
    problems: [
      ...problems,
      ...ruleProblems(loaded.config.approvals),
      ...checkMetadataFiles(loaded.config, systemClock()),
      ...edge,
      ...(await storeProblems(loaded.config, isAside ? undefined : paths)),
    ],
    warnings: [...restarts, ...certificateWarnings(loaded.config), ...warnings],
    vectors,
  };
}

/** With a temporary state directory: no file of the real one changes. */
export async function findProblemsAside({ env }: Pick<CliContext, 'env'>, configFile: string): Promise<Found> {
  const stateDir = mkdtempSync(join(tmpdir(), 'lictor-check-'));
  try {
    return await findProblems({ configFile: () => configFile, stateDir: () => stateDir, env }, true);
  } finally {
    removeRuntimeDir(prepareStateDir(stateDir));
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** The keys whose change a reload rejects. Only while a gateway runs here. */
async function needRestart(context: Pick<CliContext, 'configFile' | 'env'>, paths: StatePaths, next: Config): Promise<readonly Problem[]> {
  const { isRunning } = await import('../operations/doctor/doctor.ts');
  if (!isRunning(paths)) return [];
  const inUse = loadInUse({ file: context.configFile(), env: context.env, paths }, 'skip');
  return inUse?.ok === true ? checkRestartKeys(inUse.config, next) : [];
}

/** nginx tests files below the state directory, so it must be writable. */
async function written<T>(context: Pick<CliContext, 'stateDir'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const trouble = diskTrouble(error);
    if (trouble === undefined) throw error;
    throw new CommandFailed(`The configuration was not tested: the state directory ${context.stateDir()} cannot be written. ${trouble}`, error);
  }
}
