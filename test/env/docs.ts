// The commands in a page of docs/: the tests run exactly these, so that the page stays true.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';

/** The indented block of a page that begins with these words, without its indentation. Throws when there is none, or more than one. */
export function docsBlock(page: string, beginning: string): string {
  const blocks = docsBlocks(page).filter((block) => block.startsWith(beginning));
  const [block, ...more] = blocks;
  if (block === undefined || more.length > 0) throw new Error(`docs/${page} has ${blocks.length} blocks that begin with "${beginning}"`);
  return block;
}

/** Every indented block of a page. */
export function docsBlocks(page: string): readonly string[] {
  return blocksOf(readFileSync(join(REPOSITORY, 'docs', page), 'utf8'));
}

function blocksOf(page: string): readonly string[] {
  const parts = page.split(/\n(?:\n|(?=\S))/);
  return parts.filter((part) => part.startsWith('    ')).map((part) => `${part.replaceAll(/^ {4}/gm, '').trimEnd()}\n`);
}

/** `NAME=value` lines, as in an EnvironmentFile. */
export function environmentOf(block: string): Record<string, string> {
  return Object.fromEntries(
    block
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
