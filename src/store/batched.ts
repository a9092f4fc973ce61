// Requests that come in one turn of the event loop share one transaction: for short writes, that costs more than their statements.

/** `work` gets what was asked in one turn, in order, and answers in the same order. If it fails, each of them fails. */
export function batched<Asked, Answer>(work: (all: readonly Asked[]) => Promise<readonly Answer[]>): (asked: Asked) => Promise<Answer> {
  let waiting: Asked[] = [];
  let next: Promise<readonly Answer[]> | undefined;
  const run = (): Promise<readonly Answer[]> => {
    const all = waiting;
    waiting = [];
    next = undefined;
    return work(all);
  };
  return async (asked) => {
    const place = waiting.push(asked) - 1;
    next ??= new Promise<void>((resolve) => setImmediate(resolve)).then(run);
    return (await next)[place] as Answer;
  };
}
