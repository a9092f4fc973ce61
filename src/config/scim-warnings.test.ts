import { expect, it } from 'vitest';
import type { Config } from './config.ts';
import { scimWarnings } from './scim-warnings.ts';

const provider = (id: string, groupsClaim: string): Config['identityProviders'][number] => ({
  id,
  type: 'oidc',
  issuer: 'https://idp.example.com',
  clientId: 'lictor',
  clientSecret: null,
  scopes: ['openid'],
  groupsClaim,
  caFile: null,
});

it('warns of application roles that the groups of SCIM replace, and only of these', () => {
  const identityProviders = [provider('corp', 'roles'), provider('other', 'roles'), provider('third', 'groups')];
  const warned = (...idps: readonly string[]) => scimWarnings({ identityProviders, scim: idps.map((idp) => ({ idp, token: 'x' })) }).map(({ path }) => path);
  expect(warned('corp', 'third')).toEqual(['identity_providers[0].groups_claim']);
  expect(warned('third')).toEqual([]);
  expect(warned()).toEqual([]);
});
