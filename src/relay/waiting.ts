// Bounds the sockets that have shown no credential yet: so many per address, so many altogether.
import { guesserKey } from '../contract/network.ts';

export interface WaitingRoom {
  /**
   * A place, as the function that gives it back; undefined when none came free within `timeoutMs`, or when too many
   * stand in line already. Waiting happens before the 101: a full house delays a stock client instead of failing it.
   */
  enter(address: string, timeoutMs: number): Promise<(() => void) | undefined>;
}

interface InLine {
  readonly address: string;
  readonly admit: () => void;
}

export function createWaitingRoom(limits: { readonly perAddress: number; readonly total: number }): WaitingRoom {
  const inside = new Map<string, number>();
  const line = new Set<InLine>();
  let total = 0;

  const hasRoom = (address: string) => total < limits.total && (inside.get(address) ?? 0) < limits.perAddress;
  const take = (address: string) => {
    total += 1;
    inside.set(address, (inside.get(address) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      leave(address);
    };
  };
  const leave = (address: string) => {
    total -= 1;
    const left = (inside.get(address) ?? 1) - 1;
    if (left > 0) inside.set(address, left);
    else inside.delete(address);
    for (const next of line) {
      if (hasRoom(next.address)) return next.admit();
    }
  };
  const inLineFrom = (address: string) => [...line].filter((other) => other.address === address).length;

  return {
    enter(from, timeoutMs) {
      const address = guesserKey(from);
      if (hasRoom(address)) return Promise.resolve(take(address));
      if (line.size >= limits.total || inLineFrom(address) >= limits.perAddress) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const leaveLine = () => {
          clearTimeout(timer);
          line.delete(entry);
        };
        const entry: InLine = {
          address,
          admit: () => {
            leaveLine();
            resolve(take(address));
          },
        };
        const timer = setTimeout(() => {
          leaveLine();
          resolve(undefined);
        }, timeoutMs);
        line.add(entry);
      });
    },
  };
}
