// Splits a Cedar text into its policies without parsing them, so that a broken policy does not hide the problems of the next one.

/** One policy with its annotations, up to and including its semicolon. */
export interface Statement {
  readonly text: string;
  /** Where it begins in the whole text, in UTF-16 units. */
  readonly start: number;
}

/** Text after the last semicolon is a statement too, unless it is only blanks and comments. The parser then reports what is missing. */
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

/** The end of the comment, string or character at `at`: a semicolon inside a comment or string does not end a policy. */
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

/** The place of a statement's byte in the whole text: Cedar counts bytes of the statement. */
export function placeOf(whole: string, statement: Statement, byte: number): Place {
  const within = Buffer.from(statement.text, 'utf8').subarray(0, byte).toString('utf8');
  const before = whole.slice(0, statement.start) + within;
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}
