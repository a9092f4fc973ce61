// The relay's log in a flood: a bounded number of lines a minute names refused clients. Further refusals are counted by address and reason.
import type { Clock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';
import type { RelayLog } from './parts.ts';

export interface CountedLog extends RelayLog {
  /** Logs the counts when their minute is over. */
  flush(): void;
}

export interface CountedLimits {
  /** Lines in a minute: of one address and reason, and of all. */
  readonly perAddress: number;
  readonly inAll: number;
  /** How many pairs of address and reason have a separate count. Others share one for each reason. */
  readonly apart: number;
  /** How many counts get a separate line, the largest first. The others share one. */
  readonly named: number;
}

export const COUNTED_LIMITS: CountedLimits = { perAddress: 20, inAll: 400, apart: 1000, named: 20 };

const PERIOD_MS = 60_000;

interface Count {
  readonly address: string;
  readonly code: string;
  seen: number;
  /** Without a line. */
  beyond: number;
}

/** Lines without an address and a code always pass. */
export function createCountedLog(log: RelayLog, steady: Clock, limits: CountedLimits = COUNTED_LIMITS): CountedLog {
  const counts = new Map<string, Count>();
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;

  const countOf = (address: string, code: string): Count => {
    const known = counts.get(`${address} ${code}`);
    if (known !== undefined) return known;
    const name = counts.size < limits.apart ? address : '*';
    const count = counts.get(`${name} ${code}`) ?? { address: name, code, seen: 0, beyond: 0 };
    counts.set(`${name} ${code}`, count);
    return count;
  };
  const summarise = () => {
    const beyond = [...counts.values()].filter((count) => count.beyond > 0).sort((a, b) => b.beyond - a.beyond);
    for (const { address, code, beyond: count } of beyond.slice(0, limits.named)) log.warn({ address, code, count }, 'more sockets were refused');
    const rest = beyond.slice(limits.named);
    const count = rest.reduce((sum, one) => sum + one.beyond, 0);
    if (rest.length > 0) log.warn({ addresses: new Set(rest.map(({ address }) => address)).size, count }, 'more sockets were refused');
  };
  const flush = () => {
    if (steady() - since < PERIOD_MS) return;
    summarise();
    counts.clear();
    lines = 0;
    since = steady();
  };
  return {
    flush,
    warn(fields, message) {
      const { address, code } = fields;
      if (typeof address !== 'string' || typeof code !== 'string') return log.warn(fields, message);
      flush();
      const count = countOf(guesserKey(address), code);
      count.seen += 1;
      if (count.seen <= limits.perAddress && lines < limits.inAll) {
        lines += 1;
        log.warn(fields, message);
      } else count.beyond += 1;
    },
  };
}
