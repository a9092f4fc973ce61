// The colours of Cedar and of decision vectors: tokens only, the gateway parses the text.
import { StreamLanguage, type StringStream } from '@codemirror/language';

const WORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['permit', 'forbid'].map((word) => [word, 'keyword'])),
  ...Object.fromEntries(['when', 'unless', 'if', 'then', 'else', 'in', 'is', 'has', 'like'].map((word) => [word, 'controlKeyword'])),
  ...Object.fromEntries(['principal', 'action', 'resource', 'context'].map((word) => [word, 'variableName.special'])),
  ...Object.fromEntries(['true', 'false'].map((word) => [word, 'bool'])),
};

/** One token of Cedar; null: no colour. */
export function cedarToken(stream: StringStream): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match('//')) {
    stream.skipToEnd();
    return 'lineComment';
  }
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
  if (stream.match(/^@\w+/)) return 'annotation';
  if (stream.match(/^\d+/)) return 'number';
  if (stream.match(/^[A-Za-z_]\w*(?=::)/)) return 'typeName';
  if (stream.match(/^[A-Za-z_]\w*/)) return WORDS[stream.current()] ?? 'propertyName';
  stream.next();
  return null;
}

/** One token of the YAML that vectors are written in. */
export function vectorToken(stream: StringStream): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return 'lineComment';
  if (stream.match(/^[A-Za-z_][\w.]*(?=:(?:\s|$))/)) return 'propertyName';
  if (stream.match(/^(?:"(?:[^"\\]|\\.)*"?|'[^']*'?)/)) return 'string';
  if (stream.match(/^(?:allow|deny|true|false)\b/)) return 'bool';
  if (stream.match(/^[^\s,#[\]{}:"']+/)) return null;
  stream.next();
  return null;
}

export const CEDAR = StreamLanguage.define({ name: 'cedar', token: cedarToken, languageData: { commentTokens: { line: '//' } } });
export const VECTORS = StreamLanguage.define({ name: 'vectors', token: vectorToken, languageData: { commentTokens: { line: '#' } } });
