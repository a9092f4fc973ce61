// For tests: the gateway's app with a real OpenID Provider, and a browser that logs in there.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Config, OidcProvider } from '../../config/config.ts';
import { LOGIN_BROWSER } from '../../contract/names.ts';
import { type OpenIdProvider, startOpenIdProvider } from '../../identity/authn/oidc/openid-provider.fixture.ts';
import { createOidcProvider } from '../../identity/authn/oidc/provider.ts';
import { createOutbound, type Outbound } from '../../identity/authn/outbound.ts';
import { HTML, useOwnApp } from './own-app.fixture.ts';

export const ROLES: Config['roles'] = [
  { role: 'admin', members: ['group:platform@corp'], scope: null },
  { role: 'viewer', members: ['user:viewer@corp', 'group:team-a@corp'], scope: null },
];

/** The redirect of a browser, with its cookie. */
export interface Sent {
  readonly location: string;
  readonly state: string;
  readonly browser: string;
}

export interface Finish {
  readonly browser?: string;
  readonly session?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const CALLBACK = 'http://localhost:8200/.lictor/callback/corp';

export function useOidcApp() {
  const own = useOwnApp({ start: Date.now });
  let openid: OpenIdProvider | undefined;
  let outbound: Outbound | undefined;
  const idp = (): OpenIdProvider => {
    if (openid === undefined) throw new Error('outside of a test');
    return openid;
  };
  beforeAll(async () => {
    openid = await startOpenIdProvider([CALLBACK]);
    outbound = createOutbound({ caFile: null, timeoutMs: 20_000 });
  });
  afterAll(async () => {
    await outbound?.close();
    await openid?.close();
  });

  /** The gateway has no metadata of the provider yet. */
  const connect = (change: Partial<OidcProvider> = {}, config: Partial<Config> = {}): void => {
    const { test } = own.get();
    const settings: OidcProvider = {
      id: 'corp',
      type: 'oidc',
      issuer: idp().issuer,
      clientId: idp().client.id,
      clientSecret: idp().client.secret,
      scopes: ['openid', 'profile', 'email'],
      groupsClaim: 'groups',
      caFile: null,
      ...change,
    };
    if (outbound === undefined) throw new Error('outside of a test');
    const provider = createOidcProvider({ config: settings, outbound, clock: test.clock, steady: test.steady, marks: test.store.marks });
    own.reconfigure({ config: { identityProviders: [settings], roles: ROLES, ...config }, providers: [provider] });
  };

  beforeEach(() => {
    const { accounts, bends, instead, requests } = idp();
    bends.clear();
    instead.clear();
    accounts.clear();
    requests.length = 0;
    accounts.set('sub-alice', { preferred_username: 'alice', groups: ['platform'] });
    accounts.set('sub-bob', { preferred_username: 'bob', groups: ['other'] });
    connect();
  });

  const go = async (page = '/.lictor/login'): Promise<Sent> => {
    const answer = await own.ask(page, { headers: HTML });
    if (answer.statusCode !== 302) throw new Error(`${answer.statusCode}: ${answer.body.slice(0, 3000)}`);
    const location = String(answer.headers.location);
    const [, state = '', browser = ''] = /^lictor-login-([\w-]{22})=([\w-]{43});/.exec(String(answer.headers['set-cookie'])) ?? [];
    return { location, state, browser };
  };
  const finish = (callback: URL, { browser = '', session = '', headers = {} }: Finish = {}) =>
    own.ask(`${callback.pathname}${callback.search}`, { session, headers: { ...HTML, [LOGIN_BROWSER]: browser, ...headers } });
  /** A whole login at the provider. */
  const signIn = async (subject = 'sub-alice', more: Finish = {}) => {
    const sent = await go();
    return await finish(await idp().browse(sent.location, subject), { browser: sent.browser, ...more });
  };
  return { ...own, idp, connect, go, finish, signIn };
}

type Answer = Awaited<ReturnType<ReturnType<typeof useOidcApp>['signIn']>>;

export function sessionOfAnswer(answer: Pick<Answer, 'headers'>): string {
  const line = [answer.headers['set-cookie'] ?? []].flat().find((cookie) => cookie.startsWith('lictor=')) ?? '';
  return /^lictor=([^;]*)/.exec(line)?.[1] ?? '';
}

/** The stable code that the page shows; the page of a missing role has none. */
export function codeOf(answer: Pick<Answer, 'body'>): string {
  return (
    /<code>([a-z-]+)<\/code><code>/.exec(answer.body)?.[1] ?? (answer.body.includes('No access yet') ? 'role-missing' : `no code: ${answer.body.slice(-700)}`)
  );
}
