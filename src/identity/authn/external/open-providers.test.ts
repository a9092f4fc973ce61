// Which providers people can log in at, and the URLs that each gets.
import { expect, it } from 'vitest';
import type { Config } from '../../../config/config.ts';
import { createOutbounds } from '../outbounds.ts';
import { newKey } from '../saml/idp.fixture.ts';
import { openProviders } from './open-providers.ts';

const OIDC: Config['identityProviders'][number] = {
  id: 'corp',
  type: 'oidc',
  issuer: 'https://idp.example',
  clientId: 'lictor',
  clientSecret: null,
  scopes: ['openid'],
  groupsClaim: 'groups',
  caFile: null,
};
const SAML: Config['identityProviders'][number] = {
  id: 'adfs',
  type: 'saml',
  metadata: { file: '/nowhere' },
  groupsAttribute: 'groups',
  idpInitiated: false,
  caFile: null,
};

it('are those of OpenID Connect and SAML, in the order of lictor.yaml; the key for SAML is made when it is needed', async () => {
  let made = 0;
  const signer = async () => {
    made += 1;
    return await newKey();
  };
  const publicUrl = { origin: 'https://x.example', hostname: 'x.example', port: 443, secure: true, basePath: '/prefect' };
  const config = { publicUrl, identityProviders: [SAML, { id: 'local', type: 'accounts' } as const, OIDC] };
  const outbounds = createOutbounds(1000);
  const providers = openProviders({
    config,
    outboundFor: outbounds.to,
    marks: { once: async () => true },
    clock: Date.now,
    steady: () => 0,
    samlSigner: signer,
  });
  expect(providers.map(({ idp, saml }) => [idp, saml !== undefined])).toEqual([
    ['adfs', true],
    ['corp', false],
  ]);
  expect(made).toBe(0);
  expect(await providers[0]?.saml?.ownMetadata()).toContain('entityID="https://x.example/prefect/.lictor/saml/adfs/metadata"');
  await expect(providers[0]?.ready()).rejects.toThrow('/nowhere cannot be read');
  expect(made).toBe(1);
  await outbounds.close();
});
