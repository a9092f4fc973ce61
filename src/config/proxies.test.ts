import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile } from './test-file.ts';

const file = openTestFile();
afterAll(() => file.remove());

const BEHIND = `public_url: https://prefect.example.com
listen: 127.0.0.1:8200
tls_terminated_upstream: true
trusted_proxies: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
prefect: { url: http://127.0.0.1:4200 }
`;

describe('running behind another proxy', () => {
  it('needs no certificate, and knows whose word counts', () => {
    expect(file.load(BEHIND)).toMatchObject({
      ok: true,
      config: { tls: null, publicUrl: { secure: true }, proxies: { terminateTls: true, trusted: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'] } },
    });
  });
  it('trusts nobody by default', () => {
    expect(file.load('public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\n')).toMatchObject({
      ok: true,
      config: { proxies: { terminateTls: false, trusted: [] } },
    });
  });
  it.each([
    ['no proxy named', BEHIND.replace(/trusted_proxies.*\n/, ''), ['trusted_proxies']],
    ['everybody trusted', BEHIND.replace('10.0.0.0/8', '0.0.0.0/0'), ['trusted_proxies[0]']],
    ['no network', BEHIND.replace('10.0.0.0/8', 'proxy.example.com'), ['trusted_proxies[0]']],
    ['a prefix too long', BEHIND.replace('10.0.0.0/8', '10.0.0.0/33'), ['trusted_proxies[0]']],
    ['text that would break nginx', BEHIND.replace('10.0.0.0/8', '"10.0.0.0/8; } evil {"'), ['trusted_proxies[0]']],
    ['plain http in public_url', BEHIND.replace('https://prefect.example.com', 'http://localhost:8200'), ['tls_terminated_upstream']],
    ['no address to listen on', BEHIND.replace(/listen.*\n/, ''), ['listen']],
  ])('refuses %s', (_what, text, expected) => {
    expect(file.places(text)).toEqual(expected);
  });
});
