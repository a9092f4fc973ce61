// The commands in a page of docs/: the tests run exactly these, so that the page stays true.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';

export interface DocBlock {
  /** Of its first line in the page. */
  readonly line: number;
  /** Without its indentation or fence. */
  readonly text: string;
  /** Of the comment `<!-- not run: REASON -->` above it. */
  readonly notRun: string | undefined;
}

/** The indented block of a page that begins with these words, without its indentation. Throws when there is none, or more than one. */
export function docsBlock(page: string, beginning: string): string {
  const blocks = docsBlocks(page).filter((block) => block.startsWith(beginning));
  const [block, ...more] = blocks;
  if (block === undefined || more.length > 0) throw new Error(`docs/${page} has ${blocks.length} blocks that begin with "${beginning}"`);
  return block;
}

/** Every block of a page. */
export function docsBlocks(page: string): readonly string[] {
  return blocksOf(readFileSync(join(REPOSITORY, 'docs', page), 'utf8')).map(({ text }) => text);
}

const INDENT = /^ {4}/;
/** In a list item, less is a paragraph or another item. */
const INDENT_IN_ITEM = /^ {6}/;
const ITEM = /^ {0,3}(?:[-*+]|\d+\.) /;
const FENCE = /^```/;
const NOT_RUN = /^ *<!-- not run: (.+) -->$/;

/** A blank line ends an indented block, and not a fenced one. A comment holds for the blocks up to the next text. */
export function blocksOf(page: string): readonly DocBlock[] {
  const lines = page.split('\n');
  const blocks: DocBlock[] = [];
  let notRun: string | undefined;
  let indent = INDENT;
  for (let at = 0; at < lines.length; at += 1) {
    const first = lines[at] ?? '';
    const end = blockEnd(lines, at, indent);
    if (end > at) {
      const inner = FENCE.test(first) ? lines.slice(at + 1, end - 1) : lines.slice(at, end).map((line) => line.replace(INDENT, ''));
      blocks.push({ line: at + 1, text: `${inner.join('\n').trimEnd()}\n`, notRun });
      at = end - 1;
    } else if (first.trim() !== '') notRun = NOT_RUN.exec(first)?.[1];
    if (/^ {0,3}\S/.test(first)) indent = ITEM.test(first) ? INDENT_IN_ITEM : INDENT;
  }
  return blocks;
}

/** The line behind the block that begins here; the same line if none does. */
function blockEnd(lines: readonly string[], at: number, indent: RegExp): number {
  if (FENCE.test(lines[at] ?? '')) return lines.findIndex((line, index) => index > at && FENCE.test(line)) + 1;
  const before = (lines[at - 1] ?? '').trim();
  if (!indent.test(lines[at] ?? '') || (before !== '' && !FENCE.test(before))) return at;
  const found = lines.findIndex((line, index) => index > at && !indent.test(line));
  return found === -1 ? lines.length : found;
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
