// How many bytes of large bodies are in work: of one principal, and altogether. More of them wait, those of one principal in their order.

export interface BodyBudget {
  /** Resolves with what gives the bytes back; undefined when they had to wait for too long, or too many wait already. */
  take(who: string, bytes: number): Promise<(() => void) | undefined>;
}

export interface BudgetLimits {
  readonly bytesEach: number;
  readonly bytesTotal: number;
  /** Of one principal. */
  readonly mostWaiting: number;
  readonly waitMs: number;
}

const MEBIBYTE = 1024 * 1024;

/** One body of the largest size always finds room. A body takes some six times its bytes while it is in work. */
const BUDGET_LIMITS: BudgetLimits = { bytesEach: 16 * MEBIBYTE, bytesTotal: 32 * MEBIBYTE, mostWaiting: 64, waitMs: 20_000 };

interface Share {
  inWork: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly bytes: number;
  readonly begin: () => void;
}

export function createBodyBudget(limits: BudgetLimits = BUDGET_LIMITS): BodyBudget {
  /** In the order in which principals had their last turn. */
  const shares = new Map<string, Share>();
  let total = 0;
  const isOwnFull = ({ inWork }: Share, bytes: number) => inWork + bytes > limits.bytesEach;
  const isFull = (bytes: number) => total + bytes > limits.bytesTotal;
  const begin = (who: string, share: Share, bytes: number): (() => void) => {
    total += bytes;
    share.inWork += bytes;
    shares.delete(who);
    shares.set(who, share);
    return () => {
      total -= bytes;
      share.inWork -= bytes;
      serve();
    };
  };
  const serve = (): void => {
    const next = firstOf(shares, isOwnFull);
    if (next !== undefined && !isFull(next.bytes)) {
      next.begin();
      serve();
      return;
    }
    for (const [who, { inWork, waiting }] of shares) if (inWork === 0 && waiting.length === 0) shares.delete(who);
  };
  return {
    take(who, bytes) {
      const share = shares.get(who) ?? { inWork: 0, waiting: [] };
      if (share.waiting.length === 0 && !isOwnFull(share, bytes) && !isFull(bytes) && firstOf(shares, isOwnFull) === undefined)
        return Promise.resolve(begin(who, share, bytes));
      if (share.waiting.length >= limits.mostWaiting) return Promise.resolve(undefined);
      shares.set(who, share);
      return new Promise((resolve) => {
        const leave = (): void => {
          clearTimeout(timer);
          share.waiting.splice(share.waiting.indexOf(waiter), 1);
        };
        const waiter: Waiter = {
          bytes,
          begin() {
            leave();
            resolve(begin(who, share, bytes));
          },
        };
        const timer = setTimeout(() => {
          leave();
          resolve(undefined);
          serve();
        }, limits.waitMs);
        share.waiting.push(waiter);
      });
    },
  };
}

/** Who waits for room alone, and not for bodies of the same principal: nobody who comes later may pass. */
function firstOf(shares: ReadonlyMap<string, Share>, isOwnFull: (share: Share, bytes: number) => boolean): Waiter | undefined {
  for (const share of shares.values()) {
    const [first] = share.waiting;
    if (first !== undefined && !isOwnFull(share, first.bytes)) return first;
  }
  return undefined;
}
