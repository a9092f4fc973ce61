// Every code block of the pages runs in a test, is loaded or accepted by Lictor, or says why not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { blockProblems, type ProvenBlock, proveBlocks } from './doc-blocks.ts';
import { commandCheck } from './doc-commands.ts';
import { type ConfigurationCheck, openConfigurationCheck } from './doc-configuration.ts';
import type { Texts } from './prose-links.ts';

let configuration: ConfigurationCheck;
let areCommands: (block: string) => Promise<boolean>;
beforeAll(async () => {
  configuration = openConfigurationCheck();
  areCommands = await commandCheck();
}, 60_000);
afterAll(() => configuration.close());

function texts(wanted: RegExp, ...folders: readonly string[]): Texts {
  const files = folders.flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return new Map(files.filter((file) => wanted.test(file)).map((file) => [file, readFileSync(join(REPOSITORY, file), 'utf8')]));
}

const proven = (pages: Texts, tests: Texts): Promise<readonly ProvenBlock[]> =>
  proveBlocks(pages, { tests, isConfiguration: configuration.accepts, areCommands });

it('holds for every block of every page', async () => {
  const pages = new Map([...texts(/^(?:README|CONTRIBUTING|ARCHITECTURE|SECURITY)\.md$/, '.'), ...texts(/\.md$/, 'docs')]);
  const blocks = await proven(pages, new Map([...texts(/\.ts$/, 'test'), ...texts(/\.test\.ts$/, 'src')]));
  expect(blockProblems(blocks)).toEqual([]);
  expect(blocks.length).toBeGreaterThan(200);
});

describe('a block', () => {
  const TEST = "const PAGE = 'how-to/reload.md';\ndocsBlock(PAGE, 'curl -s');";
  const problems = async (block: string, above = ''): Promise<readonly string[]> =>
    blockProblems(
      await proven(new Map([['docs/how-to/reload.md', `# X\n\n${above}${block.replaceAll(/^/gm, '    ')}\n\nText.\n`]]), new Map([['x.test.ts', TEST]])),
    );

  it.each([
    ['that a test names', 'curl -s https://prefect.example.com'],
    ['of configuration', 'limits: [ { for: "*", rate: 50/s } ]'],
    ['of a provider', '- { id: kc, type: jwt, issuer: https://idp.example.com, audience: etl }'],
    ['of commands', '$ lictor token create x --role worker   # a comment\nsudo -u lictor /opt/lictor/lictor audit --since 1h --json | jq .'],
  ])('%s is proven, and needs no reason', async (_what, block) => {
    expect(await problems(block)).toEqual([]);
    expect(await problems(block, '<!-- not run: because -->\n\n')).toEqual([expect.stringMatching(/^docs\/how-to\/reload\.md:5: .* is proven/)]);
  });

  it.each([
    ['that no test names', 'wget https://prefect.example.com'],
    ['of configuration with an unknown key', 'limits: [ { for: "*", rat: 50/s } ]'],
    ['of an unknown command', 'lictor tokens create x'],
    ['of a command with an unknown option', 'lictor token create x --roel worker'],
    ['of a command with a value that it rejects', 'lictor audit --since yesterday'],
    ['of a command without its argument', 'lictor token create --role worker'],
    ['of commands with something else', 'lictor check\nrm -r /'],
  ])('%s needs a reason', async (_what, block) => {
    expect(await problems(block)).toEqual([expect.stringMatching(/^docs\/how-to\/reload\.md:3: .* is in no test/)]);
    expect(await problems(block, '<!-- not run: because -->\n\n')).toEqual([]);
    expect(await problems(block, '<!-- not run: because -->\n\nOther text.\n\n')).toEqual([expect.stringContaining('is in no test')]);
  });
});
