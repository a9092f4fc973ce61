// One pass over the text of a body, before the real parser: bounds, keys, and what that parser would lose. Pure; a thread does it for large bodies.
//
// It trusts the grammar (JSON.parse checks it afterwards): on text that is JSON, depth, keys, numbers and the count of nodes are exact.

export interface Bounds {
  readonly deepest: number;
  /** Each value is a node. A key, and a number whose text must stay, is two: the parser takes twice as long for them. */
  readonly mostNodes: number;
}

/** As JSON.parse cannot give it back: by place in the text. */
export interface Lost {
  /** For each number whose text must stay: its place among all numbers, where it begins and where it ends. */
  readonly numbers: Uint32Array;
  /** JSON, which a thread hands over sooner than objects: for each object with keys that JavaScript would sort a `KeyOrder`. */
  readonly orders: string;
}

/** Its place among all objects, and its keys in order. */
export type KeyOrder = readonly [object: number, keys: readonly string[]];

export type Scanned =
  | { readonly ok: true; readonly lost: Lost }
  | { readonly ok: false; readonly code: 'body-not-json' | 'body-too-complex'; readonly detail: string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null: no UTF-8, or with a byte order mark. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    const text = utf8.decode(bytes);
    return text.charCodeAt(0) === 0xfeff ? null : text;
  } catch {
    return null;
  }
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

const SURROGATE = /\\u[dD][89a-fA-F]/;

interface OpenObject {
  readonly place: number;
  readonly keys: Set<string>;
  isSorted: boolean;
}

interface State {
  readonly text: string;
  readonly bounds: Bounds;
  readonly open: (OpenObject | null)[];
  readonly hasSurrogates: boolean;
  readonly numbers: number[];
  readonly orders: KeyOrder[];
  nodes: number;
  numberCount: number;
  objectCount: number;
}

/** `detail` is a sentence for the client and quotes nothing of the body. */
export function scanText(text: string | null, bounds: Bounds): Scanned {
  if (text === null) return notJson('The body is not UTF-8 without a byte order mark.');
  const state: State = {
    ...{ text, bounds, open: [], hasSurrogates: SURROGATE.test(text), numbers: [], orders: [] },
    ...{ nodes: 1, numberCount: 0, objectCount: 0 },
  };
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const look = code === QUOTE ? lookAtText : startsNumber(code) ? lookAtNumber : lookAtMark;
    const looked = look(state, at);
    if (typeof looked === 'string') return notJson(looked);
    // In what is no JSON, numbers may stand without commas between them.
    if (Math.max(state.nodes, state.numberCount) > bounds.mostNodes) return tooComplex(bounds);
    at = looked;
  }
  return { ok: true, lost: { numbers: Uint32Array.from(state.numbers), orders: JSON.stringify(state.orders) } };
}

function notJson(detail: string): Scanned {
  return { ok: false, code: 'body-not-json', detail };
}

function tooComplex({ mostNodes }: Bounds): Scanned {
  return { ok: false, code: 'body-too-complex', detail: `The body holds more than ${mostNodes} values and keys.` };
}

/** Where it ends, or what is wrong with it. */
type Looked = number | string;

/** Every value but the first follows a bracket, a comma or a colon: an empty list counts one too many. */
function lookAtMark(state: State, at: number): Looked {
  const code = state.text.charCodeAt(at);
  if (code === COMMA) state.nodes += 1;
  // The value behind it, and the key before it once more.
  else if (code === COLON) state.nodes += 2;
  else if (code === OPEN_OBJECT || code === OPEN_LIST) {
    if (state.open.length === state.bounds.deepest) return `The body is nested deeper than ${state.bounds.deepest} levels.`;
    state.nodes += 1;
    state.open.push(code === OPEN_OBJECT ? { place: state.objectCount, keys: new Set(), isSorted: false } : null);
    if (code === OPEN_OBJECT) state.objectCount += 1;
  } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
    const closed = state.open.pop();
    if (closed?.isSorted === true && closed.keys.size > 1) state.orders.push([closed.place, [...closed.keys]]);
  }
  return at + 1;
}

function lookAtText({ text, open, hasSurrogates }: State, at: number): Looked {
  const end = stringEnd(text, at);
  if (hasSurrogates && !isUnicode(text.slice(at, end))) return 'A text is not Unicode: it has half a surrogate pair.';
  const object = open.at(-1);
  if (object === null || object === undefined || text.charCodeAt(skipSpace(text, end)) !== COLON) return end;
  const token = text.slice(at, end);
  // An escape that cannot be read is left to the parser, which refuses it.
  const key = token.includes('\\') ? unescaped(token) : token.slice(1, -1);
  if (object.keys.has(key)) return 'An object has the same key twice.';
  object.keys.add(key);
  object.isSorted ||= isIndex(key);
  return end;
}

/** JavaScript puts such keys first, by their number. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && /^(?:0|[1-9]\d{0,15})$/.test(key);
}

function lookAtNumber(state: State, at: number): Looked {
  const end = numberEnd(state.text, at);
  const source = state.text.slice(at, end);
  const value = Number(source);
  if (Math.abs(value) === Number.POSITIVE_INFINITY) return 'A number is out of range.';
  if (source.length >= 22 || String(value) !== source) {
    state.numbers.push(state.numberCount, at, end);
    state.nodes += 1;
  }
  state.numberCount += 1;
  return end;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    // No text of JSON holds a control character: the parser refuses it. In `orders` each would be six characters.
    if (code < SPACE) return text.length;
    at += code === BACKSLASH && text.charCodeAt(at + 1) >= SPACE ? 2 : 1;
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
  while (at < text.length && isNumberPart(text.charCodeAt(at))) at += 1;
  return at;
}

/** Of `0123456789+-.eE`. */
function isNumberPart(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2d || code === 0x2b || code === 0x65 || code === 0x45;
}
