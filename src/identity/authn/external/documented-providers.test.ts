// docs/how-to/okta.md, entra.md and google.md: their configurations, with answers in the form that each provider documents.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { docsBlock } from '../../../../test/env/docs.ts';
import type { Config, OidcProvider } from '../../../config/config.ts';
import { openTestFile, SMALLEST } from '../../../config/test-file.ts';
import { createRoleBook } from '../roles.ts';
import { assertionText, encode, metadataText, newKey, responseText, at as samlAt, sign } from '../saml/idp.fixture.ts';
import { createSamlProvider } from '../saml/provider.ts';
import { ENTRA, GOOGLE, logIn, NOW_MS, OKTA, type Played } from './documented-providers.fixture.ts';

const WHOLE = 'public_url: https://prefect.example.com\ntls: { cert';
const PROVIDER = 'identity_providers:\n  - id: corp\n';
const file = openTestFile();
beforeAll(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['Date'] });
  file.write('oidc-secret', 'the-client-secret');
});
afterAll(() => {
  vi.useRealTimers();
  file.remove();
});

/** A block of a page as configuration. The certificate is only of interest where Lictor serves. */
function configured(page: string, beginning: string): Config {
  const text = docsBlock(`how-to/${page}.md`, beginning)
    .replaceAll('/etc/lictor', file.directory)
    .replace(/^tls: .*\n/m, 'tls: { self_made: true }\n')
    .replace(/, auth_string_file: [^ }]+/, '');
  return file.accepted(text.startsWith('public_url:') ? text : `${SMALLEST}${text}`);
}

function oidcOf({ identityProviders }: Config): OidcProvider {
  const [provider] = identityProviders;
  if (provider?.type !== 'oidc') throw new Error('the page has no provider of type oidc');
  return provider;
}

/** The person's id and roles, or the reason of the rejection. */
async function outcome(config: Config, answers: Played): Promise<string> {
  const { proof } = await logIn(oidcOf(config), answers);
  if (!proof.ok) return proof.reason;
  if (proof.groupsMissing !== undefined) return proof.groupsMissing.reason;
  const roles = createRoleBook(config.roles).ofIdentity(proof.identity);
  return `${proof.identity.name}@${proof.identity.idp}: ${roles.map(({ role }) => role).join()}`;
}

const scopesOf = async (config: Config, answers: Played): Promise<string | null> => (await logIn(oidcOf(config), answers)).asked.searchParams.get('scope');

describe('docs/how-to/okta.md', () => {
  const okta = (groups?: readonly string[]): Played => ({ ...OKTA, userinfo: { ...OKTA.userinfo, ...(groups !== undefined && { groups }) } });

  it('gives roles by the groups that userinfo has, and none without a group', async () => {
    const config = configured('okta', WHOLE);
    expect(await outcome(config, okta(['prefect-admins']))).toBe('alice@acme.example@corp: admin');
    expect(await outcome(config, okta(['prefect-team-a']))).toBe('alice@acme.example@corp: operator');
    expect(await outcome(config, okta(['prefect-admins-evil']))).toBe('alice@acme.example@corp: ');
    expect(await outcome(config, okta())).toBe('alice@acme.example@corp: ');
    expect(await outcome(config, okta(Array.from({ length: 100 }, (_, index) => `prefect-${index}`)))).toBe('groups-overage');
    expect(await scopesOf(config, okta())).toBe('openid profile email groups offline_access');
  });

  it('asks a custom authorization server for no scope that it does not have', async () => {
    const config = configured('okta', PROVIDER);
    const { asked, proof } = await logIn(oidcOf(config), { token: { ...OKTA.token, groups: ['prefect-admins'] }, userinfo: {} });
    expect(asked.searchParams.get('scope')).toBe('openid profile email offline_access');
    expect(asked.href).toMatch(/^https:\/\/acme\.okta\.com\/oauth2\/default\/v1\/authorize\?/);
    expect(proof).toMatchObject({ ok: true, identity: { groups: ['prefect-admins'] } });
  });
});

