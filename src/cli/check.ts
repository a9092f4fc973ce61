// `lictor check`: every problem of the configuration and of what is rendered from it.
import { relative } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type Problem } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import { prepareStateDir } from '../config/runtime-dir.ts';
import { renderJsonSchema } from '../config/schema/index.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

interface CheckOptions {
  readonly json?: boolean;
  readonly printSchema?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('check')
    .description('validate the configuration and the nginx configuration rendered from it: every problem with its place and remedy')
    .option('--json', 'one problem a line, as JSON')
    .option('--print-schema', 'print the JSON Schema of lictor.yaml and do nothing else')
    .addHelpText('after', '\nExample:\n  lictor check -c /etc/lictor/lictor.yaml\n')
    .action((options: CheckOptions) => (options.printSchema === true ? void context.out.write(renderJsonSchema()) : check(context, options)));
}

async function check(context: CliContext, options: CheckOptions): Promise<void> {
  const file = relative(process.cwd(), context.configFile()) || context.configFile();
  const problems = await findProblems(context);
  for (const problem of problems) context.out.write(options.json === true ? `${JSON.stringify(problem)}\n` : renderProblem(file, problem));
  if (problems.length > 0) throw new CommandFailed(`${file}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}.`);
  if (options.json !== true) context.out.write(`${file}: no problem; nginx accepts what is rendered from it.\n`);
}

/** nginx is asked only about a sound configuration. */
async function findProblems(context: CliContext): Promise<readonly Problem[]> {
  const loaded = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir() });
  if (!loaded.ok) return loaded.problems;
  const { checkEdge } = await import('../edge/check.ts');
  return checkEdge(loaded.config, prepareStateDir(context.stateDir()), { ...context.env });
}
