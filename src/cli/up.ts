// `lictor up`: the gateway in the foreground.
import type { Command } from 'commander';
import type { CliContext } from './context.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('run the gateway in the foreground: SIGHUP reads the configuration again, SIGTERM drains')
    .addHelpText('after', '\nExample:\n  lictor up -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor\n')
    .action(() => up(context));
}

async function up(context: CliContext): Promise<void> {
  await context.loadContext({ secrets: 'read' });
  // runSupervisor lands here.
}
