// Stored answers, in memory. If there is no room, the service with the most bytes loses its least recently used answer.
import type { OutgoingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
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
  /** The answers of one service. `generation`: how often it was purged. Undefined: it was purged again since. */
  shelf(service: string, generation: number): Shelf | undefined;
  /** Removes the answers of all other services. */
  keepOnly(services: readonly string[]): void;
  /** Bytes of all stored answers. */
  size(): number;
}

export interface Shelf {
  /** `headers` are the call's: an answer may vary by some of them. */
  get(key: string, headers: OutgoingHttpHeaders): StoredAnswer | undefined;
  /** Without effect after a purge of the service. */
  put(key: string, headers: OutgoingHttpHeaders, answer: StoredAnswer): void;
  delete(key: string, headers: OutgoingHttpHeaders): void;
}

/** An answer, or for an answer that varies, the names of these headers. */
type Entry = { readonly bytes: number; readonly answer: StoredAnswer } | { readonly bytes: number; readonly vary: readonly string[] };

interface Entries {
  readonly generation: number;
  readonly byKey: LRUCache<string, Entry>;
}

export function createAnswerStore(mostBytes: number): AnswerStore {
  const services = new Map<string, Entries>();
  const size = (): number => services.values().reduce((sum, { byKey }) => sum + byKey.calculatedSize, 0);
  const makeRoom = (): void => {
    while (size() > mostBytes) largest([...services.values()]).byKey.pop();
  };
  return {
    shelf(service, generation) {
      const known = services.get(service);
      if (known !== undefined && known.generation > generation) return undefined;
      const entries = known?.generation === generation ? known : { generation, byKey: entriesOfAtMost(mostBytes) };
      services.set(service, entries);
      return shelfOf(entries.byKey, makeRoom);
    },
    keepOnly(names) {
      for (const name of services.keys()) if (!names.includes(name)) services.delete(name);
    },
    size,
  };
}

function entriesOfAtMost(bytes: number): Entries['byKey'] {
  return new LRUCache({ maxSize: bytes, sizeCalculation: (entry) => entry.bytes });
}

function shelfOf(byKey: Entries['byKey'], makeRoom: () => void): Shelf {
  const keyOf = (key: string, headers: OutgoingHttpHeaders): string => {
    const found = byKey.get(key);
    return found !== undefined && 'vary' in found ? variantKey(key, found.vary, headers) : key;
  };
  return {
    get(key, headers) {
      const found = byKey.get(keyOf(key, headers));
      return found !== undefined && 'answer' in found ? found.answer : undefined;
    },
    put(key, headers, answer) {
      const vary = varyOf(answer.headers);
      const own = vary.length === 0 ? key : variantKey(key, vary, headers);
      if (vary.length > 0) byKey.set(key, { vary, bytes: overhead(key, {}) });
      byKey.set(own, { answer, bytes: answer.body.length + overhead(own, answer.headers) });
      makeRoom();
    },
    delete: (key, headers) => void byKey.delete(keyOf(key, headers)),
  };
}

function variantKey(key: string, vary: readonly string[], headers: OutgoingHttpHeaders): string {
  return `${key}\n\n${vary.map((name) => `${name}:${headerOf(headers, name)}`).join('\n')}`;
}

/** The memory of an entry besides its body: two bytes a letter, and its objects. */
function overhead(key: string, headers: OutgoingHttpHeaders): number {
  return 1_024 + 2 * (key.length + JSON.stringify(headers).length);
}

/** No service can evict another's answers within that one's share. */
function largest(services: readonly Entries[]): Entries {
  return services.reduce((most, one) => (one.byKey.calculatedSize > most.byKey.calculatedSize ? one : most));
}
