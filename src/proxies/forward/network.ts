// The network as the forward proxy sees it: the system's look-up, which addresses are public, a connection to exactly one of them.
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createIsPublic } from './addresses.ts';

/** Given to the constructor: tests have another one. No configuration and no environment changes it. */
export interface Network {
  /** Every address of a name. Rejects with the system's code. */
  lookup(host: string): Promise<readonly string[]>;
  isPublic(address: string): boolean;
  /** Of this machine. */
  ownAddresses(): readonly string[];
  /** To an address; no name is looked up. */
  dial(address: string, port: number): Socket;
}

export function systemNetwork(): Network {
  return {
    // As the system reads names everywhere else: hosts file, then DNS. IPv4 first: many machines have no way out by IPv6.
    lookup: async (host) => (await lookup(host, { all: true, order: 'ipv4first' })).map(({ address }) => address),
    isPublic: createIsPublic(),
    ownAddresses: () => Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
    dial: (host, port) => connect({ host, port, allowHalfOpen: true, noDelay: true }),
  };
}
