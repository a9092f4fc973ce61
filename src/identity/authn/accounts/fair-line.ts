// A bounded line in front of expensive work: three known devices, then one of the networks in turn, so that many attempts of one do not delay another's.

export interface FairLineLimits {
  readonly atOnce: number;
  /** Of known devices, and of all others, separately. */
  readonly waiting: number;
}

export interface Place {
  /** Whose turn it is: a network. */
  readonly from: string;
  /** It stands in front of those that are not known, of whom one comes after three known ones. */
  readonly isKnown: boolean;
}

export interface FairLine {
  /** `busy`: the line is full. Also for one that waits, when a network with less in the line needs its place. */
  run<T>(place: Place, work: () => Promise<T>): Promise<T | 'busy'>;
}

type Waiter = (turn: 'go' | 'busy') => void;

/** Logins of known devices without an end must not shut out everyone else. */
const KNOWN_IN_ROW = 3;

export function createFairLine({ atOnce, waiting: most }: FairLineLimits): FairLine {
  const known: Waiter[] = [];
  /** The network that is next comes first. */
  const others = new Map<string, Waiter[]>();
  let running = 0;
  let waiting = 0;
  let knownInRow = 0;

  const wait = ({ from, isKnown }: Place): Promise<'go' | 'busy'> => {
    if (isKnown) return known.length < most ? new Promise((resolve) => known.push(resolve)) : Promise.resolve('busy');
    const own = others.get(from) ?? [];
    if (waiting >= most && !displace(own.length)) return Promise.resolve('busy');
    others.set(from, own);
    waiting += 1;
    return new Promise((resolve) => own.push(resolve));
  };

  /** The network with most in the line gives up its last place, unless it has no more than the newcomer would have. */
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
