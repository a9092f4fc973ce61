// From a name to the addresses that a connection is pinned to: all of them public, none of them the gateway's or Prefect's.
import { isIP } from 'node:net';
import { isErrno } from '../contract/errno.ts';
import type { ReasonCode } from '../contract/reasons.ts';
import { among } from './addresses.ts';
import type { ForwardLimits } from './limits.ts';
import type { Network } from './network.ts';

export type Resolved = { readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly reason: ReasonCode };
export type Resolve = (host: string) => Promise<Resolved>;

export interface ResolveParts {
  readonly network: Network;
  readonly limits: Pick<ForwardLimits, 'lookupMs' | 'lookups'>;
  /** Hosts that have another way, which this one must not be: Prefect, and the gateway itself. */
  readonly avoid: () => readonly string[];
}

/** One look-up for a connection: a name that is then told otherwise (DNS rebinding) changes nothing. */
export function createResolve({ network, limits, avoid }: ResolveParts): Resolve {
  const look = bounded((host) => network.lookup(host), limits);
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    const bare = host.replace(/^\[|\]$/g, '');
    return isIP(bare) !== 0 ? [bare] : await look(bare).catch(noneWhereUnknown);
  };
  return async (host) => {
    try {
      const [addresses, ...avoided] = await Promise.all([look(host), ...avoid().map(addressesOf)]);
      if (addresses.length === 0) return { ok: false, reason: 'host-unreachable' };
      const isOwn = among([...network.ownAddresses(), ...avoided.flat()]);
      const fine = addresses.every((address) => network.isPublic(address) && !isOwn(address));
      return fine ? { ok: true, addresses } : { ok: false, reason: 'host-private' };
    } catch {
      // The name is not known, DNS is away, or one of the gateway's own names cannot be told from it: nobody goes there.
      return { ok: false, reason: 'host-unreachable' };
    }
  };
}

/** A name of our own that is no name here cannot be where another one leads; any other failure is passed on. */
function noneWhereUnknown(error: unknown): readonly string[] {
  if (isErrno(error, 'ENOTFOUND')) return [];
  throw error;
}

type Look = (host: string) => Promise<readonly string[]>;

/** A look-up cannot be stopped: its place is free when the system has answered, while who waits for it goes sooner. */
function bounded(look: Look, { lookupMs, lookups }: ResolveParts['limits']): Look {
  const waiting: (() => void)[] = [];
  let running = 0;
  const start = async (host: string): Promise<readonly string[]> => {
    running += 1;
    try {
      return await look(host);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  return (host) =>
    new Promise((resolve, reject) => {
      const begin = (): void =>
        void start(host)
          .then(resolve, reject)
          .finally(() => clearTimeout(timer));
      const timer = setTimeout(() => {
        const place = waiting.indexOf(begin);
        if (place >= 0) waiting.splice(place, 1);
        reject(new Error('the look-up takes too long'));
      }, lookupMs);
      if (running < lookups) begin();
      else waiting.push(begin);
    });
}
