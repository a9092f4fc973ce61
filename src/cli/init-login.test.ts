// The test login of `lictor init` at a real OpenID Provider: by device code, by a listener of this machine, and by a pasted address.
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../test/env/free-port.ts';
import { waitFor } from '../../test/env/process.ts';
import type { OidcProvider } from '../config/config.ts';
import { type OpenIdProvider, startOpenIdProvider } from '../identity/authn/oidc/openid-provider.fixture.ts';
import { type TestLoginParts, testLogin } from './init-login.ts';
import { openPrompter } from './prompter.ts';

const PASTED = 'https://prefect.example.com/.lictor/callback/corp';
let provider: OpenIdProvider;
let local: string;
let printed: PassThrough;
let text: string;

beforeAll(async () => {
  local = `http://127.0.0.1:${await freePort()}/.lictor/callback/corp`;
  provider = await startOpenIdProvider([local, PASTED]);
});
afterAll(() => provider.close());
beforeEach(() => {
  provider.bends.clear();
  provider.instead.clear();
  provider.accounts.set('1', { preferred_username: 'alice', groups: ['platform', 'team-a'] });
  text = '';
  printed = new PassThrough();
  printed.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
});

const config = (groupsClaim = 'groups'): OidcProvider => ({
  ...{ id: 'corp', type: 'oidc', issuer: provider.issuer, clientId: provider.client.id, clientSecret: provider.client.secret },
  ...{ scopes: ['openid', 'profile', 'email'], groupsClaim, caFile: null },
});

const parts = (more: Partial<TestLoginParts> = {}): TestLoginParts => ({
  ...{ context: { out: printed }, prompter: undefined, provider: config(), callbackUrl: local },
  answers: { public_url: 'http://127.0.0.1', admins: ['group:platform'] },
  openPrompter: () => openPrompter({ out: printed }, Readable.from([''])),
  ...more,
});

/** The address for the browser. */
async function address(): Promise<string> {
  await waitFor(async () => / {4}http\S+\n/.test(text), { what: 'the address' });
  return / {4}(http\S+)/.exec(text)?.[1] ?? '';
}

/** `change`: what the browser brings back. */
async function logIn(login: Partial<TestLoginParts> = {}, change = (back: URL): URL => back) {
  const done = testLogin(parts(login));
  const back = change(await provider.browse(await address(), '1'));
  const { status } = await fetch(back);
  return { status, seen: await done };
}

describe('a test login with a public_url of this machine', () => {
  it('shows the groups and their claim, and that the person is an admin', async () => {
    const { status, seen } = await logIn();
    expect([status, seen.groups, seen.groupsClaim, seen.later]).toEqual([200, ['platform', 'team-a'], undefined, []]);
    expect(seen.now).toMatchObject([{ status: 'ok', message: 'alice@corp has the groups platform, team-a (claim groups), and would have the role admin' }]);
  });

  it('says that the person is no admin', async () => {
    const { seen } = await logIn({ answers: { public_url: 'http://127.0.0.1', admins: ['group:leads', 'bob'] } });
    expect(seen.later).toMatchObject([{ message: 'alice@corp is not among the admins' }]);
  });

  it('answers nothing but the return with its state', async () => {
    const done = testLogin(parts());
    const back = await provider.browse(await address(), '1');
    const other = new URL(back);
    other.searchParams.set('state', 'another');
    expect([(await fetch(other)).status, (await fetch(new URL('/api', local))).status]).toEqual([404, 404]);
    await fetch(back);
    expect((await done).groups).toHaveLength(2);
    await expect(fetch(back)).rejects.toThrow();
  });

  it.each([
    [
      'an ID token of another login',
      () => provider.bends.set('/token', async (answer) => ({ ...answer, id_token: await forged() })),
      /id-token|the test login failed/,
    ],
    ['a code that the provider refuses', () => provider.instead.set('/token', { status: 400, body: '{"error":"invalid_grant"}' }), /invalid_grant/],
  ])('shows no groups of %s', async (_name, bend, words) => {
    bend();
    const { seen } = await logIn();
    expect(seen).toMatchObject({ groups: [], now: [{ status: 'warn', message: expect.stringMatching(words) }] });
    expect(JSON.stringify(seen)).not.toContain('forged');
  });

  const forged = (): Promise<string> =>
    provider.sign({ iss: provider.issuer, aud: 'lictor', sub: '1', groups: ['forged'], nonce: 'x', iat: Date.now() / 1000, exp: Date.now() / 1000 + 60 });
});

