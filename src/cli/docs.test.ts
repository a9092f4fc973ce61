import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import type { Command, Option } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';
import { type Doc, MARK, renderDocs } from './docs.ts';
import { documentedProgram } from './main.ts';

describe('the generated pages of docs/reference', () => {
  let docs: readonly Doc[];
  // Every right of every role is evaluated: seconds on a busy machine.
  beforeAll(async () => {
    docs = await renderDocs();
  }, 120_000);

  it('are as the code has them (npm run docs)', () => {
    for (const { file, text } of docs) expect(readFileSync(file, 'utf8'), file.pathname).toBe(text);
  });

  it('have every command, with its help whole, and a part that is written by hand', () => {
    const [commands] = docs;
    for (const { name } of COMMANDS) expect(commands?.text).toContain(`\n## lictor ${name}\n`);
    expect(commands?.text).toContain('\n### lictor token rotate\n');
    expect(commands?.text.match(/^Examples?:$/gm)?.length).toBeGreaterThanOrEqual(COMMANDS.length);
    for (const { text } of docs) expect((text.split(MARK)[0] ?? '').length).toBeGreaterThan(200);
  });
});

describe('what a help says that an option is without a value', () => {
  const optionsOf = (command: Command): readonly Option[] => [...command.options, ...command.commands.flatMap(optionsOf)];
  const shown = ({ defaultValue, defaultValueDescription }: Option) => defaultValueDescription ?? String(defaultValue);

  it('means the same when it is written', async () => {
    const options = optionsOf(await documentedProgram({ out: new PassThrough(), err: new PassThrough() }));
    const parsed = options.filter(({ defaultValue, parseArg }) => defaultValue !== undefined && parseArg !== undefined);
    expect(parsed.map(({ long }) => long)).toContain('--wait');
    for (const option of parsed) expect(option.parseArg?.(shown(option), undefined), option.flags).toBe(option.defaultValue);
  });
});
