// One page of a list that is in memory whole.

export interface PageQuery {
  readonly limit: number;
  /** The key of the last item of the page before. */
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null: there is none. */
  readonly next: string | null;
}

/** Sorts by the key, which is unique. */
export function pageOf<T>(all: readonly T[], { limit, cursor = '' }: PageQuery, keyOf: (item: T) => string): Page<T> {
  const after = Buffer.from(cursor);
  // The order of the store.
  const keyed = all.map((item) => ({ item, key: Buffer.from(keyOf(item)) })).filter(({ key }) => key.compare(after) > 0);
  const items = keyed
    .sort((a, b) => a.key.compare(b.key))
    .slice(0, limit)
    .map(({ item }) => item);
  const last = items.at(-1);
  return { items, next: keyed.length > limit && last !== undefined ? keyOf(last) : null };
}
