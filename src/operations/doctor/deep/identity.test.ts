import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config, OidcProvider } from '../../../config/config.ts';
import { type OpenIdProvider, startOpenIdProvider } from '../../../identity/authn/oidc/openid-provider.fixture.ts';
import { createOutbound } from '../../../identity/authn/outbound.ts';
import { REMEDIES } from './codes.ts';
import { checkGroups, checkOidcClient, checkTestLogin, loginProblems } from './identity.ts';

const CALLBACK = 'https://prefect.example.com/.lictor/callback/corp';
const outbound = createOutbound({ caFile: null });
let provider: OpenIdProvider;
beforeAll(async () => {
  provider = await startOpenIdProvider([CALLBACK]);
});
beforeEach(() => {
  provider.bends.clear();
  provider.instead.clear();
});
afterAll(async () => {
  await provider.close();
  await outbound.close();
});

const config = (): OidcProvider => ({
  ...{ id: 'corp', type: 'oidc', issuer: provider.issuer, clientId: provider.client.id, clientSecret: provider.client.secret },
  ...{ scopes: ['openid'], groupsClaim: 'groups', caFile: null },
});
const roles: Config['roles'] = [{ role: 'viewer', members: ['group:team-a@corp', 'group:/ops@corp', 'user:bob@corp', 'group:x@other'], scope: null }];

describe('the client at a provider', () => {
  const check = (callbackUrl = CALLBACK, more: Partial<OidcProvider> = {}) => checkOidcClient({ provider: { ...config(), ...more }, outbound, callbackUrl });

  it('is known, with its callback and PKCE', async () => expect(await check()).toMatchObject([{ status: 'ok' }]));

  it('is rejected for its secret, without naming it', async () => {
    const found = await check(CALLBACK, { clientSecret: 'another-secret' });
    expect(found).toMatchObject([{ status: 'fail', code: 'client-rejected', remedy: REMEDIES['client-rejected'] }]);
    expect(JSON.stringify(found)).not.toContain('another-secret');
  });

  it('has a callback that the provider does not know', async () =>
    expect(await check('https://other.example/.lictor/callback/corp')).toMatchObject([
      { status: 'fail', code: 'callback-unknown', message: expect.stringContaining('https://other.example'), remedy: REMEDIES['callback-unknown'] },
    ]));

  it('has no PKCE', async () => {
    provider.bends.set('/.well-known/openid-configuration', (answer) => ({ ...answer, code_challenge_methods_supported: ['plain'] }));
    expect(await check()).toMatchObject([{ status: 'warn', code: 'pkce-missing', remedy: REMEDIES['pkce-missing'] }]);
  });

  it('says nothing about a provider that is away: its own check does', async () => {
    provider.instead.set('/.well-known/openid-configuration', { status: 503, body: '{}' });
    expect(await check()).toEqual([]);
  });
});

describe('a test login', () => {
  const person = (groups: readonly string[], lists: readonly string[] = []) =>
    loginProblems(
      config(),
      { roles },
      {
        ok: true,
        identity: { idp: 'corp', subject: '1', name: 'alice', kind: 'user', groups, claims: {} },
        isOverage: false,
        lists: new Map(lists.map((name) => [name, ['x']])),
      },
    );

  it('shows the groups', () => expect(person(['team-a'])).toMatchObject([{ status: 'ok', message: 'alice@corp has the groups team-a' }]));

  it('names missing groups, with the claims that have lists', () =>
    expect(person([], ['realm_access.roles'])).toMatchObject([
      { code: 'groups-missing', message: expect.stringContaining('but lists in realm_access.roles') },
    ]));

  it('names a group that roles writes in another way', () =>
    expect(person(['/team-a'])).toMatchObject([{ status: 'ok' }, { status: 'fail', code: 'group-misspelt', remedy: REMEDIES['group-misspelt'] }]));

  it('names a login that failed, and a provider without device flow', async () => {
    expect(loginProblems(config(), { roles }, { ok: false, reason: 'login-answer-invalid', detail: 'expired' })).toMatchObject([{ status: 'fail' }]);
    const shown: string[] = [];
    const found = await checkTestLogin({ provider: config(), outbound, callbackUrl: CALLBACK }, { roles }, (page) => shown.push(page));
    expect([found, shown]).toMatchObject([[{ status: 'ok', message: expect.stringContaining('no device flow') }], []]);
  });
});

describe('groups of earlier logins', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-groups-'));
  const storeAt = join(directory, 'lictor.db');
  const groupsOf = async (...people: readonly (readonly string[])[]) => {
    using database = new DatabaseSync(storeAt);
    database.exec('CREATE TABLE IF NOT EXISTS identities (idp TEXT, kind TEXT, groups TEXT); DELETE FROM identities');
    for (const groups of people) database.prepare("INSERT INTO identities VALUES ('corp', 'user', ?)").run(JSON.stringify(groups));
    return await checkGroups('corp', { roles, storeAt });
  };
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are those of roles', async () => expect(await groupsOf(['team-a'], ['/ops'], ['others'])).toMatchObject([{ status: 'ok' }]));
  it('are unknown while nobody has logged in', async () => expect(await groupsOf()).toEqual([]));
  it('are missing for everyone', async () =>
    expect(await groupsOf([], [])).toMatchObject([{ status: 'fail', code: 'groups-missing', remedy: REMEDIES['groups-missing'] }]));
  it('differ from those of roles in their writing', async () =>
    expect(await groupsOf(['Team-A', 'ops'])).toMatchObject([
      { code: 'group-misspelt', message: 'roles names the group "team-a", and corp sends "Team-A"' },
      { code: 'group-misspelt', message: 'roles names the group "/ops", and corp sends "ops"' },
    ]));
});
