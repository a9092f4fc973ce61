import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import type { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands.ts';
import { MARK, renderDocs } from './docs.ts';
import { documentedProgram } from './main.ts';

describe('the generated pages of docs/reference', () => {
  it('are as the code has them (npm run docs)', async () => {
    for (const { file, text } of await renderDocs()) expect(readFileSync(file, 'utf8'), file.pathname).toBe(text);
  });

  it('have every command, with its help whole, and a part that is written by hand', async () => {
    const [commands] = await renderDocs();
    for (const { name } of COMMANDS) expect(commands?.text).toContain(`\n## lictor ${name}\n`);
    expect(commands?.text).toContain('\n### lictor token rotate\n');
    expect(commands?.text.match(/^Examples?:$/gm)?.length).toBeGreaterThanOrEqual(COMMANDS.length);
    for (const { text } of await renderDocs()) expect((text.split(MARK)[0] ?? '').length).toBeGreaterThan(200);
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
