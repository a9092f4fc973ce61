// Completion scripts for bash, zsh and fish, from the command tree: a function finds the command, and tables have its completions.
import { type CommandNode, everyNode, type OptionNode } from './command-tree.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export function renderCompletion(shell: Shell, tree: CommandNode): string {
  const scripts: Readonly<Record<Shell, (tree: CommandNode) => string>> = { bash: renderBash, zsh: renderZsh, fish: renderFish };
  return scripts[shell](tree);
}

function renderBash(tree: CommandNode): string {
  const words = cases(tree, (node) => `words=${quote(candidates(node).join(' '))}`);
  const values = valueCases(tree, {
    file: 'COMPREPLY=($(compgen -f -- "$cur"))',
    directory: 'COMPREPLY=($(compgen -d -- "$cur"))',
    any: ':',
    list: (choices) => `COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$cur"))`,
  });
  return `# bash completion for lictor. Load it with: source <(lictor completion bash)
_lictor() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${takingValue(tree).join(' | ')}) ((i++)) ;;
      -*) ;;
      *) case "$path \${COMP_WORDS[i]}" in ${pathPattern(tree)}) path="$path \${COMP_WORDS[i]}" ;; esac ;;
    esac
  done
  case "$path $prev" in
${values}
  esac
  case "$path" in
${words}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _lictor lictor
`;
}

function renderZsh(tree: CommandNode): string {
  const list = (node: CommandNode): string =>
    described(node)
      .map(([word, summary]) => quote(`${word.replaceAll(':', '\\:')}:${summary}`))
      .join(' ');
  const words = cases(tree, (node) => `found=(${list(node)})`);
  const values = valueCases(tree, {
    file: '_files',
    directory: '_files -/',
    any: "_message 'value'",
    list: (choices) => `compadd -- ${choices.map(quote).join(' ')}`,
  });
  return `#compdef lictor
# zsh completion for lictor. Load it with: source <(lictor completion zsh), after compinit.
_lictor() {
  local at= i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "\${words[i]}" in
      ${takingValue(tree).join(' | ')}) ((i++)) ;;
      -*) ;;
      *) case "$at \${words[i]}" in ${pathPattern(tree)}) at="$at \${words[i]}" ;; esac ;;
    esac
  done
  case "$at \${words[CURRENT - 1]}" in
${values}
  esac
  case "$at" in
${words}
  esac
  _describe 'lictor' found
}
compdef _lictor lictor
`;
}

function renderFish(tree: CommandNode): string {
  const lines = everyNode(tree).flatMap((node) => {
    // The underscore makes a word of the empty path.
    const here = `-n ${quote(`test (__lictor_at)_ = "${pathOf(node)}_"`)}`;
    const commands = node.subcommands.map((child) => `complete -c lictor ${here} -a ${quote(lastWord(child))} -d ${quote(child.summary)}`);
    const choices = node.choices.map((choice) => `complete -c lictor ${here} -a ${quote(choice)}`);
    return [...commands, ...choices, ...node.options.map((option) => `complete -c lictor ${here} ${fishOption(option)}`)];
  });
  return `# fish completion for lictor. Load it with: lictor completion fish | source
function __lictor_at
    set -l at ''
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case ${takingValue(tree).join(' ')}
                set skip yes
            case '-*'
            case '*'
                switch "$at $word"
                    case ${paths(tree).map(quote).join(' ')}
                        set at "$at $word"
                end
        end
    end
    echo $at
end
complete -c lictor -f
${lines.join('\n')}
`;
}

function fishOption({ flags, summary, value }: OptionNode): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  const takes: Readonly<Record<string, string>> = { none: '', file: '-r -F', directory: "-x -a '(__fish_complete_directories)'", any: '-x' };
  const how = typeof value === 'string' ? takes[value] : `-x -a ${quote(value.join(' '))}`;
  return `${names} ${how} -d ${quote(summary)}`.replaceAll(/ {2,}-d/g, ' -d');
}

interface ValueWays {
  readonly file: string;
  readonly directory: string;
  readonly any: string;
  readonly list: (choices: readonly string[]) => string;
}

/** `PATH --option` -> the completion of its value. */
function valueCases(tree: CommandNode, ways: ValueWays): string {
  return everyNode(tree)
    .flatMap((node) =>
      node.options.flatMap(({ flags, value }) => {
        if (value === 'none') return [];
        const way = typeof value === 'string' ? ways[value] : ways.list(value);
        return [`    ${flags.map((flag) => quote(`${pathOf(node)} ${flag}`)).join(' | ')}) ${way}; return ;;`];
      }),
    )
    .join('\n');
}

function cases(tree: CommandNode, body: (node: CommandNode) => string): string {
  return everyNode(tree)
    .map((node) => `    ${quote(pathOf(node))}) ${body(node)} ;;`)
    .join('\n');
}

function candidates(node: CommandNode): readonly string[] {
  return described(node).map(([word]) => word);
}

function described({ subcommands, choices, options }: CommandNode): readonly (readonly [string, string])[] {
  return [
    ...subcommands.map((child) => [lastWord(child), child.summary] as const),
    ...choices.map((choice) => [choice, choice] as const),
    ...options.flatMap(({ flags, summary }) => flags.filter((flag) => flag.startsWith('--')).map((flag) => [flag, summary] as const)),
  ];
}

/** Options whose next word is their value and not a command, in any position. */
function takingValue(tree: CommandNode): readonly string[] {
  const taking = everyNode(tree).flatMap(({ options }) => options.filter(({ value }) => value !== 'none').flatMap(({ flags }) => flags));
  return [...new Set(taking)];
}

function paths(tree: CommandNode): readonly string[] {
  return everyNode(tree)
    .map(pathOf)
    .filter((path) => path !== '');
}

function pathPattern(tree: CommandNode): string {
  return paths(tree).map(quote).join(' | ');
}

/** ` token create`: each word after a space, as in the scripts. */
function pathOf({ words }: CommandNode): string {
  return words.map((word) => ` ${word}`).join('');
}

function lastWord({ words }: CommandNode): string {
  return words.at(-1) ?? '';
}

/** The quoting function for all three shells: single quotes differ only in the escape of a quote. */
function quote(text: string): string {
  return `'${text.replaceAll(/[\n\\]/g, ' ').replaceAll("'", '’')}'`;
}
