// The written list of commands: docs/reference/commands.md is made from the help texts themselves.
import type { Command } from 'commander';

const WIDTH = 120;

/** Markdown: every command with its help as it is printed, subcommands behind their parent; what has no subcommand of its own is left out. */
export function renderCommands(program: Command): string {
  const commands = program.commands.filter((command) => command.name() !== 'help');
  return commands.map((command) => renderCommand(program, command, [command.name()])).join('\n');
}

function renderCommand(program: Command, command: Command, words: readonly string[]): string {
  const heading = `${'#'.repeat(words.length + 1)} lictor ${words.join(' ')}`;
  const children = command.commands.filter((child) => child.name() !== 'help').map((child) => renderCommand(program, child, [...words, child.name()]));
  return [heading, '', '```text', helpOf(program, command), '```', '', ...children].join('\n');
}

/** The streams belong to the whole program: every command of it shares them. */
function helpOf(program: Command, command: Command): string {
  let text = '';
  for (const each of [program, command]) {
    each.configureOutput({ writeOut: (words) => (text += words), getOutHelpWidth: () => WIDTH, getOutHasColors: () => false });
  }
  command.outputHelp();
  return text.trimEnd();
}
