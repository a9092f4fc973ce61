// The answers that are stored, in memory: the least recently used goes first, of the service that has the most.
import type { OutgoingHttpHeaders } from 'node:http';
import { headerOf } from './cache-rules.ts';
import { varyOf } from './cacheable.ts';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
  /** By the steady clock. */
  readonly freshUntilMs: number;
}

export interface AnswerStore {
  /** Those of one service. `generation`: how often it was purged; undefined: it was purged again since. */
  shelf(service: string, generation: number): Shelf | undefined;
  /** Removes those of all other services. */
  keepOnly(services: readonly string[]): void;
  /** Bytes of all that is stored. */
  size(): number;
}

export interface Shelf {
  /** `headers` are the call's: an answer may vary by some of them. */
  get(key: string, headers: OutgoingHttpHeaders): StoredAnswer | undefined;
  /** Without effect once the service was purged. */
  put(key: string, headers: OutgoingHttpHeaders, answer: StoredAnswer): void;
  delete(key: string, headers: OutgoingHttpHeaders): void;
}

/** In the place of an answer that varies: by these headers. */
type Entry = { readonly bytes: number; readonly answer: StoredAnswer } | { readonly bytes: number; readonly vary: readonly string[] };

interface Entries {
  readonly generation: number;
  /** In the order of their use. */
  readonly byKey: Map<string, Entry>;
  bytes: number;
}

export function createAnswerStore(mostBytes: number): AnswerStore {
  const services = new Map<string, Entries>();
  const size = (): number => services.values().reduce((sum, { bytes }) => sum + bytes, 0);
  const add = (entries: Entries, key: string, entry: Entry): void => {
    remove(entries, key);
    entries.byKey.set(key, entry);
    entries.bytes += entry.bytes;
    while (size() > mostBytes) evict([...services.values()]);
  };
  return {
    shelf(service, generation) {
      const known = services.get(service);
      if (known !== undefined && known.generation > generation) return undefined;
      const entries = known?.generation === generation ? known : { generation, byKey: new Map<string, Entry>(), bytes: 0 };
      services.set(service, entries);
      return shelfOf(entries, (key, entry) => add(entries, key, entry));
    },
    keepOnly(names) {
      for (const name of services.keys()) if (!names.includes(name)) services.delete(name);
    },
    size,
  };
}

function shelfOf(entries: Entries, add: (key: string, entry: Entry) => void): Shelf {
  const keyOf = (key: string, headers: OutgoingHttpHeaders): string => {
    const found = entries.byKey.get(key);
    return found !== undefined && 'vary' in found ? variantKey(key, found.vary, headers) : key;
  };
  return {
    get(key, headers) {
      const own = keyOf(key, headers);
      for (const used of new Set([key, own])) use(entries, used);
      const found = entries.byKey.get(own);
      return found !== undefined && 'answer' in found ? found.answer : undefined;
    },
    put(key, headers, answer) {
      const vary = varyOf(answer.headers);
      const own = vary.length === 0 ? key : variantKey(key, vary, headers);
      if (vary.length > 0) add(key, { vary, bytes: overhead(key, {}) });
      add(own, { answer, bytes: answer.body.length + overhead(own, answer.headers) });
    },
    delete: (key, headers) => remove(entries, keyOf(key, headers)),
  };
}

function variantKey(key: string, vary: readonly string[], headers: OutgoingHttpHeaders): string {
  return `${key}\n\n${vary.map((name) => `${name}:${headerOf(headers, name)}`).join('\n')}`;
}

/** What an entry takes beside its body: two bytes a letter, and the objects around it. */
function overhead(key: string, headers: OutgoingHttpHeaders): number {
  return 1_024 + 2 * (key.length + JSON.stringify(headers).length);
}

/** Becomes the most recently used one. */
function use({ byKey }: Entries, key: string): void {
  const found = byKey.get(key);
  if (found === undefined) return;
  byKey.delete(key);
  byKey.set(key, found);
}

function remove(entries: Entries, key: string): void {
  entries.bytes -= entries.byKey.get(key)?.bytes ?? 0;
  entries.byKey.delete(key);
}

/** No service can push out what another stores within its share. */
function evict(services: readonly Entries[]): void {
  const largest = services.reduce((most, one) => (one.bytes > most.bytes ? one : most));
  const oldest = largest.byKey.keys().next().value;
  if (oldest !== undefined) remove(largest, oldest);
}
