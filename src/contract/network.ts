// The key for guessing limits: an IPv4 address, or the /64 of an IPv6 subscriber; and the /48 of a site.
import { isIPv6 } from 'node:net';

const GROUPS = 8;
const BITS = 16;

/** An invalid address is its own key. */
export function guesserKey(address: string): string {
  return networkOf(address, 64);
}

/** The /48 with its 65,536 networks of subscribers; an IPv4 address itself. */
export function siteKey(address: string): string {
  return networkOf(address, 48);
}

function networkOf(address: string, bits: number): string {
  const plain = unmapped(address);
  if (!isIPv6(plain)) return plain;
  return `${expand(plain)
    .slice(0, bits / BITS)
    .join(':')}::/${bits}`;
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
