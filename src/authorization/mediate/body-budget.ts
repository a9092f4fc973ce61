// Limits the bytes of large bodies that Lictor processes at once, for each principal and in total. Further bodies wait in order.

export interface BodyBudget {
  /** Resolves with a function that returns the bytes to the budget. Undefined: the wait was too long, or too many bodies wait. */
  take(principalId: string, bytes: number): Promise<(() => void) | undefined>;
}

export interface BudgetLimits {
  readonly bytesEach: number;
  readonly bytesTotal: number;
  /** Of one principal. */
  readonly mostWaiting: number;
  readonly waitMs: number;
}

const MEBIBYTE = 1024 * 1024;

/** One body of the largest size always fits. A body takes about six times its bytes while Lictor processes it. */
const BUDGET_LIMITS: BudgetLimits = { bytesEach: 16 * MEBIBYTE, bytesTotal: 32 * MEBIBYTE, mostWaiting: 64, waitMs: 20_000 };

interface Share {
  inWork: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly bytes: number;
  readonly begin: () => void;
}

export function createBodyBudget(given: Partial<BudgetLimits> = {}): BodyBudget {
  const limits = { ...BUDGET_LIMITS, ...given };
  /** In the order of the principals' last turns. */
  const shares = new Map<string, Share>();
  let total = 0;
  const isOwnFull = ({ inWork }: Share, bytes: number) => inWork + bytes > limits.bytesEach;
  const isFull = (bytes: number) => total + bytes > limits.bytesTotal;
  const begin = (principalId: string, share: Share, bytes: number): (() => void) => {
    total += bytes;
    share.inWork += bytes;
    shares.delete(principalId);
    shares.set(principalId, share);
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
    for (const [principalId, { inWork, waiting }] of shares) if (inWork === 0 && waiting.length === 0) shares.delete(principalId);
  };
  return {
    async take(principalId, bytes) {
      const share = shares.get(principalId) ?? { inWork: 0, waiting: [] };
      if (share.waiting.length === 0 && !isOwnFull(share, bytes) && !isFull(bytes) && firstOf(shares, isOwnFull) === undefined)
        return begin(principalId, share, bytes);
      if (share.waiting.length >= limits.mostWaiting) return undefined;
      shares.set(principalId, share);
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
      const leave = (): void => {
        clearTimeout(timer);
        share.waiting.splice(share.waiting.indexOf(waiter), 1);
      };
      const waiter: Waiter = {
        bytes,
        begin() {
          leave();
          resolve(begin(principalId, share, bytes));
        },
      };
      const timer = setTimeout(() => {
        leave();
        resolve(undefined);
        serve();
      }, limits.waitMs);
      share.waiting.push(waiter);
      return promise;
    },
  };
}

/** The first body that waits for the total, and not for another body of its principal. No later body may overtake it. */
function firstOf(shares: ReadonlyMap<string, Share>, isOwnFull: (share: Share, bytes: number) => boolean): Waiter | undefined {
  for (const share of shares.values()) {
    const [first] = share.waiting;
    if (first !== undefined && !isOwnFull(share, first.bytes)) return first;
  }
  return undefined;
}
