// The numbers of `limits` for the MCP endpoint. nginx counts only requests that its decision has allowed, and these authenticate themselves.
import { LRUCache } from 'lru-cache';
import type { Limit } from '../../config/config.ts';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { SteadyClock } from '../../contract/clock.ts';
import { holdsRole, type Principal } from '../../contract/principal.ts';

export interface PrincipalLimits {
  /** False: a limit is full, and the request counts nowhere. Else `end` must be called once. */
  begin(principal: Principal): boolean;
  end(principal: Principal): void;
}

/** A principal may have this many requests in progress, whatever `limits` says. */
const MOST_AT_ONCE = 32;
const MOST_COUNTS = 50_000;

/** Requests beyond the rate at a moment, as `limit_req` of nginx counts them. */
interface Excess {
  readonly count: number;
  readonly atMs: number;
}

export function createPrincipalLimits(limits: readonly Limit[], steady: SteadyClock): PrincipalLimits {
  const running = new Map<string, number>();
  const excesses = new LRUCache<string, Excess>(atMostEntries(MOST_COUNTS));
  return {
    begin(principal) {
      const { id } = principal;
      const own = limits.filter((limit) => concerns(limit, principal));
      const count = running.get(id) ?? 0;
      if (count >= Math.min(MOST_AT_ONCE, ...own.map(({ concurrency }) => concurrency ?? MOST_AT_ONCE))) return false;
      const atMs = steady();
      const next = own.flatMap(({ kind, name, rate }) => {
        if (rate === null) return [];
        const key = `${kind} ${name} ${id}`;
        return [{ key, burst: rate.burst, excess: { count: nextCount(excesses.get(key), rate.perSecond, atMs), atMs } }];
      });
      if (next.some(({ burst, excess }) => excess.count > burst)) return false;
      for (const { key, excess } of next) excesses.set(key, excess);
      running.set(id, count + 1);
      return true;
    },
    end({ id }) {
      const rest = (running.get(id) ?? 1) - 1;
      if (rest > 0) running.set(id, rest);
      else running.delete(id);
    },
  };
}

function concerns({ kind, name }: Limit, principal: Principal): boolean {
  if (kind === 'everyone') return true;
  return kind === 'role' ? holdsRole(principal, name) : kind === 'principal' && name === principal.id;
}

/** The first request is beside the burst. */
function nextCount(before: Excess | undefined, perSecond: number, atMs: number): number {
  return before === undefined ? 0 : Math.max(0, before.count + 1 - ((atMs - before.atMs) / 1000) * perSecond);
}
