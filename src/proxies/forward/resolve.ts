// From a name to the pinned addresses of a connection: all of them public, none of the gateway's or Prefect's.
import { isIP } from 'node:net';
import { among } from '../../contract/addresses.ts';
import { isErrno } from '../../contract/errno.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { ForwardLimits } from './limits.ts';
import type { Network } from './network.ts';

export type Resolved = { readonly ok: true; readonly addresses: readonly string[] } | { readonly ok: false; readonly reason: ReasonCode };
/** `whose`: the principal that connects. */
export type Resolve = (host: string, whose: string) => Promise<Resolved>;

export interface ResolveParts {
  readonly network: Network;
  readonly limits: Pick<ForwardLimits, 'lookupMs' | 'lookups'>;
  /** Hosts that clients must reach another way: Prefect, and the gateway itself. */
  readonly avoid: () => readonly string[];
}

/** One look-up for a connection: a later answer for the name (DNS rebinding) has no effect. */
export function createResolve({ network, limits, avoid }: ResolveParts): Resolve {
  const look = bounded((host) => network.lookup(host), limits);
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    const bare = host.replace(/^\[|\]$/g, '');
    return isIP(bare) !== 0 ? [bare] : await look(bare, GATEWAY).catch(noneWhereUnknown);
  };
  return async (host, whose) => {
    try {
      const [addresses, ...avoided] = await Promise.all([look(host, whose), ...avoid().map(addressesOf)]);
      if (addresses.length === 0) return { ok: false, reason: 'host-unreachable' };
      const isOwn = among([...network.ownAddresses(), ...avoided.flat()]);
      const fine = addresses.every((address) => network.isPublic(address) && !isOwn(address));
      return fine ? { ok: true, addresses } : { ok: false, reason: 'host-private' };
    } catch {
      // The name is unknown, DNS does not answer, or one of the gateway's own names cannot be resolved: denied.
      return { ok: false, reason: 'host-unreachable' };
    }
  };
}

/** For look-ups of the gateway's own names. */
const GATEWAY = '';

/** Another name cannot lead to an own name that does not resolve. Any other failure is thrown. */
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
 * A look-up cannot be cancelled: its place is free when the system has answered, though its caller may time out earlier. No principal has all
 * places, so slow names delay only the principal that asks for them.
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
