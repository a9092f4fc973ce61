// From a name to the addresses that a connection is pinned to: all of them public, none of them the gateway's or Prefect's.
import { isIP } from 'node:net';
import { isErrno } from '../../contract/errno.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { among } from './addresses.ts';
import type { ForwardLimits } from './limits.ts';
import type { Network } from './network.ts';

export type Resolved = { readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly reason: ReasonCode };
/** `whose`: the principal that wants to go there. */
export type Resolve = (host: string, whose: string) => Promise<Resolved>;

export interface ResolveParts {
  readonly network: Network;
  readonly limits: Pick<ForwardLimits, 'lookupMs' | 'lookups'>;
  /** Hosts that have another way, which this one must not be: Prefect, and the gateway itself. */
  readonly avoid: () => readonly string[];
}

/** One look-up for a connection: a later answer for the name (DNS rebinding) changes nothing. */
export function createResolve({ network, limits, avoid }: ResolveParts): Resolve {
  const look = bounded((host) => network.lookup(host), limits);
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    const bare = host.replace(/^\[|\]$/g, '');
    return isIP(bare) !== 0 ? [bare] : await look(bare, NOBODY).catch(noneWhereUnknown);
  };
  return async (host, whose) => {
    try {
      const [addresses, ...avoided] = await Promise.all([look(host, whose), ...avoid().map(addressesOf)]);
      if (addresses.length === 0) return { ok: false, reason: 'host-unreachable' };
      const isOwn = among([...network.ownAddresses(), ...avoided.flat()]);
      const fine = addresses.every((address) => network.isPublic(address) && !isOwn(address));
      return fine ? { ok: true, addresses } : { ok: false, reason: 'host-private' };
    } catch {
      // The name is not known, DNS is away, or one of the gateway's own names cannot be resolved: the connection is denied.
      return { ok: false, reason: 'host-unreachable' };
    }
  };
}

/** Who looks up the names of the gateway itself. */
const NOBODY = '';

/** A name of our own that is no name here cannot be where another one leads; any other failure is passed on. */
function noneWhereUnknown(error: unknown): readonly string[] {
  if (isErrno(error, 'ENOTFOUND')) return [];
  throw error;
}

type Look = (host: string, whose: string) => Promise<readonly string[]>;

interface Waiting {
  readonly whose: string;
  begin(): void;
}

/**
 * A look-up cannot be stopped: its place is free when the system has answered, while who waits for it goes sooner. Nobody has all places: names that
 * are slow to look up delay only the principal that asks for them.
 */
function bounded(look: (host: string) => Promise<readonly string[]>, { lookupMs, lookups }: ResolveParts['limits']): Look {
  const waiting: Waiting[] = [];
  const running: string[] = [];
  const hasPlace = (whose: string): boolean => running.length < lookups && running.filter((other) => other === whose).length < Math.max(1, lookups - 1);
  const start = async (host: string, whose: string): Promise<readonly string[]> => {
    running.push(whose);
    try {
      return await look(host);
    } finally {
      running.splice(running.indexOf(whose), 1);
      const next = waiting.findIndex((one) => hasPlace(one.whose));
      if (next >= 0) waiting.splice(next, 1)[0]?.begin();
    }
  };
  return (host, whose) =>
    new Promise((resolve, reject) => {
      const begin = (): void =>
        void start(host, whose)
          .then(resolve, reject)
          .finally(() => clearTimeout(timer));
      const one: Waiting = { whose, begin };
      const timer = setTimeout(() => {
        const place = waiting.indexOf(one);
        if (place >= 0) waiting.splice(place, 1);
        reject(new Error('the look-up takes too long'));
      }, lookupMs);
      if (hasPlace(whose)) begin();
      else waiting.push(one);
    });
}
