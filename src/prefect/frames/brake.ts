// Who wants a socket not to be read: it is read on when nobody does any more. What sends and what looks at frames stop the same socket, each for its own reason.

interface Source {
  pause(): void;
  resume(): void;
}

const holding = new WeakMap<Source, Set<symbol>>();

/** `who` wants it not to be read. Said again, it is stopped again, whatever has let it be read meanwhile. */
export function brake(source: Source, who: symbol): void {
  const all = holding.get(source) ?? new Set();
  holding.set(source, all.add(who));
  source.pause();
}

/** `who` does not mind any more; nothing happens where it has not said otherwise. */
export function releaseBrake(source: Source, who: symbol): void {
  const all = holding.get(source);
  if (all?.delete(who) === true && all.size === 0) source.resume();
}
