// nginx configuration text as a tree, as far as the lint needs it: directives, blocks, includes.
import { LictorError } from '../contract/error.ts';

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Undefined for a simple directive. */
  readonly block: readonly Directive[] | undefined;
}

/** `files` resolves `include NAME;` by name; an include of something else is an error. Throws `edge-invalid`. */
export function parseConf(text: string, files: ReadonlyMap<string, string>): readonly Directive[] {
  const tokens = tokenize(text);
  let at = 0;
  const parseBlock = (nested: boolean): Directive[] => {
    const directives: Directive[] = [];
    let words: string[] = [];
    for (; at < tokens.length; at += 1) {
      const token = tokens[at] ?? '';
      if (token === '}') {
        if (!nested || words.length > 0) throw unreadable('a } too many, or a ; too few');
        return directives;
      }
      if (token === ';') {
        directives.push(...complete(words, undefined, files));
        words = [];
      } else if (token === '{') {
        at += 1;
        directives.push(...complete(words, parseBlock(true), files));
        words = [];
      } else words.push(token);
    }
    if (nested || words.length > 0) throw unreadable('the text ends too early');
    return directives;
  };
  return parseBlock(false);
}

/** Every directive of the tree, with the blocks that it stands in, outermost first. */
export function* walkConf(directives: readonly Directive[], parents: readonly Directive[] = []): Generator<{ directive: Directive; parents: readonly Directive[] }> {
  for (const directive of directives) {
    yield { directive, parents };
    if (directive.block !== undefined) yield* walkConf(directive.block, [...parents, directive]);
  }
}

function complete(words: readonly string[], block: readonly Directive[] | undefined, files: ReadonlyMap<string, string>): readonly Directive[] {
  const [name, ...args] = words.map(unquote);
  if (name === undefined) return [];
  if (name !== 'include') return [{ name, args, block }];
  const text = files.get(args[0] ?? '');
  if (text === undefined) throw unreadable(`include of ${args[0] ?? 'nothing'}, which is not a part of this configuration`);
  return parseConf(text, files);
}

/** Words, quoted words (quotes kept), `{`, `}`, `;`. Comments are dropped. A `{` inside `${name}` belongs to the word. */
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
