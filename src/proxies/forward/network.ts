// The network of the forward proxy: the system's resolver, which addresses are public, a connection to exactly one address.
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createIsPublic } from '../../contract/addresses.ts';

/** Passed to the constructor: tests have another one. No configuration and no environment variable changes it. */
export interface Network {
  /** Every address of a name. Rejects with the system's code. */
  lookup(host: string): Promise<readonly string[]>;
  isPublic(address: string): boolean;
  /** Of this machine. */
  ownAddresses(): readonly string[];
  /** To an address, without a look-up. */
  dial(address: string, port: number): Socket;
}

export function systemNetwork(): Network {
  return {
    // As the system resolves names elsewhere: hosts file, then DNS. IPv4 first, since many machines have no route for IPv6.
    lookup: async (host) => (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address),
    isPublic: createIsPublic(),
    ownAddresses: () => Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
    dial: (host, port) => connect({ host, port, allowHalfOpen: true, noDelay: true }),
  };
}
