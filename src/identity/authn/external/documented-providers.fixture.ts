// For tests: what Okta, Entra ID and Google answer, in the form that their documentation gives. Without times, nonce and audience.
import { type JWK, SignJWT } from 'jose';
import type { OidcProvider } from '../../../config/config.ts';
import { type SigningKey, signingKey } from '../jwt/issuer.fixture.ts';
import { createOidcProvider } from '../oidc/provider.ts';
import type { NotProven, Proven } from './provider.ts';

type Claims = Readonly<Record<string, unknown>>;

export const NOW_MS = 1_700_000_000_000;
const CALLBACK = 'https://prefect.example.com/.lictor/callback/corp';

/** The metadata of each provider; the paths are below the address that ends its issuer's host. */
const METADATA: Readonly<Record<string, (issuer: string) => Claims>> = {
  'acme.okta.com': (issuer) => {
    const base = issuer.endsWith('/oauth2/default') ? `${issuer}/v1` : `${issuer}/oauth2/v1`;
    return {
      issuer,
      ...{ authorization_endpoint: `${base}/authorize`, token_endpoint: `${base}/token`, userinfo_endpoint: `${base}/userinfo`, jwks_uri: `${base}/keys` },
      end_session_endpoint: `${base}/logout`,
      response_types_supported: ['code', 'id_token', 'code id_token', 'code token', 'id_token token', 'code id_token token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'email', 'profile', 'address', 'phone', 'offline_access', ...(base.includes('default') ? ['device_sso'] : ['groups'])],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none'],
      code_challenge_methods_supported: ['S256'],
    };
  },
  'login.microsoftonline.com': (issuer) => {
    const base = issuer.replace(/\/v2\.0$/, '');
    return {
      issuer,
      ...{ authorization_endpoint: `${base}/oauth2/v2.0/authorize`, token_endpoint: `${base}/oauth2/v2.0/token`, jwks_uri: `${base}/discovery/v2.0/keys` },
      userinfo_endpoint: 'https://graph.microsoft.com/oidc/userinfo',
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      ...{ http_logout_supported: true, frontchannel_logout_supported: true },
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    };
  },
  'accounts.google.com': (issuer) => ({
    issuer,
    authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    token_endpoint: 'https://oauth2.googleapis.com/token',
    userinfo_endpoint: 'https://openidconnect.googleapis.com/v1/userinfo',
    jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
    response_types_supported: ['code', 'token', 'id_token', 'code token', 'code id_token', 'token id_token', 'code token id_token', 'none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['plain', 'S256'],
  }),
};

export const OKTA = {
  /** An ID token that comes with a code has no groups: userinfo has them. */
  token: {
    sub: '00uid4BxXw6I6TV4m0g3',
    ver: 1,
    jti: 'ID.4eAWJOCMB3SX8XewDfVR',
    amr: ['pwd', 'mfa', 'otp'],
    idp: '00oid7lUrFSzBTXXX0g3',
    auth_time: 1_699_999_990,
  },
  userinfo: {
    ...{ sub: '00uid4BxXw6I6TV4m0g3', name: 'Alice Example', preferred_username: 'alice@acme.example', email: 'alice@acme.example', email_verified: true },
    ...{ locale: 'en-US', zoneinfo: 'Europe/Vienna', updated_at: 1_699_000_000 },
  },
} as const;

export const ENTRA = {
  token: {
    ...{ aio: 'AXQAi/8TAAAA', rh: '0.ARoAv4j5cvGGr0GRqy180BHbR', uti: 'fqiBqXLPj0eQa82S-IYFAA', ver: '2.0' },
    ...{ name: 'Alice Example', oid: '00000000-0000-0000-66f3-3332eca7ea81', preferred_username: 'alice@contoso.example' },
    ...{ sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', tid: '833ced3d-cb2e-41de-92f1-29e2af035ddc' },
  },
  userinfo: {
    ...{ sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', name: 'Alice Example', given_name: 'Alice', family_name: 'Example' },
    picture: 'https://graph.microsoft.com/v1.0/me/photo/$value',
  },
  /** More than 200 groups. */
  overage: {
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.windows.net/833ced3d-cb2e-41de-92f1-29e2af035ddc/users/alice/getMemberObjects' } },
  },
} as const;

export const GOOGLE = {
  token: {
    ...{ sub: '10769150350006150715113082367', azp: '123456789012-abc.apps.googleusercontent.com', name: 'Alice Example', given_name: 'Alice' },
    ...{ email: 'alice@acme.example', email_verified: true, hd: 'acme.example', picture: 'https://lh3.googleusercontent.com/a-/photo' },
  },
  userinfo: { sub: '10769150350006150715113082367', email: 'alice@acme.example', email_verified: true, hd: 'acme.example', name: 'Alice Example' },
} as const;

export interface Played {
  readonly token: Claims;
  readonly userinfo: Claims;
}

let key: Promise<SigningKey> | undefined;

/** A whole login at a provider that answers like this. `asked`: the authorization request. */
export async function logIn(config: OidcProvider, answers: Played): Promise<{ readonly asked: URL; readonly proof: Proven | NotProven }> {
  key ??= signingKey('provider', 'RS256');
  const signer = await key;
  let nonce = '';
  const fetch = async (url: string | URL): Promise<Response> => {
    const metadata = METADATA[new URL(config.issuer).hostname]?.(config.issuer) ?? {};
    if (String(url) === `${config.issuer}/.well-known/openid-configuration`) return Response.json(metadata);
    if (String(url) === metadata['jwks_uri']) return Response.json({ keys: [signer.publicJwk] satisfies JWK[] });
    if (String(url) === metadata['userinfo_endpoint']) return Response.json(answers.userinfo);
    if (String(url) !== metadata['token_endpoint']) return new Response(null, { status: 404 });
    const times = { iat: NOW_MS / 1000, exp: NOW_MS / 1000 + 3600 };
    const claims = { iss: config.issuer, aud: config.clientId, nonce, ...times, ...answers.token };
    const idToken = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: signer.kid }).sign(signer.privateKey);
    return Response.json({ access_token: 'opaque', token_type: 'Bearer', expires_in: 3600, id_token: idToken });
  };
  const provider = createOidcProvider({ config, outbound: { fetch }, clock: () => NOW_MS, steady: () => 0, marks: { once: async () => true } });
  const state = 'a'.repeat(22);
  const begun = await provider.begin({ state, callbackUrl: CALLBACK, asOtherPrincipal: false });
  if (!begun.ok) throw new Error(begun.detail);
  const asked = new URL(begun.location);
  nonce = asked.searchParams.get('nonce') ?? '';
  const params = new URLSearchParams({ code: 'code', state });
  return { asked, proof: await provider.finish({ params, state, callbackUrl: CALLBACK, secret: begun.secret }) };
}
