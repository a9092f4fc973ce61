// Questions for a person: with menus on a terminal, as plain lines elsewhere.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { CliContext } from './context.ts';
import { CommandFailed, ProgramEnded } from './errors.ts';

export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** Each question throws ProgramEnded at Ctrl-C, and CommandFailed at the end of the input. */
export interface Prompter {
  /** An empty answer is `initial`. */
  text(question: string, initial: string): Promise<string>;
  /** Not shown while it is typed. */
  secret(question: string): Promise<string>;
  choose<T extends string>(question: string, choices: readonly [Choice<T>, ...Choice<T>[]]): Promise<T>;
  confirm(question: string, initial: 'yes' | 'no'): Promise<boolean>;
  close(): void;
}

const INTERRUPTED = 130;

export async function openPrompter({ out }: Pick<CliContext, 'out'>, stdin: Readable): Promise<Prompter> {
  if (!('isTTY' in stdin) || stdin.isTTY !== true) return linePrompter(out, stdin);
  // Plain lines would show a secret while it is typed. Some containers report a width of 0.
  const hasMenus = 'isTTY' in out && out.isTTY === true && 'columns' in out && Number(out.columns) > 0;
  if (!hasMenus) throw new CommandFailed('The output is no terminal with a width. Run: stty cols 80, or use lictor init --answers FILE.');
  return await clackPrompter();
}

async function clackPrompter(): Promise<Prompter> {
  const clack = await import('@clack/prompts');
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (isAnswer(answer)) return answer;
    clack.cancel('Nothing was written.');
    throw new ProgramEnded(INTERRUPTED);
  };
  return {
    text: async (message, initial) =>
      answered(
        await clack.text({
          message,
          ...(initial !== '' && { initialValue: initial }),
          validate: (value) => ((value ?? '') === '' ? 'An answer is needed.' : undefined),
        }),
      ),
    secret: async (message) => answered(await clack.password({ message })),
    choose: async (message, choices) => {
      const index = answered(await clack.select({ message, options: choices.map(({ label }, value) => ({ value, label })) }));
      return (choices[index] ?? choices[0]).value;
    },
    confirm: async (message, initial) => answered(await clack.confirm({ message, initialValue: initial === 'yes' })),
    close: () => undefined,
  };
}

/** clack answers a symbol at Ctrl-C. */
function isAnswer<T>(answer: T): answer is Exclude<T, symbol> {
  return typeof answer !== 'symbol';
}

function linePrompter(out: CliContext['out'], stdin: Readable): Prompter {
  const reader = createInterface({ input: stdin, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    out.write(`${question}: `);
    const { done, value } = await lines.next();
    out.write('\n');
    if (done === true) throw new CommandFailed('The input ended before the last answer. Nothing was written. lictor init --answers FILE asks no questions.');
    return String(value).trim();
  };
  const text = async (question: string, initial: string): Promise<string> => {
    const answer = await ask(initial === '' ? question : `${question} [${initial}]`);
    return answer === '' ? (initial === '' ? await text(question, initial) : initial) : answer;
  };
  return {
    text,
    secret: ask,
    async choose(question, choices) {
      for (const [index, { label }] of choices.entries()) out.write(`  ${index + 1}  ${label}\n`);
      const choice = choices[Number(await text(question, '1')) - 1];
      if (choice === undefined) throw misplaced(question, `a number from 1 to ${choices.length}`);
      return choice.value;
    },
    async confirm(question, initial) {
      const answer = await text(`${question} (yes or no)`, initial);
      if (!/^(?:y|yes|n|no)$/i.test(answer)) throw misplaced(question, 'yes or no');
      return /^y/i.test(answer);
    },
    close: () => reader.close(),
  };
}

/** Lines that are answers to other questions must not become choices. The answer may be a secret, so the error does not show it. */
function misplaced(question: string, wanted: string): CommandFailed {
  return new CommandFailed(`"${question}" needs ${wanted}. Nothing was written. docs/how-to/init.md has the order of the answers.`);
}
