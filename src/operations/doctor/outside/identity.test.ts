import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../../config/config.ts';
import { type Outbound, OutboundError } from '../../../identity/authn/outbound.ts';
import { identityCheck } from './identity.ts';

const NOW_MS = 1_700_000_000_000;
const ISSUER = 'https://idp.example/realms/data';
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const OIDC: IdentityProvider = {
  id: 'corp',
  type: 'oidc',
  issuer: ISSUER,
  clientId: 'lictor',
  clientSecret: 'x',
  scopes: ['openid'],
  groupsClaim: 'groups',
  caFile: null,
};
const JWT: IdentityProvider = { id: 'ci', type: 'jwt', issuer: ISSUER, audiences: ['lictor'], jwksUri: null, require: {}, principalClaim: 'sub', caFile: null };

function outboundOf(answers: Readonly<Record<string, unknown>>, dateMs = NOW_MS): Outbound {
  return {
    fetch: async (url) => {
      const answer = answers[String(url)];
      if (answer === undefined) throw new OutboundError('idp.example gave no answer: ECONNREFUSED');
      return Response.json(answer, { headers: { date: new Date(dateMs).toUTCString() } });
    },
    close: async () => undefined,
  };
}

const look = async (provider: IdentityProvider, outbound: Outbound) =>
  (await identityCheck({ provider, outboundFor: () => outbound, clock: () => NOW_MS })?.())?.map(({ status, message }) => `${status} ${message}`);

describe('an OpenID Provider', () => {
  it('that answers for its issuer is fine, and so is its clock', async () => {
    expect(await look(OIDC, outboundOf({ [DISCOVERY]: { issuer: ISSUER } }))).toEqual([
      `ok corp: ${ISSUER} answers`,
      "ok the clock of corp agrees with this machine's",
    ]);
  });

  it('that is away, is another one, or has another time is named', async () => {
    expect(await look(OIDC, outboundOf({}))).toEqual(['fail corp: idp.example gave no answer: ECONNREFUSED']);
    expect((await look(OIDC, outboundOf({ [DISCOVERY]: { issuer: 'https://other.example' } })))?.[0]).toContain('fail corp:');
    expect(await look(OIDC, outboundOf({ [DISCOVERY]: { issuer: ISSUER } }, NOW_MS + 3_600_000))).toContain(
      "fail the clock of corp is 3600 s ahead of this machine's",
    );
  });
});

describe('an issuer of workload tokens', () => {
  it('needs keys', async () => {
    const metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` };
    const key = { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'a' };
    expect((await look(JWT, outboundOf({ [DISCOVERY]: metadata, [`${ISSUER}/keys`]: { keys: [key] } })))?.[0]).toBe(`ok ci: ${ISSUER} publishes one key`);
    expect((await look(JWT, outboundOf({ [DISCOVERY]: metadata, [`${ISSUER}/keys`]: { keys: [] } })))?.[0]).toBe(`fail ci: ${ISSUER} publishes no key`);
    expect((await look(JWT, outboundOf({ [DISCOVERY]: metadata })))?.[0]).toContain('fail ci: idp.example gave no answer');
  });
});

describe('a SAML provider', () => {
  it('whose metadata is none is named', async () => {
    const saml: IdentityProvider = {
      id: 'adfs',
      type: 'saml',
      metadata: { file: '/nowhere/metadata.xml' },
      groupsAttribute: 'groups',
      caFile: null,
      idpInitiated: false,
    };
    expect((await look(saml, outboundOf({})))?.[0]).toMatch(/^fail adfs: /);
    const url = 'https://idp.example/metadata';
    expect((await look({ ...saml, metadata: { url } }, outboundOf({ [url]: { not: 'xml' } })))?.[0]).toMatch(/^fail adfs: /);
  });
});

it('asks no server where there is none to ask', () => {
  expect(identityCheck({ provider: { id: 'local', type: 'accounts' }, outboundFor: () => outboundOf({}), clock: () => NOW_MS })).toBeUndefined();
});
