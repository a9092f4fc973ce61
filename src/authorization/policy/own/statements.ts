// Cuts a Cedar text into its policies without parsing them: one that is broken does not hide what is wrong with the next.

/** One policy with its annotations, up to and including its semicolon. */
export interface Statement {
  readonly text: string;
  /** Where it begins in the whole text, in UTF-16 units. */
  readonly start: number;
}

/** What stands behind the last semicolon is a statement too, unless it is only blanks and comments: the parser then says what is missing. */
export function splitStatements(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let start: number | undefined;
  let at = 0;
  while (at < text.length) {
    const next = tokenEnd(text, at);
    const isSkipped = text.startsWith('//', at) || /\s/u.test(text[at] ?? '');
    if (!isSkipped) start ??= at;
    if (text[at] === ';' && start !== undefined) {
      statements.push({ text: text.slice(start, next), start });
      start = undefined;
    }
    at = next;
  }
  if (start !== undefined) statements.push({ text: text.slice(start).trimEnd(), start });
  return statements;
}

/** The end of the comment, string or single character that begins at the place: a semicolon inside of one ends nothing. */
function tokenEnd(text: string, at: number): number {
  if (text.startsWith('//', at)) return orEnd(text, text.indexOf('\n', at));
  if (text[at] !== '"') return at + 1;
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return Math.min(end + 1, text.length);
}

function orEnd(text: string, index: number): number {
  return index < 0 ? text.length : index;
}

export interface Place {
  readonly line: number;
  /** In characters, as editors count. */
  readonly column: number;
}

/** Where a statement's byte is in the whole text: Cedar counts bytes of what it was given. */
export function placeOf(whole: string, statement: Statement, byte: number): Place {
  const within = Buffer.from(statement.text, 'utf8').subarray(0, byte).toString('utf8');
  const before = whole.slice(0, statement.start) + within;
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}
