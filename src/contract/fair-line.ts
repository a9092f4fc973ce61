// A bounded queue before expensive work: those who wait get their turn one after the other, so many entries of one delay no other.

export interface FairLineLimits {
  readonly atOnce: number;
  /** Of known devices and of all others, separately. */
  readonly waiting: number;
}

export interface Place {
  /** Who waits for a turn: a network or a principal. */
  readonly from: string;
  /** A known device comes first, but after three of them one other client gets its turn. */
  readonly isKnown?: boolean;
}

export interface FairLine {
  /** `busy`: the queue is full. The `from` with the most entries also gets it for its last one, if another `from` needs the place. */
  run<T>(place: Place, work: () => Promise<T>): Promise<T | 'busy'>;
}

type Waiter = (turn: 'go' | 'busy') => void;

/** Endless logins of known devices must not stop all other logins. */
const KNOWN_IN_ROW = 3;

export function createFairLine({ atOnce, waiting: most }: FairLineLimits): FairLine {
  const known: Waiter[] = [];
  /** By `from`; the first one is the next. */
  const others = new Map<string, Waiter[]>();
  let running = 0;
  let waiting = 0;
  let knownInRow = 0;

  const wait = ({ from, isKnown = false }: Place): Promise<'go' | 'busy'> => {
    if (isKnown) return known.length < most ? new Promise((resolve) => known.push(resolve)) : Promise.resolve('busy');
    const own = others.get(from) ?? [];
    if (waiting >= most && !displace(own.length)) return Promise.resolve('busy');
    others.set(from, own);
    waiting += 1;
    return new Promise((resolve) => own.push(resolve));
  };

  /** Who has the most entries loses the last one, unless the new one would then have as many. */
  const displace = (mine: number): boolean => {
    const [from, most] = [...others].reduce((left, right) => (right[1].length > left[1].length ? right : left));
    if (most.length <= mine + 1) return false;
    most.pop()?.('busy');
    waiting -= 1;
    if (most.length === 0) others.delete(from);
    return true;
  };

  const next = (): Waiter | undefined => {
    const first = knownInRow < KNOWN_IN_ROW || others.size === 0 ? known.shift() : undefined;
    knownInRow = first === undefined ? 0 : knownInRow + 1;
    if (first !== undefined) return first;
    const [turn] = others;
    if (turn === undefined) return undefined;
    const [from, own] = turn;
    const waiter = own.shift();
    others.delete(from);
    if (own.length > 0) others.set(from, own);
    waiting -= 1;
    return waiter;
  };

  return {
    async run(place, work) {
      if (running < atOnce) running += 1;
      else if ((await wait(place)) === 'busy') return 'busy';
      try {
        return await work();
      } finally {
        const waiter = next();
        if (waiter === undefined) running -= 1;
        else waiter('go');
      }
    },
  };
}
