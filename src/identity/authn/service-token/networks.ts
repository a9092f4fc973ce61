// Networks in CIDR notation: parses them, and checks whether an address is in one. IPv4-mapped IPv6 counts as IPv4.
import { BlockList, isIP } from 'node:net';
import { unmapped } from '../../../contract/network.ts';

export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const MAPPED_BITS = 96;

/** `10.0.0.0/8`, `fd00::/8`, or one address. Undefined for any other text. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefixText, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return undefined;
  const mapped = unmapped(address);
  if (mapped !== address && prefix >= MAPPED_BITS) return { address: mapped, prefix: prefix - MAPPED_BITS, family: 'ipv4' };
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** True when there are no networks. An unreadable network or address is never inside: fails closed. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  if (networks.length === 0) return true;
  const plain = unmapped(address);
  const version = isIP(plain);
  if (version === 0) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network === undefined) return false;
    // Node's list would match every IPv4 address with ::/0 too.
    if (network.family === family) list.addSubnet(network.address, network.prefix, family);
  }
  return list.check(plain, family);
}
