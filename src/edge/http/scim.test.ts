// SCIM from HTTP: the sequences of Okta and Entra, what they do to people who are logged in, and the errors.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../contract/names.ts';
import { REASONS } from '../../contract/reasons.ts';
import { lockOnPrincipal } from '../../identity/authn/locks.ts';
import { ROLES, sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';

const { get, idp, ask, connect, signIn, me } = useOidcApp();

const TOKEN = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const TENANTS = {
  roles: ROLES,
  scim: [
    { idp: 'corp', token: TOKEN },
    { idp: 'adfs', token: OTHER },
  ],
};
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function scim(method: Method, path: string, body?: unknown, token: string | null = TOKEN) {
  const headers = { 'content-type': 'application/scim+json', ...(token !== null && { [INPUT.authorization]: `Bearer ${token}` }) };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await ask(`/.lictor/scim/v2/${path}`, { method, headers, ...(body !== undefined && { body: text }) });
  return { status: answer.statusCode, type: answer.headers['content-type'], json: answer.body === '' ? null : answer.json() };
}

const alter = (path: string, ...operations: readonly unknown[]) => scim('PATCH', path, { ...PATCH, Operations: operations });
const statusOf = async (answer: ReturnType<typeof scim>) => (await answer).status;

async function create(userName: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const answer = await scim('POST', 'Users', { schemas: [USER], userName, ...more });
  expect(answer.status, JSON.stringify(answer.json)).toBe(201);
  return answer.json.id;
}

async function group(displayName: string, ...members: readonly string[]): Promise<string> {
  const answer = await scim('POST', 'Groups', { schemas: [GROUP], displayName, members: members.map((value) => ({ value })) });
  expect(answer.status, JSON.stringify(answer.json)).toBe(201);
  return answer.json.id;
}

/** alice is in no group by her claims. */
function begin(): void {
  idp().accounts.set('sub-alice', { preferred_username: 'alice' });
  connect({}, TENANTS);
}

describe('who may provision', () => {
  it('only the token of a provider, and it sees the resources of this provider alone', async () => {
    begin();
    const id = await create('alice');
    expect(await statusOf(scim('GET', `Users/${id}`))).toBe(200);
    for (const method of ['GET', 'DELETE'] as const)
      expect(await scim(method, `Users/${id}`, undefined, OTHER)).toMatchObject({ status: 404, json: { status: '404' } });
    expect((await scim('GET', 'Users', undefined, OTHER)).json.totalResults).toBe(0);
    const foreign = await scim('POST', 'Groups', { schemas: [GROUP], displayName: 'g', members: [{ value: id }] }, OTHER);
    expect([foreign.status, foreign.json.scimType]).toEqual([400, 'invalidValue']);
    expect((await scim('GET', 'Groups', undefined, OTHER)).json.totalResults, 'nothing half applied').toBe(0);
  });

  it('neither no token, nor a session, nor another credential of the gateway; and the token is none elsewhere', async () => {
    begin();
    await group('platform', await create('alice'));
    const session = sessionOfAnswer(await signIn('sub-alice'));
    for (const token of [null, 'wrong'.repeat(8), `lct_${'0'.repeat(68)}`])
      expect(await scim('GET', 'Users', undefined, token)).toMatchObject({ status: 401, json: { status: '401' } });
    expect((await ask('/.lictor/scim/v2/Users', { session })).statusCode).toBe(401);
    expect((await ask('/.lictor/api/v1/me', { headers: { [INPUT.authorization]: `Bearer ${TOKEN}` } })).statusCode).toBe(401);
    expect((await ask('/.lictor/api/v1/agents', { headers: { [INPUT.authorization]: `Bearer ${TOKEN}` } })).statusCode).toBe(401);
    expect(JSON.stringify([get().records, get().logged])).not.toContain(TOKEN);
  });

  it('limits guesses, and never the right token', async () => {
    begin();
    const answers = await Promise.all(Array.from({ length: 101 }, () => scim('GET', 'Users', undefined, 'guess')));
    const details = answers.map(({ json }) => json.detail);
    expect([new Set(details.slice(0, 100)), details[100]]).toEqual([new Set([REASONS['credential-unknown'].detail]), REASONS['too-many-failures'].detail]);
    expect(await statusOf(scim('GET', 'Users'))).toBe(200);
  });

  it('there is no such path without `scim`', async () => {
    connect({}, { roles: ROLES });
    expect(await statusOf(scim('GET', 'Users'))).toBe(404);
  });
});

describe('a person', () => {
  it('gets roles by the groups of SCIM at login and while logged in; they win over claims', async () => {
    begin();
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['platform'] });
    const [id, others] = [await create('Alice'), await create('bob')];
    const team = await group('team-a', id);
    const session = sessionOfAnswer(await signIn('sub-alice'));
    const roles = async () => (await ask('/.lictor/api/v1/me', { session })).json().roles;
    expect(await roles()).toEqual(['viewer']);
    const platform = await group('platform', others);
    await alter(`Groups/${platform}`, { op: 'Add', path: 'members', value: [{ value: id }] });
    expect(await roles()).toEqual(['admin', 'viewer']);
    await alter(`Groups/${platform}`, { op: 'remove', path: `members[value eq "${id}"]` });
    await alter(`Groups/${team}`, { op: 'replace', value: { id: team, displayName: 'team-b' } });
    expect(await roles()).toEqual([]);
    expect((await signIn('sub-alice')).statusCode).toBe(403);
  });

  it('with too many groups for the claim logs in by the groups of SCIM, and only by them', async () => {
    begin();
    idp().accounts.set('sub-alice', { preferred_username: 'alice', hasgroups: true });
    expect((await signIn('sub-alice')).statusCode).toBe(403);
    await group('platform', await create('alice'));
    expect(await me(sessionOfAnswer(await signIn('sub-alice')))).toBe(200);
  });

  it('whom the provider deactivates loses sessions and cannot log in; reactivation lifts no lock of an administrator', async () => {
    begin();
    const id = await create('alice', { active: true });
    await group('platform', id);
    const session = sessionOfAnswer(await signIn('sub-alice'));
    const { store } = get().test;
    const syncs = get().syncs;
    await create('bob');
    expect(get().syncs, 'no decision is about bob').toBe(syncs);
    expect(await alter(`Users/${id}`, { op: 'Replace', path: 'active', value: 'False' })).toMatchObject({ status: 200, json: { active: false } });
    expect([await me(session), (await signIn('sub-alice')).statusCode, get().syncs - syncs]).toEqual([401, 403, 1]);
    const under = { locks: store.locks, config: { identityProviders: [] } };
    expect(await lockOnPrincipal(under, { id: 'run:1', idp: null, onBehalfOf: ['alice@corp'] }), 'a run for her').toMatchObject({ kind: 'scim' });
    expect(await lockOnPrincipal(under, { id: 'run:1', idp: null, onBehalfOf: ['bob@corp'] })).toBeUndefined();
    const whole = { schemas: [USER], userName: 'alice' };
    expect((await scim('PUT', `Users/${id}`, whole)).json, 'without `active`').toMatchObject({ active: false });
    expect(await store.locks.list()).toMatchObject([{ kind: 'scim', value: 'alice@corp', by: 'scim:corp' }]);
    await store.locks.put({ kind: 'principal', value: 'alice@corp', why: '', by: 'local:root', expiresMs: null });
    await alter(`Users/${id}`, { op: 'replace', value: { active: true } });
    expect(await store.locks.list()).toMatchObject([{ kind: 'principal', value: 'alice@corp' }]);
    expect((await signIn('sub-alice')).statusCode).toBe(403);
    await store.locks.remove({ kind: 'principal', value: 'alice@corp' });
    expect([await me(session), await me(sessionOfAnswer(await signIn('sub-alice')))]).toEqual([401, 200]);
  });

  it.each([{}, { externalId: 'sub-alice', userName: 'other' }])('who never logged in cannot once deactivated, without a lock: %j', async (more) => {
    begin();
    const id = await create('alice', { active: true, ...more });
    await group('platform', id);
    await alter(`Users/${id}`, { op: 'replace', value: { active: false } });
    expect((await signIn('sub-alice')).statusCode).toBe(403);
    expect(await get().test.store.locks.list()).toEqual([]);
    await alter(`Users/${id}`, { op: 'replace', value: { active: true } });
    expect(await me(sessionOfAnswer(await signIn('sub-alice')))).toBe(200);
  });

  it('whom the provider deletes stays out until it creates the person again', async () => {
    begin();
    const id = await create('alice');
    const platform = await group('platform', id);
    const session = sessionOfAnswer(await signIn('sub-alice'));
    expect(await statusOf(scim('DELETE', `Users/${id}`))).toBe(204);
    expect([await statusOf(scim('GET', `Users/${id}`)), await statusOf(scim('DELETE', `Users/${id}`))]).toEqual([404, 404]);
    expect((await scim('GET', `Groups/${platform}`)).json.members).toBeUndefined();
    expect([await me(session), (await signIn('sub-alice')).statusCode]).toEqual([401, 403]);
    await alter(`Groups/${platform}`, { op: 'add', path: 'members', value: [{ value: await create('ALICE') }] });
    expect(await me(sessionOfAnswer(await signIn('sub-alice')))).toBe(200);
  });

  it('whom a provider without `scim` has deactivated is locked no more, and the claims decide', async () => {
    begin();
    idp().accounts.set('sub-alice', { preferred_username: 'alice', groups: ['platform'] });
    await group('team-a', await create('alice'));
    await signIn('sub-alice');
    const { store } = get().test;
    const [user] = (await store.scim.read('corp').users({ equals: [], offset: 0, most: 1 })).resources;
    await alter(`Users/${user?.id}`, { op: 'replace', path: 'active', value: false });
    await store.scim.keepOnly(['corp']);
    expect((await signIn('sub-alice')).statusCode).toBe(403);
    await store.scim.keepOnly([]);
    const session = sessionOfAnswer(await signIn('sub-alice'));
    expect((await ask('/.lictor/api/v1/me', { session })).json().roles).toEqual(['admin']);
  });

  it('another subject with another spelling of the name gets nothing of it', async () => {
    begin();
    await group('platform', await create('alice', { externalId: 'sub-alice' }));
    await signIn('sub-alice');
    idp().accounts.set('sub-mallory', { preferred_username: 'ALICE' });
    expect((await signIn('sub-mallory')).statusCode).toBe(403);
  });
});