describe('docs/how-to/entra.md', () => {
  const entra = (claims: Readonly<Record<string, unknown>>): Played => ({ ...ENTRA, token: { ...ENTRA.token, ...claims } });
  const ID = '0760b6cf-170e-4a14-91b3-4b78e0739963';

  it('gives roles by application role, also with more than 200 groups', async () => {
    const config = configured('entra', WHOLE);
    expect(await outcome(config, entra({ roles: ['Prefect.Admin'] }))).toBe('alice@contoso.example@corp: admin');
    expect(await outcome(config, entra({ roles: ['Prefect.TeamA'], ...ENTRA.overage }))).toBe('alice@contoso.example@corp: operator');
    expect(await outcome(config, entra({ roles: ['Prefect.Other'] }))).toBe('alice@contoso.example@corp: ');
    expect(await outcome(config, entra({}))).toBe('alice@contoso.example@corp: ');
  });

  it('gives roles by the object id of a group, and rejects a login with more than 200 groups', async () => {
    const config = configured('entra', PROVIDER);
    expect(await outcome(config, entra({ groups: [ID] }))).toBe('alice@contoso.example@corp: admin');
    expect(await outcome(config, entra({ groups: ['Data Platform'] }))).toBe('alice@contoso.example@corp: ');
    expect(await outcome(config, entra(ENTRA.overage))).toBe('groups-overage');
    expect(await outcome(config, entra({ hasgroups: true }))).toBe('groups-overage');
  });

  it('lets no one in who comes from another tenant', async () => {
    const config = configured('entra', PROVIDER);
    const iss = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0';
    expect(await outcome(config, entra({ iss, groups: [ID] }))).toBe('id-token-invalid');
  });
});

describe('docs/how-to/google.md', () => {
  const google = (claims: Readonly<Record<string, unknown>>): Played => ({
    token: { ...GOOGLE.token, ...claims },
    userinfo: { ...GOOGLE.userinfo, ...claims },
  });

  it('gives roles by verified address and by domain, and none to a private account with an address of the domain', async () => {
    const config = configured('google', WHOLE);
    expect(await outcome(config, google({}))).toBe('alice@acme.example@google: admin,viewer');
    expect(await outcome(config, google({ email: 'carol@acme.example' }))).toBe('carol@acme.example@google: viewer');
    expect(await outcome(config, google({ email: 'carol@acme.example', hd: undefined }))).toBe('carol@acme.example@google: ');
    expect(await outcome(config, google({ email_verified: false, hd: undefined }))).toBe(`${GOOGLE.token.sub}@google: `);
    expect(await scopesOf(config, google({}))).toBe('openid profile email');
    const everyone = docsBlock('how-to/google.md', WHOLE).replace('"claim:hd=acme.example@google"', '"*@google"');
    expect(file.places(everyone.replaceAll('/etc/lictor', file.directory))).toContain('roles[2].members[0]');
  });

  it('gives roles by the groups of a SAML assertion', async () => {
    const key = await newKey();
    file.write('google-metadata.xml', metadataText({ keys: [key] }));
    const config = configured('google', 'identity_providers:\n  - { id: google, type: saml');
    const [provider] = config.identityProviders;
    if (provider?.type !== 'saml') throw new Error('the page has no provider of type saml');
    const ownUrl = 'https://prefect.example.com/.lictor/saml/google';
    const signer = async () => key;
    const fetch = async (): Promise<Response> => new Response(null, { status: 404 });
    const saml = createSamlProvider({
      config: provider,
      outbound: { fetch },
      clock: () => NOW_MS,
      steady: () => 0,
      marks: { once: async () => true },
      ownUrl,
      signer,
    });
    const rolesOf = async (group: string): Promise<readonly string[]> => {
      const state = 'a'.repeat(22);
      const begun = await saml.begin({ state, callbackUrl: '', asOtherPrincipal: false });
      if (!begun.ok) throw new Error(begun.detail);
      const inResponseTo = String(JSON.parse(begun.secret)['request_id']);
      const attributes = `<saml:Attribute Name="groups"><saml:AttributeValue>${group}</saml:AttributeValue></saml:Attribute>`;
      const own = { audience: `${ownUrl}/metadata`, recipient: `${ownUrl}/acs`, inResponseTo, issued: samlAt(0) };
      const format = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
      const assertion = sign(assertionText({ ...own, nameId: 'alice@acme.example', format, attributes }), key, 'Assertion');
      const response = encode(responseText(assertion, { destination: `${ownUrl}/acs`, inResponseTo }));
      const params = new URLSearchParams({ SAMLResponse: response, RelayState: state });
      const proof = await saml.finish({ params, state, callbackUrl: '', secret: begun.secret });
      if (!proof.ok) throw new Error(proof.detail);
      return createRoleBook(config.roles)
        .ofIdentity(proof.identity)
        .map(({ role }) => role);
    };
    expect(await rolesOf('Data Platform')).toEqual(['admin']);
    expect(await rolesOf('Data Platform Guests')).toEqual([]);
  });
});
