import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { among, createIsPublic } from './addresses.ts';

const isPublic = createIsPublic();

describe('addresses', () => {
  it.each([
    '93.184.216.34',
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('of others are public: %s', (address) => expect(isPublic(address)).toBe(true));

  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.1.1.1'],
    ...['240.0.0.1', '255.255.255.255', '168.63.129.16'],
    ...[
      '::',
      '::1',
      '::ffff:93.184.216.34',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::5db8:d822',
      '64:ff9b:1::1',
      '100::1',
      '2001::1',
      '2001:db8::1',
    ],
    ...[
      '2002:7f00:1::',
      '2002:5db8:d822::1',
      '3fff::1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'fe80::1%eth0',
      '2606:4700::1%eth0',
      'fec0::1',
      'ff02::1',
      '4000::1',
    ],
    ...['', 'localhost', '2130706433', '0x7f000001', '0177.0.0.1', '127.1'],
  ])('of this machine, of networks, and of none are not: %s', (address) => expect(isPublic(address)).toBe(false));

  it('of private networks never are, whichever', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, (a, b, c) => {
        const tails = [
          `10.${a}.${b}.${c}`,
          `127.${a}.${b}.${c}`,
          `192.168.${b}.${c}`,
          `169.254.${b}.${c}`,
          `100.${64 + (a % 64)}.${b}.${c}`,
          `172.${16 + (a % 16)}.${b}.${c}`,
        ];
        for (const address of tails) {
          expect(isPublic(address)).toBe(false);
          expect(isPublic(`::ffff:${address}`)).toBe(false);
        }
      }),
    );
  });

  it('are the same however they are spelt', () => {
    const isOwn = among(['2606:4700:0:0:0:0:0:1', '8.8.8.8', 'no address']);
    expect(isOwn('2606:4700::1')).toBe(true);
    expect(isOwn('8.8.8.8')).toBe(true);
    expect(isOwn('2606:4700::2')).toBe(false);
    expect(isOwn('8.8.8.9')).toBe(false);
  });
});
