// Questions beside each other. A gateway and a Prefect are one process each, so more at once take no less time.
import { lanes } from '../runner/lanes.ts';

const AT_ONCE = 4;

/** The results, in the order of `all`. */
export function fourAtOnce<One, Result>(all: readonly One[], work: (one: One, index: number) => Promise<Result>): Promise<Result[]> {
  const inTurn = lanes(AT_ONCE);
  return Promise.all(all.map((one, index) => inTurn(() => work(one, index))));
}