describe('claims of groups', () => {
  beforeEach(() => void provider.accounts.set('1', { preferred_username: 'alice', groups: null, roles: ['admin', 'dev'], amr: ['pwd'] }));
  const bendRoles = (): void =>
    void provider.bends.set('/me', (answer) => ({ ...answer, roles: ['admin', 'dev'], realm_access: { roles: ['x'] }, allowed: [1], amr: ['pwd'] }));

  it('names the lists of a login without the claim, and chooses none from a file', async () => {
    bendRoles();
    const { seen } = await logIn();
    expect(seen).toMatchObject({ groups: [], groupsClaim: undefined, now: [{ status: 'warn', remedy: 'Name one of them: groups_claim.' }] });
    expect(seen.now[0]?.message).toContain('lists in roles (admin, dev), realm_access.roles (x)');
  });

  it('lets a person choose one', async () => {
    bendRoles();
    const { seen } = await logIn({ prompter: await openPrompter({ out: printed }, Readable.from(['2\n'])) });
    expect(seen).toMatchObject({ groups: ['admin', 'dev'], groupsClaim: 'roles', now: [{ status: 'ok' }] });
  });

  it('says when there is none, and when there are too many', async () => {
    expect((await logIn()).seen.now).toMatchObject([{ status: 'warn', message: 'the login of alice@corp has no groups' }]);
    text = '';
    provider.accounts.set('1', { preferred_username: 'alice', _claim_names: { groups: 'src1' } });
    expect((await logIn()).seen.now).toMatchObject([{ status: 'warn', message: 'the provider omits the groups of alice@corp: too many' }]);
  });
});

describe('a test login with a public_url elsewhere', () => {
  it('reads the address that the browser shows', async () => {
    const typed = new PassThrough();
    const done = testLogin(parts({ callbackUrl: PASTED, openPrompter: () => openPrompter({ out: printed }, typed) }));
    typed.write(`${await provider.browse(await address(), '1')}\n`);
    expect((await done).groups).toEqual(['platform', 'team-a']);
  });

  it.each(['', 'no address', `${PASTED}?code=x&state=another`])('shows nothing for the address "%s"', async (line) => {
    const done = testLogin(parts({ callbackUrl: PASTED, openPrompter: () => openPrompter({ out: printed }, Readable.from([`${line}\n`])) }));
    expect(await done).toMatchObject({ groups: [], now: [{ status: 'warn', message: expect.stringContaining('the test login failed') }] });
  });
});

describe('a test login by device code', () => {
  const offer = (): void =>
    void provider.bends.set('/.well-known/openid-configuration', (answer) => ({ ...answer, device_authorization_endpoint: `${provider.issuer}/device` }));
  const begun = { device_code: 'd', user_code: 'WDJB-MJHT', verification_uri: 'https://idp.example.com/device', expires_in: 60, interval: 0.01 };

  it('shows page and code, and reads the login when the person has allowed it', async () => {
    offer();
    provider.instead.set('/device', { status: 200, body: JSON.stringify(begun) });
    const claims = { iss: provider.issuer, aud: 'lictor', sub: '1', preferred_username: 'alice', groups: ['platform'] };
    const now = Math.floor(Date.now() / 1000);
    const idToken = await provider.sign({ ...claims, iat: now, exp: now + 60 });
    provider.instead.set('/token', { status: 200, body: JSON.stringify({ access_token: 'a', token_type: 'Bearer', id_token: idToken }) });
    provider.instead.set('/me', { status: 200, body: '{"sub":"1"}' });
    expect(await testLogin(parts({ callbackUrl: PASTED }))).toMatchObject({ groups: ['platform'] });
    expect(text).toMatch(/idp\.example\.com\/device\n\n {4}WDJB-MJHT/);
  });

  it('logs in by browser where the client has no device flow', async () => {
    offer();
    provider.instead.set('/device', { status: 401, body: '{"error":"unauthorized_client"}' });
    expect((await logIn()).seen.groups).toEqual(['platform', 'team-a']);
  });

  it('shows that the person refused', async () => {
    offer();
    provider.instead.set('/device', { status: 200, body: JSON.stringify(begun) });
    provider.instead.set('/token', { status: 400, body: '{"error":"access_denied"}' });
    expect(await testLogin(parts())).toMatchObject({ groups: [], now: [{ status: 'warn', message: expect.stringContaining('access_denied') }] });
  });
});
