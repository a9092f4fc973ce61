// Bounds the sockets without a credential: per address, in total, and per second.
import type { Clock } from '../../contract/clock.ts';
import { guesserKey } from '../../contract/network.ts';

export interface AdmissionQueue {
  /**
   * A function that frees the place. Undefined if no place became free within `timeoutMs`, if the client has `left`, or if the queue is full.
   * Clients wait before the 101, so that an overload delays a stock client instead of failing it.
   */
  enter(address: string, timeoutMs: number, left?: Promise<unknown>): Promise<(() => void) | undefined>;
}

export interface AdmissionLimits {
  readonly perAddress: number;
  readonly total: number;
  /** Places per second. A client that closes while it waits costs almost nothing; one with a place costs a millisecond of work. */
  readonly perSecond: number;
}

interface InLine {
  readonly admit: () => void;
  readonly refuse: () => void;
}

/** The pace bounds a flood. After a pause, the places of a whole second are free at once. */
const BURST_MS = 1000;

export function createAdmissionQueue(limits: AdmissionLimits, steady: Clock): AdmissionQueue {
  const inside = new Map<string, number>();
  /** By address, in turn: an address that got a place moves behind the others. */
  const lines = new Map<string, Set<InLine>>();
  let [total, waiting] = [0, 0];
  let nextTurnMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const turnMs = 1000 / limits.perSecond;
  const pauseMs = () => nextTurnMs + turnMs - BURST_MS - steady();
  const hasRoom = (address: string) => total < limits.total && (inside.get(address) ?? 0) < limits.perAddress;
  const take = (address: string) => {
    total += 1;
    inside.set(address, (inside.get(address) ?? 0) + 1);
    nextTurnMs = Math.max(nextTurnMs, steady()) + turnMs;
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
    admitNext();
  };
  const admitNext = () => {
    while (waiting > 0 && pauseMs() <= 0) {
      const next = [...lines.keys()].find(hasRoom);
      if (next === undefined) return;
      const line = lines.get(next) ?? new Set();
      lines.delete(next);
      lines.set(next, line);
      for (const { admit } of line) {
        admit();
        break;
      }
    }
    if (waiting > 0 && timer === undefined) timer = setTimeout(onTurn, Math.max(1, pauseMs()));
  };
  const onTurn = () => {
    timer = undefined;
    admitNext();
  };
  const stand = (address: string, entry: InLine) => {
    const line = lines.get(address) ?? new Set();
    lines.set(address, line.add(entry));
    waiting += 1;
  };
  const step = (address: string, entry: InLine) => {
    const line = lines.get(address);
    if (line?.delete(entry) !== true) return;
    if (line.size === 0) lines.delete(address);
    waiting -= 1;
  };
  /** The address with the longest queue loses its last entry, unless its queue is no longer than the new one would be. */
  const displace = (mine: number): boolean => {
    const longest = [...lines.values()].reduce((left, right) => (right.size > left.size ? right : left), new Set<InLine>());
    if (longest.size <= mine + 1) return false;
    [...longest].at(-1)?.refuse();
    return true;
  };

  return {
    enter(from, timeoutMs, left) {
      const address = guesserKey(from);
      if (waiting === 0 && pauseMs() <= 0 && hasRoom(address)) return Promise.resolve(take(address));
      const mine = lines.get(address)?.size ?? 0;
      if (mine >= limits.perAddress || (waiting >= limits.total && !displace(mine))) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const end = (place: (() => void) | undefined) => {
          clearTimeout(over);
          step(address, entry);
          resolve(place);
        };
        const entry: InLine = { admit: () => end(take(address)), refuse: () => end(undefined) };
        const over = setTimeout(() => end(undefined), timeoutMs);
        left?.then(() => end(undefined));
        stand(address, entry);
        admitNext();
      });
    },
  };
}