describe('the protocol', () => {
  it('takes the sequence of Entra', async () => {
    begin();
    const looked = await scim('GET', 'Users?filter=userName+eq+%22Dana%40Example.com%22');
    expect(looked.json).toMatchObject({ totalResults: 0, Resources: [] });
    const id = await create('Dana@Example.com', {
      schemas: [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
      externalId: 'oid-1',
      active: true,
      emails: [{ primary: true, type: 'work', value: 'dana@example.com' }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'etl' },
    });
    expect((await scim('GET', 'Users?filter=USERNAME eq "dana@example.COM"')).json.Resources).toMatchObject([{ id, userName: 'Dana@Example.com' }]);
    const changed = await alter(
      `Users/${id}`,
      { op: 'Add', path: 'name.familyName', value: 'Doe' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'doe@example.com' },
      { op: 'Replace', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', value: 'ml' },
      { op: 'Replace', value: { displayName: 'Dana', 'name.givenName': 'D' } },
      { op: 'Replace', path: 'active', value: 'False' },
    );
    const emails = [{ primary: true, type: 'work', value: 'doe@example.com' }];
    expect(changed.json).toMatchObject({ displayName: 'Dana', name: { familyName: 'Doe', givenName: 'D' }, emails, active: false });
    const team = await group('team-a');
    expect((await scim('GET', 'Groups?excludedAttributes=members&filter=displayName eq "TEAM-A" and id eq "x"')).json.totalResults).toBe(0);
    expect(await statusOf(alter(`Groups/${team}`, { op: 'Add', path: 'members', value: [{ $ref: null, value: id }] }))).toBe(204);
    expect((await scim('GET', `Groups/${team}?excludedAttributes=members`)).json).not.toHaveProperty('members');
    await alter(`Groups/${team}`, { op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] });
    expect((await scim('GET', `Groups/${team}`)).json).not.toHaveProperty('members');
    expect(await statusOf(scim('DELETE', `Groups/${team}`))).toBe(204);
    expect(get().records.map(({ principal, action }) => `${principal} ${action}`)).toEqual(
      ['users.create', 'users.update', 'groups.create', 'groups.update', 'groups.update', 'groups.delete'].map((what) => `scim:corp scim.${what}`),
    );
  });

  it('takes the sequence of Okta', async () => {
    begin();
    expect((await scim('GET', 'Users?filter=userName%20eq%20%22erin%40example.com%22&startIndex=1&count=100')).json.totalResults).toBe(0);
    const user = {
      schemas: [USER],
      userName: 'erin@example.com',
      name: { givenName: 'Erin', familyName: 'Doe' },
      emails: [{ primary: true, value: 'erin@example.com', type: 'work' }],
      displayName: 'Erin Doe',
      locale: 'en-US',
      externalId: '00u1',
      groups: [],
      password: 'never stored',
      active: true,
    };
    const created = await scim('POST', 'Users', user);
    const { password: _, locale: __, groups: ___, ...shown } = user;
    expect(created.json).toMatchObject(shown);
    expect(JSON.stringify(created.json)).not.toContain('never stored');
    const { id } = created.json;
    const replaced = await scim('PUT', `Users/${id}`, { ...user, id, meta: { resourceType: 'User' }, displayName: 'E. Doe' });
    expect(replaced).toMatchObject({ status: 200, json: { id, displayName: 'E. Doe', active: true } });
    const team = await group('team-a', id);
    expect(await statusOf(alter(`Groups/${team}`, { op: 'replace', value: { id: team, displayName: 'team-c' } }))).toBe(204);
    const members = [{ value: id, display: 'erin@example.com' }];
    const put = await scim('PUT', `Groups/${team}`, { schemas: [GROUP], id: team, displayName: 'team-c', members });
    expect(put.json).toMatchObject({ displayName: 'team-c', members: [{ value: id }] });
    expect(await alter(`Users/${id}`, { op: 'replace', value: { active: false } })).toMatchObject({ status: 200, json: { active: false } });
  });

  it('pages from startIndex, with count', async () => {
    begin();
    for (const name of ['a', 'b', 'c']) await create(name);
    const names = async (query: string) => (await scim('GET', `Users?${query}`)).json.Resources.map((user: { userName: string }) => user.userName).length;
    const search = async (body: unknown, place = '') => (await scim('POST', `${place}.search`, body)).json;
    await group('team-a');
    const mixed = [{ userName: expect.any(String) }, { displayName: 'team-a' }];
    expect(await search({ startIndex: 3, count: 2 })).toMatchObject({ totalResults: 4, Resources: mixed });
    expect(await search({ filter: 'userName eq "B"' })).toMatchObject({ totalResults: 1, Resources: [{ userName: 'b' }] });
    expect(await search({ filter: 'userName eq "b"' }, 'Groups/')).toMatchObject({ scimType: 'invalidFilter' });
    expect([
      await names('startIndex=2&count=1'),
      await names('startIndex=3&count=5'),
      await names('startIndex=9'),
      await names('count=0'),
      await names('startIndex=-1&count=-1'),
    ]).toEqual([1, 1, 0, 0, 0]);
  });

  it.each<[string, Method, string, unknown, number, string | undefined]>([
    ['broken JSON', 'POST', 'Users', '{"schemas":', 400, 'invalidSyntax'],
    ['an unknown schema', 'POST', 'Users', { schemas: ['urn:x'], userName: 'x' }, 400, 'invalidSyntax'],
    ['no name', 'POST', 'Users', { schemas: [USER] }, 400, 'invalidValue'],
    ['a name that is there, in another case', 'POST', 'Users', { schemas: [USER], userName: 'ALICE' }, 409, 'uniqueness'],
    ['an odd filter', 'GET', 'Users?filter=userName sw "a"', undefined, 400, 'invalidFilter'],
    ['a deep filter', 'GET', `Users?filter=${'('.repeat(900)}`, undefined, 400, 'invalidFilter'],
    ['a long filter', 'GET', `Users?filter=userName eq "${'a'.repeat(2000)}"`, undefined, 400, 'invalidFilter'],
    ['an unknown resource', 'GET', 'Devices', undefined, 404, undefined],
    ['an unknown method', 'PUT', 'Users', {}, 405, undefined],
    ['no page', 'GET', 'Users?startIndex=x', undefined, 400, 'invalidValue'],
  ])('answers %s with the error of SCIM', async (_name, method, path, body, status, scimType) => {
    begin();
    await create('alice');
    const answer = await scim(method, path, body);
    expect(answer).toMatchObject({ status, json: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status) } });
    expect([answer.json.scimType, answer.type]).toEqual([scimType, 'application/scim+json; charset=utf-8']);
  });

  it('applies no operation of a request with a wrong one', async () => {
    begin();
    const id = await create('alice');
    const team = await group('team-a', id);
    const wrong = { op: 'add', path: 'members', value: [{ value: 'no-such-user' }] };
    expect((await alter(`Groups/${team}`, { op: 'replace', path: 'displayName', value: 'x' }, { op: 'remove', path: 'members' }, wrong)).status).toBe(400);
    expect((await scim('GET', `Groups/${team}`)).json).toMatchObject({ displayName: 'team-a', members: [{ value: id }] });
    expect((await alter(`Users/${id}`, { op: 'replace', path: 'active', value: false }, { op: 'replace', path: 'odd path', value: 1 })).json.scimType).toBe(
      'invalidPath',
    );
    expect((await scim('GET', `Users/${id}`)).json.active).toBe(true);
  });
});
