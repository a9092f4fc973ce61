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
  const later = all.filter((item) => byBytes(keyOf(item), cursor) > 0).sort((a, b) => byBytes(keyOf(a), keyOf(b)));
  const items = later.slice(0, limit);
  const last = items.at(-1);
  return { items, next: later.length > limit && last !== undefined ? keyOf(last) : null };
}

/** As the store compares texts. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
