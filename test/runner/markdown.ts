// What the prose check reads of a Markdown page: its sentences, its links and its anchors. Code is none of it.

export interface Place {
  readonly line: number;
  readonly text: string;
}

const FENCE = /^ *(```|~~~)/;
const ITEM = /^(\s*)(?:[-*+]|\d+\.)\s+/;

/** The lines of a page; those of code blocks, comments and what is generated below `mark` are empty. */
export function proseLines(page: string, mark?: string): readonly string[] {
  const written = mark === undefined ? page : (page.split(mark, 1)[0] ?? '');
  const lines = written.replaceAll(/<!--[\s\S]*?-->/g, (comment) => comment.replaceAll(/[^\n]/g, '')).split('\n');
  let fenced = false;
  let inItem = false;
  return lines.map((line, index) => {
    const isFence = FENCE.test(line);
    if (isFence) fenced = !fenced;
    if (isFence || fenced) return '';
    const isIndented = /^ {4}/.test(line) && !ITEM.test(line) && (!inItem || /^ {6}/.test(line));
    if (/^\S/.test(line)) inItem = ITEM.test(line);
    return isIndented && !isContinued(lines, index) ? '' : line;
  });
}

/** An indented line directly below text belongs to that text. */
function isContinued(lines: readonly string[], index: number): boolean {
  const before = lines[index - 1] ?? '';
  return before.trim() !== '' && (ITEM.test(before) || /^ {0,3}\S/.test(before));
}

/** Sentences of paragraphs and list items, each with its line. Tables and headings are none. */
export function sentences(lines: readonly string[]): readonly Place[] {
  return blocks(lines).flatMap(({ line, text }) =>
    plain(text)
      .split(/(?<=[.!?:][)"*]*)\s+(?=\S)/)
      .map((sentence) => ({ line, text: sentence })),
  );
}

function blocks(lines: readonly string[]): readonly Place[] {
  const found: { line: number; text: string }[] = [];
  let open = false;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || /^\s*(?:\||#)/.test(line)) open = false;
    else if (open && !ITEM.test(line)) found[found.length - 1] = joined(found.at(-1), line);
    else {
      found.push({ line: index + 1, text: line.replace(ITEM, '') });
      open = true;
    }
  }
  return found;
}

const joined = (block: Place | undefined, line: string): Place => ({ line: block?.line ?? 0, text: `${block?.text ?? ''} ${line.trim()}` });

/** Inline code is one word, a link is its label. */
export function plain(text: string): string {
  return text
    .replaceAll(/`[^`]*`/g, 'code')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\*\*|__/g, '');
}

export const wordsOf = (sentence: string): number => sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;

/** Targets of links, also of those that stand below the text; none to other hosts. */
export function links(lines: readonly string[]): readonly Place[] {
  return lines.flatMap((line, index) => targetsOf(line.replaceAll(/`[^`]*`/g, '')).map((text) => ({ line: index + 1, text })));
}

function targetsOf(line: string): readonly string[] {
  const found = [...line.matchAll(/\]\(([^)\s]+)\)/g), ...line.matchAll(/^\[[^\]]+\]: (\S+)/g)].map(([, target = '']) => target);
  return found.filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(lines: readonly string[]): ReadonlySet<string> {
  const headings = lines.flatMap((line) => (/^#{1,6} /.test(line) ? [line.replace(/^#+ /, '')] : []));
  return new Set(headings.map(anchorOf));
}

const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');
