// `lictor completion`: a script that lets the shell complete commands, options and their values.
import { Argument, type Command } from 'commander';
import { readCommandTree } from './command-tree.ts';
import { renderCompletion, SHELLS, type Shell } from './completion-scripts.ts';
import type { CliContext } from './context.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and their values')
    .addArgument(new Argument('<shell>', 'which shell').choices([...SHELLS]))
    .addHelpText(
      'after',
      '\nExample:\n  source <(lictor completion bash)        # in ~/.bashrc\n  source <(lictor completion zsh)         # in ~/.zshrc, after compinit\n  lictor completion fish | source         # in ~/.config/fish/config.fish\n',
    )
    .action(async (shell: Shell) => {
      context.out.write(renderCompletion(shell, readCommandTree(await context.wholeProgram())));
    });
}
