// Whether every line of a code block is a lictor command that the command line accepts: command, options, values and the number of arguments.
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { documentedProgram } from '../../src/cli/main.ts';

const PROGRAM = /^(?:\$ )?(?:sudo -u lictor )?(?:uvx |\.\/|\/opt\/lictor\/)?lictor /;

/** No command runs: its action does nothing. */
export async function commandCheck(): Promise<(block: string) => Promise<boolean>> {
  const program = await documentedProgram({ out: new PassThrough().resume(), err: new PassThrough().resume() });
  for (const command of everyCommand(program)) command.exitOverride().action(() => undefined);
  return async (block) => {
    const lines = block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'));
    for (const line of lines) if (!PROGRAM.test(line) || !(await accepts(program, wordsOf(line.replace(PROGRAM, ''))))) return false;
    return lines.length > 0;
  };
}

const everyCommand = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(everyCommand)];

async function accepts(program: Command, words: readonly string[]): Promise<boolean> {
  try {
    await program.parseAsync([...words], { from: 'user' });
    return true;
  } catch {
    return false;
  }
}

/** As a shell splits them, without a comment, a redirection, and what a pipe leads to. */
function wordsOf(line: string): readonly string[] {
  const command = line
    .replaceAll(/\$\([^)]*\)/g, 'value')
    .replace(/\s#.*$/, '')
    .replace(/ \| .*/, '')
    .replace(/ > \S+/, '');
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? '');
}
