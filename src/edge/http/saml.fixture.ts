// For tests: the gateway's pages with a SAML provider that signs anything for a test. Everything else is real.
import { inflateRawSync } from 'node:zlib';
import { beforeEach, expect } from 'vitest';
import type { SamlProvider } from '../../config/config.ts';
import { LOGIN_BROWSER } from '../../contract/names.ts';
import { foreign, key } from '../../identity/authn/saml/corpus.fixture.ts';
import { type AssertionText, assertionText, encode, metadataText, NOW_MS, responseText, type SigningKey, sign } from '../../identity/authn/saml/idp.fixture.ts';
import { createSamlProvider } from '../../identity/authn/saml/provider.ts';
import { HTML, useOwnApp } from './own-app.fixture.ts';

export { foreign, key };
export const OWN_URL = 'http://localhost:8200/.lictor/saml/adfs';
const CONFIG: SamlProvider = {
  id: 'adfs',
  type: 'saml',
  metadata: { url: 'https://idp.example/metadata' },
  groupsAttribute: 'groups',
  idpInitiated: false,
  caFile: null,
};
export const PAGE = { 'content-type': 'application/x-www-form-urlencoded', ...HTML };

export interface Begun {
  readonly state: string;
  readonly browser: string;
  readonly request: string;
  readonly requestId: string;
  readonly location: URL;
}

/** The provider's answer to this request: valid, except for the given changes. */
export function answerTo(requestId: string, given: AssertionText = {}, by = key): string {
  const signed = sign(assertionText({ audience: `${OWN_URL}/metadata`, recipient: `${OWN_URL}/acs`, inResponseTo: requestId, ...given }), by, 'Assertion');
  return encode(responseText(signed, { destination: `${OWN_URL}/acs`, inResponseTo: requestId }));
}

/** The session cookie among several Set-Cookie headers. */
export function cookieIn(answer: { readonly headers: Readonly<Record<string, unknown>> }): string {
  const all = [answer.headers['set-cookie'] ?? []].flat().map(String);
  return all.map((line) => /^lictor=([^;]+)/.exec(line)?.[1] ?? '').find((value) => value !== '') ?? '';
}

export function useSamlLogin() {
  const own = useOwnApp();
  let published: readonly SigningKey[] = [key];
  let nowMs = NOW_MS;
  beforeEach(() => {
    published = [key];
    nowMs = NOW_MS;
    open();
  });

  function open(more: Partial<SamlProvider> = {}): void {
    const config = { ...CONFIG, ...more };
    const provider = createSamlProvider({
      config,
      outbound: {
        fetch: async () => new Response(published.length === 0 ? 'gone' : metadataText({ keys: published }), { status: published.length === 0 ? 503 : 200 }),
      },
      clock: () => nowMs,
      steady: () => nowMs,
      marks: own.get().test.store.marks,
      ownUrl: OWN_URL,
      signer: async () => key,
    });
    own.reconfigure({
      providers: [provider],
      config: { identityProviders: [config], roles: [{ role: 'admin', members: ['group:platform@adfs'], scope: null }] },
    });
  }

  async function begin(query = ''): Promise<Begun> {
    const answer = await own.ask(`/.lictor/login?idp=adfs${query}`, { headers: HTML });
    expect(answer.statusCode).toBe(302);
    const location = new URL(String(answer.headers.location));
    const request = inflateRawSync(Buffer.from(location.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
    const [, state = '', browser = ''] = /^lictor-login-([\w-]{22})=([\w-]{43});.*SameSite=Lax/.exec(String(answer.headers['set-cookie'])) ?? [];
    return { state, browser, request, location, requestId: / ID="([^"]+)"/.exec(request)?.[1] ?? '' };
  }

  /** Sends the form again, as the page of the first answer does. */
  const send = (SAMLResponse: string, { state, browser }: Pick<Begun, 'state' | 'browser'>, session = '') =>
    own.ask(`/.lictor/saml/adfs/acs?state=${state}`, {
      method: 'POST',
      sameOrigin: true,
      session,
      headers: { ...PAGE, [LOGIN_BROWSER]: browser },
      body: new URLSearchParams({ SAMLResponse }).toString(),
    });
  const fromProvider = (form: Readonly<Record<string, string>>) =>
    own.ask('/.lictor/saml/adfs/acs', { method: 'POST', headers: PAGE, body: new URLSearchParams(form).toString() });
  const denials = () =>
    own
      .get()
      .records.filter(({ decision }) => decision === 'deny')
      .map(({ reason }) => reason);
  return {
    own,
    begin,
    send,
    fromProvider,
    denials,
    /** The same provider with other settings, as after a reload. */
    open,
    /** The metadata from now on. None: the provider does not answer. */
    publish: (...keys: readonly SigningKey[]) => {
      published = keys;
    },
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}
