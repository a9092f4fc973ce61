// Which addresses a provider's metadata may contain.
import { describe, expect, it } from 'vitest';
import type { OidcProvider } from '../../../config/config.ts';
import { OutboundError } from '../outbound.ts';
import { createDiscovery } from './client.ts';

const ADDRESSES = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint'] as const;

function clientOf(issuer: string, change: Readonly<Record<string, string>>) {
  const config: OidcProvider = {
    ...{ id: 'corp', type: 'oidc', issuer, clientId: 'lictor', clientSecret: null, scopes: ['openid'], groupsClaim: 'groups', caFile: null },
  };
  const metadata = { issuer, ...Object.fromEntries(ADDRESSES.map((name) => [name, `${issuer}/${name}`])), ...change };
  const fetch = async (): Promise<Response> => Response.json(metadata);
  return createDiscovery({ config, outbound: { fetch }, clock: () => 0, steady: () => 0 }).client();
}

describe('addresses of a provider on https', () => {
  it('have https too', async () => {
    expect((await clientOf('https://idp.example', {})).metadata.issuer).toBe('https://idp.example');
  });

  it.each(ADDRESSES)('rejects %s in plain http, on this machine and elsewhere', async (name) => {
    for (const host of ['127.0.0.1:4200', 'localhost', '[::1]', 'idp.example'])
      await expect(clientOf('https://idp.example', { [name]: `http://${host}/api` })).rejects.toThrow(`${name} is no https address`);
  });
});

describe('addresses of a provider on this machine', () => {
  it('may have plain http there', async () => {
    expect((await clientOf('http://127.0.0.1:9', { jwks_uri: 'http://localhost:9/keys' })).metadata.jwks_uri).toBe('http://localhost:9/keys');
  });

  it.each(['http://idp.localhost:9', 'http://[::1]:9', 'http://127.9.9.9:9'])('may be %s, as lictor check accepts it', async (issuer) => {
    expect((await clientOf(issuer, {})).metadata.issuer).toBe(issuer);
  });

  it.each(['http://localhost.example.com', 'http://idplocalhost', 'http://127.0.0.1.example.com'])('is not %s', async (elsewhere) => {
    await expect(clientOf('http://idp.localhost:9', { token_endpoint: `${elsewhere}/x` })).rejects.toThrow('token_endpoint is no https address');
  });

  it.each(ADDRESSES)('rejects %s in plain http elsewhere', async (name) => {
    await expect(clientOf('http://127.0.0.1:9', { [name]: 'http://idp.example/x' })).rejects.toThrow(`${name} is no https address`);
  });
});

describe('a provider that did not answer', () => {
  it.each([-3_600_000, 3_600_000])('is asked again after two seconds, and not before, if the clock steps by %i ms', async (putMs) => {
    let [nowMs, wallMs, asked] = [0, 1_700_000_000_000, 0];
    const fetch = async (): Promise<Response> => {
      asked += 1;
      throw new OutboundError('idp.example gave no answer: ECONNREFUSED');
    };
    const config = { issuer: 'https://idp.example', clientId: 'c', clientSecret: null } as OidcProvider;
    const { present } = createDiscovery({ config, outbound: { fetch }, clock: () => wallMs, steady: () => nowMs });
    const ask = () => present().catch(() => asked);
    expect(await ask()).toBe(1);
    wallMs += putMs;
    nowMs += 1_999;
    expect(await ask()).toBe(1);
    nowMs += 1;
    expect(await ask()).toBe(2);
  });
});
