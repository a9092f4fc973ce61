// Strict parsing of a JSON body: Lictor rejects a body that Prefect's lenient parsers could read differently. Numbers keep their text.
//
// RFC 8259 with these limits: UTF-8 without BOM, no duplicate keys at any depth (compared after unescaping), at most 64
// levels, a bound on values and keys, finite numbers, no lone surrogates in \u escapes: UTF-8 has none, so each writer makes something else of them.
import { hasOrder, orderOf, withOrder } from './key-order.ts';
import { type Bounds, decodeText, type KeyOrder, type Lost, type Scanned, scanText } from './scan.ts';
import { isList, isObject, type JsonValue, rawNumber } from './tree.ts';

export type StrictResult =
  | { readonly ok: true; readonly tree: JsonValue }
  | { readonly ok: false; readonly code: 'body-not-json' | 'body-too-complex'; readonly detail: string };

export const MAX_DEPTH = 64;

/**
 * Size alone bounds no work: a megabyte can hold half a million values, each of which a decision looks at. Prefect takes 512 KiB of
 * parameters: numbers, texts and objects of that size are below.
 */
export const MAX_NODES = 300_000;

export const BODY_BOUNDS: Bounds = { deepest: MAX_DEPTH, mostNodes: MAX_NODES };

/** Never throws; `detail` is a sentence for the client and quotes nothing of the body. */
export function parseStrict(bytes: Buffer, bounds: Partial<Bounds> = {}): StrictResult {
  const text = decodeText(bytes);
  return parseScanned(text, scanText(text, { ...BODY_BOUNDS, ...bounds }));
}

/** Parses a text that a thread has scanned. */
export function parseScanned(text: string | null, scanned: Scanned): StrictResult {
  if (!scanned.ok) return scanned;
  try {
    const value: unknown = JSON.parse(text ?? '');
    return { ok: true, tree: restored(value as JsonValue, text ?? '', scanned.lost) };
  } catch {
    return { ok: false, code: 'body-not-json', detail: 'The body is not JSON.' };
  }
}

/** Lictor forwards these bytes: the tree of the decision, never the client's bytes. */
export function renderStrict(tree: JsonValue): Buffer {
  const text = JSON.stringify(tree);
  return Buffer.from(INDEX_KEY.test(text) && hasOrder(tree) ? ordered(tree) : text, 'utf8');
}

/** Also in a text, where it does no harm. */
const INDEX_KEY = /"\d+":/;

function ordered(tree: JsonValue): string {
  if (typeof tree === 'number') return String(tree);
  if (isList(tree)) return `[${tree.map(ordered).join(',')}]`;
  if (!isObject(tree)) return JSON.stringify(tree);
  let members = '';
  for (const key of orderOf(tree) ?? Object.keys(tree)) {
    const value = tree[key];
    if (value !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${ordered(value)}`;
  }
  return `{${members}}`;
}

interface Restoring {
  readonly text: string;
  readonly numbers: Uint32Array;
  readonly orders: ReadonlyMap<number, readonly string[]>;
  /** How far the walk is: among all numbers, among those whose text stays, among all objects. */
  seen: number;
  next: number;
  objects: number;
}

/** `JSON.rawJSON` keeps 12345678901234567890, 1.0, 1e2 and -0 as they were written. Changes the new tree in place: no other code has it yet. */
function restored(tree: JsonValue, text: string, { numbers, orders }: Lost): JsonValue {
  if (numbers.length === 0 && orders === '[]') return tree;
  const keyOrders: unknown = JSON.parse(orders);
  return restore(tree, { text, numbers, orders: new Map(keyOrders as readonly KeyOrder[]), seen: 0, next: 0, objects: 0 });
}

/** In the order of the text. */
function restore(value: JsonValue, state: Restoring): JsonValue {
  if (typeof value === 'number') return restoreNumber(value, state);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) value[at] = restore(value[at], state);
    return value;
  }
  const order = state.orders.get(state.objects);
  state.objects += 1;
  const fresh = value as Record<string, JsonValue>;
  for (const key of order ?? Object.keys(fresh)) fresh[key] = restore(fresh[key] ?? null, state);
  return order === undefined ? fresh : withOrder(fresh, order);
}

function restoreNumber(value: number, state: Restoring): JsonValue {
  const isLost = state.numbers[state.next] === state.seen;
  state.seen += 1;
  if (!isLost) return value;
  const source = state.text.slice(state.numbers[state.next + 1], state.numbers[state.next + 2]);
  state.next += 3;
  return rawNumber(source);
}
