// What proves each code block of the pages: a test that names it, the configuration that it is, or commands that the command line accepts.
// A block that nothing proves says why in the comment above it: `<!-- not run: REASON -->`.
import { blocksOf, type DocBlock } from '../env/docs.ts';
import type { Texts } from './prose-links.ts';

export type Proof = 'test' | 'configuration' | 'commands' | 'reason';

export interface ProvenBlock extends DocBlock {
  readonly page: string;
  /** The first one that holds, and the reason if the page gives one. */
  readonly proofs: readonly Proof[];
}

export interface BlockChecks {
  /** Every test that may name a block. */
  readonly tests: Texts;
  readonly isConfiguration: (block: string) => boolean;
  readonly areCommands: (block: string) => Promise<boolean>;
}

/** Below it a page is generated, and docs.test.ts compares it with the code. */
const MADE = '<!-- Made from the code';

export async function proveBlocks(pages: Texts, checks: BlockChecks): Promise<readonly ProvenBlock[]> {
  const readers = [...checks.tests.values()].filter((text) => text.includes('docsBlock')).map((text) => ({ text, beginnings: beginningsIn(text) }));
  const proven: ProvenBlock[] = [];
  for (const [page, text] of pages) {
    const name = page.replace(/^docs\//, '');
    const beginnings = readers.filter((reader) => reader.text.includes(name)).flatMap((reader) => reader.beginnings);
    for (const block of blocksOf(text.split(MADE, 1)[0] ?? '')) {
      const proof = await proofOf(block.text, { ...checks, beginnings });
      const reason = block.notRun === undefined ? [] : ['reason' as const];
      proven.push({ ...block, page, proofs: [...(proof === undefined ? [] : [proof]), ...reason] });
    }
  }
  return proven;
}

type Checks = Pick<BlockChecks, 'isConfiguration' | 'areCommands'> & { readonly beginnings: readonly string[] };

async function proofOf(text: string, { beginnings, isConfiguration, areCommands }: Checks): Promise<Proof | undefined> {
  const block = withoutIndentation(text);
  if (beginnings.some((beginning) => text.startsWith(beginning) || block.startsWith(beginning))) return 'test';
  if (await areCommands(block)) return 'commands';
  return isConfiguration(block) ? 'configuration' : undefined;
}

/** A block of a list item has the indentation of the item. */
function withoutIndentation(text: string): string {
  const least = Math.min(...(text.match(/^ *(?=\S)/gm) ?? ['']).map(({ length }) => length));
  return text.replaceAll(new RegExp(`^ {${least}}`, 'gm'), '');
}

/** A line for each block without a proof, and for each reason that is no longer true of any block. */
export function blockProblems(blocks: readonly ProvenBlock[]): readonly string[] {
  const isProven = ({ proofs }: ProvenBlock): boolean => proofs.some((proof) => proof !== 'reason');
  return blocks.flatMap((block) => {
    const place = `${block.page}:${block.line}: "${block.text.split('\n', 1)[0]}"`;
    if (block.proofs.length === 0) return [`${place} is in no test. Name it in one (docsBlock), or write <!-- not run: REASON --> above it.`];
    const withReason = blocks.filter(({ page, notRun }) => notRun !== undefined && page === block.page && notRun === block.notRun);
    return withReason.length > 0 && withReason.every(isProven)
      ? [`${place} is proven (${block.proofs[0]}): remove the comment that says why it is not run.`]
      : [];
  });
}

/** A literal may stand in a template, so the two are searched apart. */
const LITERALS = [/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/g, /`((?:[^`\\\n]|\\.)*)`/g] as const;
/** What stands before the second argument of docsBlock and of functions like it: `(PAGE, `. */
const AFTER_PAGE = /[([](?:[A-Z]+|page|'[\w./-]+\.md'), $/;
/** Any other literal may be a beginning too, if it is longer than a name or a word. */
const LONG = 10;

/** The literals of a test that can name a block, each up to the first inserted value. */
function beginningsIn(text: string): readonly string[] {
  const found = LITERALS.flatMap((literal) => [...text.matchAll(literal)].map(({ index, 1: one = '', 2: two = '' }) => ({ index, literal: one || two })));
  return found
    .filter(({ index, literal }) => literal.length >= LONG || AFTER_PAGE.test(text.slice(Math.max(0, index - 80), index)))
    .map(({ literal }) => (literal.split('${')[0] ?? '').replaceAll('\\n', '\n').replaceAll(/\\(['"`\\])/g, '$1'))
    .filter((literal) => literal.trim() !== '');
}
