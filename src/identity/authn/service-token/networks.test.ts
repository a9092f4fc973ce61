// Networks in CIDR notation.
import { describe, expect, it } from 'vitest';
import { isInNetworks, parseNetwork } from './networks.ts';

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::FFFF:11.1.2.3', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '11.9.9.9', false],
    ['2001:db8::/32', '2001:db8:1::9', true],
    ['2001:db8::/32', '2001:db9::9', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', 'unix:', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/33', '10.0.0.1', false],
    ['nonsense', '10.0.0.1', false],
  ])('%s and %s: %s', (network, address, inside) => expect(isInNetworks(address, [network])).toBe(inside));

  it('permit every address if there are none, and one of several is enough', () => {
    expect(isInNetworks('unix:', [])).toBe(true);
    expect(isInNetworks('10.0.0.1', ['192.168.0.0/16', '10.0.0.0/8'])).toBe(true);
    expect(isInNetworks('172.16.0.1', ['192.168.0.0/16', '10.0.0.0/8'])).toBe(false);
  });

  it('permit no address if one of them cannot be parsed', () => {
    expect(isInNetworks('10.0.0.1', ['10.0.0.0/8', 'nonsense'])).toBe(false);
  });

  it.each([
    '',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '010.0.0.1',
    'fe80::1%eth0',
    '::/129',
    ' 10.0.0.1',
    '10.0.0.0/8 ',
    'localhost',
  ])('are refused when they read %j', (text) => expect(parseNetwork(text)).toBeUndefined());
});
