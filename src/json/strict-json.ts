// One strict reading of a JSON body: what Prefect's lenient parsers would read differently is refused, and numbers keep their very text.
//
// RFC 8259 with these limits: UTF-8 without BOM, no duplicate keys at any depth (compared after unescaping), at most 64
// levels, finite numbers, no lone surrogates in \u escapes: UTF-8 has none, so each writer makes something else of them.
import { type JsonValue, rawNumber } from './tree.ts';

export type StrictResult = { readonly ok: true; readonly tree: JsonValue } | { readonly ok: false; readonly detail: string };

export const MAX_DEPTH = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Never throws; `detail` is a sentence for the client and quotes nothing of the body. */
export function parseStrict(bytes: Buffer, deepest = MAX_DEPTH): StrictResult {
  const text = decode(bytes);
  if (text === null) return refused('The body is not UTF-8 without a byte order mark.');
  const scan = scanStructure(text, deepest);
  if (scan.problem !== null) return refused(scan.problem);
  try {
    const value: unknown = scan.plainNumbers ? JSON.parse(text) : JSON.parse(text, keepNumberText);
    return { ok: true, tree: value as JsonValue };
  } catch (error) {
    if (error instanceof NumberRange) return refused('A number is out of range.');
    return refused('The body is not JSON.');
  }
}

/** The bytes that are forwarded: the tree that was decided on, never the client's own bytes. */
export function renderStrict(tree: JsonValue): Buffer {
  return Buffer.from(JSON.stringify(tree), 'utf8');
}

function refused(detail: string): StrictResult {
  return { ok: false, detail };
}

function decode(bytes: Buffer): string | null {
  try {
    const text = utf8.decode(bytes);
    return text.charCodeAt(0) === 0xfeff ? null : text;
  } catch {
    return null;
  }
}

class NumberRange extends Error {}

/** `JSON.rawJSON` keeps 12345678901234567890, 1.0, 1e2 and -0 as they were written. */
function keepNumberText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value) || context?.source === undefined) throw new NumberRange();
  return rawNumber(context.source);
}

interface Scan {
  readonly problem: string | null;
  /** True when no number needs its text kept: the quick parse gives the same bytes again. */
  readonly plainNumbers: boolean;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * One pass over the text, before the real parser, which would recurse and keep the last of two equal keys.
 * It trusts the grammar (JSON.parse checks it afterwards): on text that is JSON, depth and keys are exact.
 */
function scanStructure(text: string, deepest: number): Scan {
  const open: (Set<string> | null)[] = [];
  const hasSurrogates = SURROGATE.test(text);
  let plainNumbers = true;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = stringEnd(text, at);
      const problem = textProblem(text, { at, end }, { keys: open.at(-1), hasSurrogates });
      if (problem !== null) return { problem, plainNumbers };
      at = end;
    } else if (startsNumber(code)) {
      const end = numberEnd(text, at);
      plainNumbers &&= isPlain(text.slice(at, end));
      at = end;
    } else {
      if (isOpening(code) && open.length === deepest) return { problem: `The body is nested deeper than ${deepest} levels.`, plainNumbers };
      step(open, code);
      at += 1;
    }
  }
  return { problem: null, plainNumbers };
}

function isOpening(code: number): boolean {
  return code === OPEN_OBJECT || code === OPEN_LIST;
}

function step(open: (Set<string> | null)[], code: number): void {
  if (isOpening(code)) open.push(code === OPEN_OBJECT ? new Set() : null);
  else if (code === CLOSE_OBJECT || code === CLOSE_LIST) open.pop();
}

interface Around {
  /** Those of the innermost object so far; null in a list, undefined at the top. */
  readonly keys: Set<string> | null | undefined;
  /** Somewhere in the whole text. */
  readonly hasSurrogates: boolean;
}

function textProblem(text: string, span: Span, { keys, hasSurrogates }: Around): string | null {
  if (hasSurrogates && !isUnicode(text.slice(span.at, span.end))) return 'A text is not Unicode: it has half a surrogate pair.';
  return isRepeatedKey(text, span, keys) ? 'An object has the same key twice.' : null;
}

interface Span {
  readonly at: number;
  readonly end: number;
}

function isRepeatedKey(text: string, { at, end }: Span, keys: Around['keys']): boolean {
  if (keys === null || keys === undefined || text.charCodeAt(skipSpace(text, end)) !== COLON) return false;
  const token = text.slice(at, end);
  // An escape that cannot be read is left to the parser, which refuses it.
  const key = token.includes('\\') ? unescaped(token) : token.slice(1, -1);
  const repeated = keys.has(key);
  keys.add(key);
  return repeated;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    at += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}

function isUnicode(token: string): boolean {
  return !token.includes('\\u') || unescaped(token).isWellFormed();
}

function unescaped(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    return token;
  }
}

function startsNumber(code: number): boolean {
  return code === 0x2d || (code >= 0x30 && code <= 0x39);
}

function numberEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && '0123456789+-.eE'.includes(text.charAt(at))) at += 1;
  return at;
}

function isPlain(source: string): boolean {
  return source.length < 22 && String(Number(source)) === source;
}
