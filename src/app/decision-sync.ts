// After a security change: brings cached decisions and open sockets in line with the store. One round runs after another.

export interface DecisionSync {
  /** Runs one whole round that starts after the call. Rejects when the change may not be in effect everywhere; `ifChanged` then retries. */
  now(): Promise<void>;
  /** A round, if the change number has moved since the last one, or if that one failed. */
  ifChanged(): Promise<void>;
}

export interface DecisionSyncParts {
  readonly changeNumber: () => Promise<number>;
  readonly forget: () => void;
  readonly sweep: () => Promise<void>;
  readonly recheck: () => Promise<void>;
}

/** `undefined`: nothing seen yet, and the start has swept; `null`: the last round failed. */
type Seen = number | null | undefined;

export function createDecisionSync({ changeNumber, forget, sweep, recheck }: DecisionSyncParts): DecisionSync {
  let seen: Seen;
  let tail: Promise<void> = Promise.resolve();
  const round = async (): Promise<void> => {
    seen = await changeNumber();
    forget();
    await Promise.all([sweep(), recheck()]);
  };
  const now = (): Promise<void> => {
    const mine = tail.then(round);
    // The caller gets the error; the next round starts afresh.
    tail = mine.catch(() => {
      seen = null;
    });
    return mine;
  };
  const look = async (): Promise<void> => {
    const number = await changeNumber();
    if (seen === undefined) seen = number;
    else if (number !== seen) await now();
  };
  let looking: Promise<void> | undefined;
  return {
    now,
    // One question at a time: a store that hangs must not get more of them.
    ifChanged() {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
  };
}
