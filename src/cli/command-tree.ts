// The command line as data for shell completion: every command, its options, and their possible values.
import type { Command, Option } from 'commander';
import { BUILT_IN_ROLES } from '../contract/roles.ts';

export interface CommandNode {
  /** Words after `lictor`; empty for the program itself. */
  readonly words: readonly string[];
  readonly summary: string;
  readonly subcommands: readonly CommandNode[];
  /** The possible arguments, if they are a fixed list. */
  readonly choices: readonly string[];
  /** The options of the command and the global ones. */
  readonly options: readonly OptionNode[];
}

export interface OptionNode {
  /** `-c`, `--config`. */
  readonly flags: readonly string[];
  readonly summary: string;
  readonly value: 'none' | 'file' | 'directory' | 'any' | readonly string[];
}

/** Omits hidden commands and options. */
export function readCommandTree(program: Command): CommandNode {
  return readNode(program, [], program.options.filter(isShown).map(readOption));
}

/** The node and everything below it, parents first. */
export function everyNode(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.subcommands.flatMap(everyNode)];
}

const HELP: OptionNode = { flags: ['-h', '--help'], summary: 'display help for command', value: 'none' };

function readNode(command: Command, words: readonly string[], global: readonly OptionNode[]): CommandNode {
  const own = words.length === 0 ? [] : command.options.filter(isShown).map(readOption);
  const options = [...own, ...global, HELP];
  const subcommands = command.commands.filter((child) => !isHidden(child)).map((child) => readNode(child, [...words, child.name()], global));
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return { words, summary: command.summary() || command.description(), subcommands, choices, options };
}

function readOption(option: Option): OptionNode {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  return { flags, summary: option.description, value: readValue(option) };
}

function readValue({ required, optional, argChoices, flags, long }: Option): OptionNode['value'] {
  if (!required && !optional) return 'none';
  if (argChoices !== undefined) return argChoices;
  if (long === '--role') return BUILT_IN_ROLES;
  if (/[<[](file|path)/.test(flags)) return 'file';
  return /[<[](dir|directory)/.test(flags) ? 'directory' : 'any';
}

function isShown(option: Option): boolean {
  return !option.hidden;
}

/** commander has no public flag for this: a hidden command is not in the help. */
function isHidden(command: Command): boolean {
  return '_hidden' in command && command._hidden === true;
}
