// Parses the text of an nginx configuration into a tree for the lint: directives, blocks, includes.
import { LictorError } from '../../contract/error.ts';

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined for a simple directive. */
  readonly block: readonly Directive[] | undefined;
}

/** Resolves `include NAME;` from `files`. Throws `edge-invalid`, also for an unknown include. */
export function parseConf(text: string, files: ReadonlyMap<string, string>): readonly Directive[] {
  const reader: Reader = { tokens: tokenize(text), at: 0, files };
  const directives = readBlock(reader);
  if (reader.at < reader.tokens.length) throw unreadable('a } too many');
  return directives;
}

/** Every directive of the tree with its enclosing blocks, outermost first. */
export function* walkConf(
  directives: readonly Directive[],
  parents: readonly Directive[] = [],
): Generator<{ directive: Directive; parents: readonly Directive[] }> {
  for (const directive of directives) {
    yield { directive, parents };
    if (directive.block !== undefined) yield* walkConf(directive.block, [...parents, directive]);
  }
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  readonly files: ReadonlyMap<string, string>;
}

/** Reads to the end of the text, or to the `}` of the block, which the caller consumes. */
function readBlock(reader: Reader): Directive[] {
  const directives: Directive[] = [];
  while (reader.at < reader.tokens.length && reader.tokens[reader.at] !== '}') directives.push(...readDirective(reader));
  return directives;
}

function readDirective(reader: Reader): readonly Directive[] {
  const words: string[] = [];
  for (; reader.at < reader.tokens.length; reader.at += 1) {
    const token = reader.tokens[reader.at] ?? '';
    if (token === ';') {
      reader.at += 1;
      return complete(words, undefined, reader.files);
    }
    if (token === '{') {
      reader.at += 1;
      const block = readBlock(reader);
      if (reader.tokens[reader.at] !== '}') break;
      reader.at += 1;
      return complete(words, block, reader.files);
    }
    if (token === '}') throw unreadable('a ; too few');
    words.push(token);
  }
  throw unreadable('the text ends too early');
}

function complete(words: readonly string[], block: readonly Directive[] | undefined, files: ReadonlyMap<string, string>): readonly Directive[] {
  const [name, ...args] = words.map(unquote);
  if (name === undefined) return [];
  if (name !== 'include') return [{ name, args, block }];
  const text = files.get(args[0] ?? '');
  if (text === undefined) throw unreadable(`include of ${args[0] ?? 'nothing'}, which is not a part of this configuration`);
  return parseConf(text, files);
}

/** Words, quoted words (with their quotes), `{`, `}`, `;`. Skips comments. A `{` inside `${name}` belongs to the word. */
function tokenize(text: string): readonly string[] {
  const pattern = /#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\$\{|\\.|[^\s{};"'#\\])(?:\$\{[^}]*\}|\\.|[^\s{};\\])*|\s+/gy;
  const tokens: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    end = match.index + match[0].length;
    if (!/^(?:\s|#)/.test(match[0])) tokens.push(match[0]);
  }
  if (end !== text.length) throw unreadable(`cannot read at ${JSON.stringify(text.slice(end, end + 40))}`);
  return tokens;
}

function unquote(word: string): string {
  return /^(["']).*\1$/s.test(word) ? word.slice(1, -1) : word;
}

function unreadable(detail: string): LictorError {
  return new LictorError('edge-invalid', `The rendered nginx configuration cannot be read: ${detail}.`);
}
