// Places in a text: the gateway counts lines and characters, the editor counts UTF-16 units.

export interface Place {
  readonly line: number | null;
  /** From 1, in characters. */
  readonly column: number | null;
}

/** A problem without a column is about its whole line, one without a line about the start. */
export function rangeOf(text: string, { line, column }: Place): { readonly from: number; readonly to: number } {
  const start = lineStart(text, line ?? 1);
  const end = lineEnd(text, start);
  if (column === null) return { from: start, to: end };
  const before = [...text.slice(start, end)].slice(0, column - 1).join('');
  const from = Math.min(start + before.length, end);
  return { from, to: Math.max(from, wordEnd(text, from, end)) };
}

function lineStart(text: string, line: number): number {
  let start = 0;
  for (let n = 1; n < line; n += 1) {
    const next = text.indexOf('\n', start);
    if (next < 0) return start;
    start = next + 1;
  }
  return start;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

/** One word is marked, or one character where there is none. */
function wordEnd(text: string, from: number, end: number): number {
  const word = /^[\w@:."]+/.exec(text.slice(from, end))?.[0];
  return word === undefined ? Math.min(from + 1, end) : from + word.length;
}
