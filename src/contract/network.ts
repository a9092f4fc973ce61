// One key per guesser: an IPv4 address, or the /64 that one subscriber of IPv6 has.
import { isIPv6 } from 'node:net';

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** Addresses that cannot be read count as themselves. */
export function guesserKey(address: string): string {
  const plain = unmapped(address);
  if (!isIPv6(plain)) return plain;
  return `${expand(plain).slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** `2001:db8::1` -> eight groups without leading zeros. */
function expand(address: string): readonly string[] {
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const start = groups(head);
  const end = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: Math.max(0, GROUPS - start.length - end.length) }, () => '0');
  return [...start, ...zeros, ...end].map((group) => group.replace(/^0+(?=.)/, ''));
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

/** `::ffff:10.1.2.3` -> `10.1.2.3`; anything else unchanged. */
export function unmapped(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
