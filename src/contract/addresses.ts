// Which addresses are on the public internet: none in a special block of the IANA registries.
import { BlockList, isIP } from 'node:net';

/** IANA IPv4 Special-Purpose Address Registry, multicast, reserved. The last one is where a cloud serves its own machines. */
const NOT_PUBLIC_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24'],
  ...['192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4'],
  ...['240.0.0.0/4', '168.63.129.16/32'],
];

/** All global unicast addresses are below 2000::/3. `::`, `::1`, v4-mapped, 64:ff9b::/96, ULA, link-local and multicast are not. */
const GLOBAL_6 = '2000::/3';

/** Exceptions in it: protocol assignments with Teredo, documentation, 6to4, AS112. */
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

/** A text that is not an address is not public. */
export function createIsPublic(): (address: string) => boolean {
  const [notPublic4, global6, notPublic6] = [blocks('ipv4', NOT_PUBLIC_4), blocks('ipv6', [GLOBAL_6]), blocks('ipv6', NOT_PUBLIC_6)];
  return (address) => {
    if (address.includes('%')) return false;
    const family = isIP(address);
    if (family === 4) return !notPublic4.check(address, 'ipv4');
    return family === 6 && global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6');
  };
}

/** Whether an address is among these, in any spelling. */
export function among(addresses: Iterable<string>): (address: string) => boolean {
  const list = new BlockList();
  for (const address of addresses) if (isIP(address) !== 0) list.addAddress(address, familyOf(address));
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function blocks(family: 'ipv4' | 'ipv6', networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}
