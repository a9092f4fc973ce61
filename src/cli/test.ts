// `lictor test`: runs every suite. The last line has the counts.
import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('test')
    .description('run the tests: all suites, or the named ones; the last line says N passed, N failed')
    .argument('[suite...]', 'lint, types, unused, edge, unit, python, integration, e2e, endurance')
    .addHelpText(
      'after',
      '\nExample:\n  lictor test              everything but endurance\n  lictor test lint unit    two suites\n  lictor test endurance    the long and large forms\n',
    )
    .action((names: string[]) => test(context, names));
}

async function test(context: CliContext, names: readonly string[]): Promise<void> {
  const { runSuites } = await import('../../test/runner/run.ts');
  const passed = await runSuites({ names, out: context.out, env: context.env });
  if (!passed) throw new CommandFailed('');
}
