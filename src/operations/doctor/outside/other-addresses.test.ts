import { describe, expect, it } from 'vitest';
import { answer, answering, PAGE, REFUSED } from './answers.fixture.ts';
import { addressesOf, checkOtherAddresses } from './other-addresses.ts';

const UNAUTHORIZED = answer(401, { exception_message: 'Unauthorized' });
const at = (open: Readonly<Record<string, typeof PAGE>>) => answering(({ url }) => open[new URL(url).host] ?? REFUSED);
const check = (url: string, open: Parameters<typeof at>[0], addresses = ['10.1.2.3', 'fd00::7']) => checkOtherAddresses({ url, probe: at(open) }, addresses);

describe('other addresses of Prefect on this machine', () => {
  it('are none when it listens on loopback alone', async () => {
    expect(await check('http://127.0.0.1:4200', { '127.0.0.1:4200': UNAUTHORIZED })).toMatchObject([{ status: 'ok' }]);
  });

  it('are none where Prefect does not run, and the line does not claim that it answers', async () => {
    expect(await check('http://localhost:4200', {})).toEqual([
      { status: 'ok', message: 'Prefect answers at no other address of this machine than http://localhost:4200', remedy: null },
    ]);
  });

  it('are named, with an auth string or without', async () => {
    expect(await check('http://127.0.0.1:4200', { '10.1.2.3:4200': UNAUTHORIZED, '[fd00::7]:4200': answer(200, '"3.9.1"') })).toMatchObject([
      {
        status: 'warn',
        message: expect.stringContaining('http://10.1.2.3:4200 and http://[fd00::7]:4200'),
        remedy: expect.stringContaining('--host 127.0.0.1'),
      },
    ]);
  });

  it('are not those where another server answers', async () => {
    expect(await check('http://127.0.0.1:4200', { '10.1.2.3:4200': PAGE, '[fd00::7]:4200': answer(401, { detail: 'no' }) })).toMatchObject([{ status: 'ok' }]);
  });

  it('are not looked for when Prefect is elsewhere, or there are none', async () => {
    expect(await check('http://10.0.0.1:4200', { '10.1.2.3:4200': UNAUTHORIZED })).toEqual([]);
    expect(await check('http://127.0.0.1:4200', {}, [])).toEqual([]);
  });

  it('are those of the interfaces that others reach', () => {
    const of = (address: string, internal: boolean) => ({ address, internal, netmask: '', family: 'IPv4' as const, mac: '', cidr: null });
    expect(addressesOf({ lo: [of('127.0.0.1', true)], eth0: [of('10.1.2.3', false), of('fe80::1', false)], none: undefined })).toEqual(['10.1.2.3']);
  });
});
