// Room for the bodies that are read whole before they are signed: one caller's always leave some for those of others.

export interface BodyRoom {
  /** `share`: this caller has so much of it that others would get none. `full`: nobody's next body has room. */
  take(caller: string, bytes: number): 'taken' | 'share' | 'full';
  give(caller: string, bytes: number): void;
}

/** Whoever holds something already may have half of what the others leave; whoever holds nothing, all that is there. */
export function createBodyRoom(mostBytes: number): BodyRoom {
  const held = new Map<string, number>();
  let all = 0;
  return {
    take(caller, bytes) {
      if (bytes === 0) return 'taken';
      const own = held.get(caller) ?? 0;
      if (own > 0 && own + bytes > (mostBytes - (all - own)) / 2) return 'share';
      if (all + bytes > mostBytes) return 'full';
      held.set(caller, own + bytes);
      all += bytes;
      return 'taken';
    },
    give(caller, bytes) {
      const left = (held.get(caller) ?? 0) - bytes;
      if (left > 0) held.set(caller, left);
      else held.delete(caller);
      all -= bytes;
    },
  };
}
