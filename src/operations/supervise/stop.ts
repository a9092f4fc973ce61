// What asks a supervisor to stop: the first time in order, the second time at once.

export interface Stop {
  /** The first call stops; the second one stops at once. */
  readonly ask: () => void;
  readonly asked: () => boolean;
  readonly first: Promise<void>;
  readonly second: Promise<void>;
}

export function createStop(): Stop {
  let times = 0;
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  return {
    ask: () => {
      times += 1;
      if (times === 1) first.resolve();
      else second.resolve();
    },
    asked: () => times > 0,
    first: first.promise,
    second: second.promise,
  };
}
