// The limit of a cache of lru-cache.

/** For `new LRUCache`: at most `most` entries. Its own `max` allocates the space of all of them at once: 10 ms for 50,000. */
export function atMostEntries(most: number) {
  return { maxSize: most, sizeCalculation: () => 1 } as const;
}
