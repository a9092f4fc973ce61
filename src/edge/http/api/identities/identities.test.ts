// Principals, tokens, sessions, sockets and locks over HTTP: who may read and change them, and what a change does.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OidcProvider } from '../../../../config/config.ts';
import { INPUT } from '../../../../contract/names.ts';
import { wordOf } from '../../../../identity/authn/access-token/trust.ts';
import { anAgent } from '../../../../identity/authn/agent/agent.fixture.ts';
import { cookieOf, useOwnApp } from '../../own-app.fixture.ts';
import type { ApiRoute } from '../api-route.ts';
import { IDENTITY_ROUTES } from './index.ts';

const BASE = '/.lictor/api/v1';
const { get, ask, logIn, reconfigure } = useOwnApp();

interface Person {
  readonly session: string;
  readonly headers: Readonly<Record<string, string>>;
}

let alice: Person;

async function person(username: string): Promise<Person> {
  const session = cookieOf(await logIn({ username }));
  const { csrf_token: proof } = (await ask(`${BASE}/me`, { session })).json();
  return { session, headers: { 'content-type': 'application/json', 'x-csrf-token': String(proof) } };
}

beforeEach(async () => {
  for (const [id, name, role] of [
    ['2', 'carol', 'auditor'],
    ['3', 'vera', 'viewer'],
  ] as const)
    await get().test.store.accounts.create({ id, name, roles: [role], password: get().phc });
  alice = await person('alice');
});

const read = async (path: string, who: Person = alice) => (await ask(`${BASE}${path}`, { session: who.session })).json();

async function write(method: 'POST' | 'DELETE', path: string, body?: object, who: Person = alice) {
  const answer = await ask(`${BASE}${path}`, { method, ...who, sameOrigin: true, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: answer.statusCode, ...answer.json() };
}

const recorded = (action: string) => get().records.filter((record) => record.action === action);

async function works(token: string): Promise<boolean> {
  return (await ask(`${BASE}/me`, { headers: { [INPUT.authorization]: `Bearer ${token}` } })).statusCode === 200;
}

const SAMPLES: Readonly<Record<string, object>> = {
  '/tokens': { name: 'x', roles: ['viewer'] },
  '/tokens/{name}/rotate': {},
  '/locks': { what: 'address:198.51.100.7' },
};

const urlOf = ({ method, path }: ApiRoute) => {
  const url = path.replace('{name}', 'etl').replace('{id}', 'a'.repeat(64)).replace('/detail', '/detail?id=alice@local');
  return method === 'DELETE' && path === '/locks' ? '/locks?what=carol@local' : url;
};

/** Allowed: the policies permit it. The route may have nothing to do. */
async function isAllowed(route: ApiRoute, who: Person): Promise<boolean> {
  const { method, path } = route;
  const url = urlOf(route);
  const answer = method === 'GET' ? await read(url, who) : await write(method as 'POST' | 'DELETE', url, method === 'POST' ? SAMPLES[path] : undefined, who);
  return answer.code !== 'policy-default-deny';
}

it('admins may use every route, auditors those that read, and a person those about the own sessions', async () => {
  await get().test.token({ name: 'etl' });
  const [auditor, viewer] = [await person('carol'), await person('vera')];
  for (const route of IDENTITY_ROUTES) {
    const allowed = [await isAllowed(route, alice), await isAllowed(route, auditor), await isAllowed(route, viewer)];
    const isOwn = route.needs === 'credential';
    expect([route.method, route.path, ...allowed]).toEqual([route.method, route.path, true, isOwn || route.method === 'GET', isOwn]);
    expect((await ask(`${BASE}${urlOf(route)}`, { method: route.method })).statusCode).toBe(401);
  }
});

describe('a change', () => {
  it.each([
    ['POST', '/tokens', { name: 'x', roles: ['viewer'] }],
    ['POST', '/tokens/etl/rotate', {}],
    ['DELETE', '/tokens/etl', undefined],
    ['POST', '/locks', { what: 'carol@local' }],
    ['DELETE', '/locks?what=vera@local', undefined],
    ['DELETE', '/sockets/aa', undefined],
  ] as const)('%s %s does not happen without its record', async (method, path, body) => {
    const { store } = get().test;
    await get().test.token({ name: 'etl' });
    await store.locks.put({ kind: 'principal', value: 'vera@local', why: '', by: 'local:root', expiresMs: null });
    get().sockets.push(aSocket('aa'));
    const state = async () => [await store.tokens.list(), await store.locks.list(), get().sockets.length];
    const before = await state();
    get().ledgerBroken = true;
    expect(await write(method, path, body)).toMatchObject({ status: 503, code: 'ledger-unavailable' });
    expect(await state()).toEqual(before);
    get().ledgerBroken = false;
    expect(await write(method, path, body)).toMatchObject({ status: 200 });
    expect(await state()).not.toEqual(before);
  });
});

describe('a token', () => {
  it('is created with its secret in this answer alone, and with what a client needs', async () => {
    const made = await write('POST', '/tokens', { name: 'etl', roles: ['worker'], scope: { work_pools: ['pool-a'] }, cidrs: ['192.0.2.0/24'], expires: '90d' });
    expect(made).toMatchObject({
      token: { name: 'etl', roles: ['worker'], scope: 'work_pools=pool-a', cidrs: ['192.0.2.0/24'], last_used_at: null, live_secrets: 1 },
      environment: { PREFECT_API_URL: 'http://localhost:8200/api', PREFECT_API_AUTH_STRING: `any:${made.secret}` },
    });
    expect(await works(made.secret)).toBe(true);
    expect(recorded('token.create')).toMatchObject([
      { resource_id: 'etl', principal: 'alice@local', grants: [{ role: 'worker', scope: 'work_pools=pool-a' }] },
    ]);
    const elsewhere = [await read('/tokens'), await read('/principals/detail?id=token:etl'), get().records, get().logged];
    expect(JSON.stringify(elsewhere)).not.toContain(made.secret.slice(14));
  });

  it.each([
    ['a name that is taken', { name: 'taken', roles: ['viewer'] }, 409, 'name-taken'],
    ['no role', { name: 'x' }, 400, 'request-invalid'],
    ['an unknown role', { name: 'x', roles: ['root'] }, 400, 'request-invalid'],
    ['a name with a slash', { name: 'a/b', roles: ['viewer'] }, 400, 'request-invalid'],
    ['a network that is none', { name: 'x', roles: ['viewer'], cidrs: ['10.0.0.0/99'] }, 400, 'request-invalid'],
    ['a scope of nothing', { name: 'x', roles: ['viewer'], scope: {} }, 400, 'request-invalid'],
    ['an end that is no duration', { name: 'x', roles: ['viewer'], expires: '90' }, 400, 'request-invalid'],
    ['roles of an agent', { name: 'copilot', roles: ['viewer'] }, 400, 'request-invalid'],
  ])('is not created with %s', async (_what, body, status, code) => {
    reconfigure({ config: { agents: [anAgent()] } });
    await get().test.token({ name: 'taken' });
    expect(await write('POST', '/tokens', body)).toMatchObject({ status, code });
    expect((await read('/tokens')).tokens).toHaveLength(1);
    expect(recorded('token.create')).toEqual([]);
  });

  it('has two secrets during the overlap of a rotation, and one without an overlap', async () => {
    const { text } = await get().test.token({ name: 'etl' });
    const { secret, token } = await write('POST', '/tokens/etl/rotate', { overlap: '1h' });
    expect([await works(text), await works(secret), token.live_secrets, token.overlap_until]).toEqual([true, true, 2, expect.stringMatching(/^20/)]);
    const next = await write('POST', '/tokens/etl/rotate', { overlap: '0s' });
    expect([await works(text), await works(secret), await works(next.secret)]).toEqual([false, false, true]);
    expect(recorded('token.rotate')).toHaveLength(2);
  });

  it('proves nothing after it was revoked, and its decisions are swept', async () => {
    const { text } = await get().test.token({ name: 'etl' });
    const before = get().syncs;
    expect(await write('DELETE', '/tokens/etl')).toMatchObject({ status: 200, revoked: 'etl' });
    expect([await works(text), get().syncs]).toEqual([false, before + 1]);
    expect(await write('DELETE', '/tokens/etl')).toMatchObject({ status: 404 });
    expect((await read('/tokens?state=revoked')).tokens).toMatchObject([{ name: 'etl', state: 'revoked' }]);
  });

  it('is found by its use: the time and the address of the last one, or none', async () => {
    const { text } = await get().test.token({ name: 'used' });
    await get().test.token({ name: 'idle' });
    await works(text);
    await get().authenticator.idle();
    expect((await read('/tokens?used=no')).tokens).toMatchObject([{ name: 'idle', last_used_at: null, last_used_from: null }]);
    expect((await read('/tokens?used=yes')).tokens).toMatchObject([{ name: 'used', last_used_at: expect.stringMatching(/^20/), last_used_from: '192.0.2.1' }]);
  });

  it('is on one page of the list', async () => {
    for (const name of ['b', 'a', 'c']) await get().test.token({ name });
    const first = await read('/tokens?limit=2');
    const second = await read(`/tokens?limit=2&cursor=${encodeURIComponent(first.next)}`);
    expect([...first.tokens, ...second.tokens].map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'c']);
    expect(second.next).toBeNull();
  });
});

it('an access token is listed without its text, and revoked after its record', async () => {
  const { accessTokens } = get().test.store;
  const identity = { idp: 'ci', subject: 's', name: 'build', kind: 'service', groups: [], claims: {} } as const;
  await accessTokens.create({
    id: 'aaaa',
    hash: 'the-hash',
    audience: null,
    identity,
    trust: 't',
    proof: 'jwt',
    chain: null,
    expiresMs: get().test.clock() + 60_000,
  });
  const listed = await read('/access-tokens');
  expect(listed.access_tokens).toMatchObject([{ id: 'aaaa', principal: 'build@ci', given_for: 'jwt' }]);
  expect(JSON.stringify(listed)).not.toContain('the-hash');
  expect(await write('DELETE', '/access-tokens/aaaa')).toMatchObject({ status: 200 });
  expect(recorded('token.revoke')).toMatchObject([{ resource_type: 'AccessToken', resource_id: 'aaaa' }]);
  expect((await read('/access-tokens')).access_tokens).toEqual([]);
  expect(await write('DELETE', '/access-tokens/aaaa')).toMatchObject({ status: 404 });
});

describe('principals', () => {
  it('are people, tokens and agents, with the source of each role', async () => {
    reconfigure({ config: { agents: [anAgent()], roles: [{ role: 'operator', members: ['group:team-a@corp'], scope: null }] } });
    await get().test.store.identities.put({ idp: 'corp', subject: 's', name: 'dana', kind: 'user', groups: ['team-a'], claims: {} }, 'word');
    await get().test.token({ name: 'etl' });
    expect((await read('/principals?q=dana')).principals).toMatchObject([
      { id: 'dana@corp', known_by: 'login', groups: ['team-a'], roles: [{ role: 'operator', from: ['lictor.yaml roles[0]: group:team-a@corp'] }] },
    ]);
    expect((await read('/principals?q=TEAM-A')).principals).toHaveLength(1);
    const people = [];
    for (let cursor = ''; cursor !== 'none'; ) {
      const page = await read(`/principals?limit=1${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      people.push(...page.principals.map(({ id }: { id: string }) => id));
      cursor = page.next ?? 'none';
    }
    expect(people).toEqual(['alice@local', 'carol@local', 'dana@corp', 'vera@local']);
    expect((await read('/principals?kind=service')).principals).toMatchObject([{ id: 'token:etl', roles: [{ role: 'worker', from: ['token etl'] }] }]);
    expect((await read('/principals?kind=agent')).principals).toMatchObject([{ id: 'agent:copilot', known_by: 'configuration' }]);
    expect((await read('/groups')).groups).toMatchObject([{ id: 'group:team-a@corp', people: 1, known_by: 'login', roles: [{ role: 'operator' }] }]);
  });

  it('show when they were seen last, and whether they are locked', async () => {
    await get().authenticator.idle();
    await write('POST', '/locks', { what: 'carol@local' });
    const { principals } = await read('/principals');
    expect(principals).toMatchObject([
      { id: 'alice@local', locked: false, last_seen_at: expect.stringMatching(/^20/), last_seen_from: '192.0.2.1' },
      { id: 'carol@local', locked: true, last_seen_at: null, last_seen_from: null },
      { id: 'vera@local', locked: false },
    ]);
  });

  it('have a detail with their sessions and locks; of another name there is none', async () => {
    await write('POST', '/locks', { what: 'carol@local', why: 'laptop stolen' });
    expect(await read('/principals/detail?id=alice@local')).toMatchObject({ roles: [{ role: 'admin' }], sessions: [{ current: true }], locks: [] });
    expect(await read('/principals/detail?id=carol@local')).toMatchObject({ refused_as: 'locked', locks: [{ why: 'laptop stolen', by: 'alice@local' }] });
    expect(await read('/principals/detail?id=nobody@local')).toMatchObject({ code: 'not-found' });
  });
});

describe('a session', () => {
  it('is listed with its last use, and ends for its browser at once', async () => {
    const carol = await person('carol');
    await get().authenticator.idle();
    const { sessions } = await read('/sessions');
    expect(sessions).toMatchObject([
      { principal: expect.any(String), last_seen_from: '192.0.2.1' },
      { principal: expect.any(String), last_seen_from: '192.0.2.1' },
    ]);
    const { id } = sessions.find(({ principal }: { principal: string }) => principal === 'carol@local');
    expect(await write('DELETE', `/sessions/${id}`)).toMatchObject({ status: 200 });
    expect((await ask(`${BASE}/me`, { session: carol.session })).statusCode).toBe(401);
    expect(recorded('session.end')).toMatchObject([{ resource_type: 'Session', resource_id: id, principal: 'alice@local' }]);
    expect(await write('DELETE', `/sessions/${id}`)).toMatchObject({ status: 404 });
  });

  it('of their own is listed and ended by every person, and no other', async () => {
    const [vera, phone] = [await person('vera'), await person('vera')];
    const mine = (await read('/me/sessions', vera)).sessions;
    expect(mine.map(({ principal }: { principal: string }) => principal)).toEqual(['vera@local', 'vera@local']);
    const { id } = mine.find(({ current }: { current: boolean }) => !current);
    expect(await write('DELETE', `/me/sessions/${id}`, undefined, vera)).toMatchObject({ status: 200 });
    expect((await ask(`${BASE}/me`, { session: phone.session })).statusCode).toBe(401);
    const [other] = (await read('/me/sessions')).sessions;
    expect(await write('DELETE', `/me/sessions/${other.id}`, undefined, vera)).toMatchObject({ status: 404 });
    expect((await read('/me/sessions')).sessions).toHaveLength(1);
  });

  it('has pages', async () => {
    await person('carol');
    const first = await read('/sessions?limit=1');
    const second = await read(`/sessions?limit=1&cursor=${first.next}`);
    const ids = [...first.sessions, ...second.sessions].map(({ id }: { id: string }) => id);
    expect([new Set(ids).size, (await read('/sessions?limit=1&cursor=x')).code]).toEqual([2, 'request-invalid']);
  });
});

function aSocket(id: string, principal = 'token:etl') {
  const who = { principal, onBehalfOf: [], credentialId: 'c', sessionId: null, address: '192.0.2.9', userAgent: null };
  return { id, kind: 'prefect', target: '/api/events/out', ...who, sinceMs: 0, worker: null } as const;
}

it('a socket is listed, and closed after its record', async () => {
  get().sockets.push(aSocket('aa'), aSocket('bb', 'bob@corp'));
  expect(await read('/sockets?principal=bob@corp')).toMatchObject({ open: 1, sockets: [{ id: 'bb', target: '/api/events/out', address: '192.0.2.9' }] });
  expect(await write('DELETE', '/sockets/bb')).toMatchObject({ status: 200 });
  expect(recorded('socket.close')).toMatchObject([{ resource_type: 'Socket', resource_id: 'bb' }]);
  expect(await read('/sockets')).toMatchObject({ open: 1 });
  expect(await write('DELETE', '/sockets/bb')).toMatchObject({ status: 404 });
});

describe('a lock', () => {
  it('holds at once, and ends when it is removed', async () => {
    const carol = await person('carol');
    expect(await write('POST', '/locks', { what: 'carol@local', why: 'left', for: '1h' })).toMatchObject({ status: 200, locked: ['carol@local'] });
    expect((await ask(`${BASE}/me`, { session: carol.session })).json().code).toBe('locked');
    expect((await read('/locks')).locks).toMatchObject([{ what: 'carol@local', why: 'left', by: 'alice@local', expires_at: expect.stringMatching(/^20/) }]);
    expect(await write('DELETE', '/locks?what=carol%40local')).toMatchObject({ status: 200, unlocked: ['carol@local'] });
    expect((await ask(`${BASE}/me`, { session: carol.session })).statusCode).toBe(200);
    expect([recorded('lock.create').length, recorded('lock.remove').length]).toEqual([1, 1]);
    expect(await write('DELETE', '/locks?what=carol@local')).toMatchObject({ status: 404 });
  });

  it.each([['alice@local'], ['idp:local'], ['address:192.0.2.0/24'], ['own session']])('does not lock out the person who sets it: %s', async (what) => {
    const [{ id }] = (await read('/me/sessions')).sessions;
    const target = what === 'own session' ? `session:${id}` : what;
    expect(await write('POST', '/locks', { what: target })).toMatchObject({ status: 409, code: 'own-access' });
    expect((await read('/locks')).locks).toEqual([]);
    expect(recorded('lock.create')).toEqual([]);
  });

  it('does not lock out the person who sets it by a former name', async () => {
    const corp = { id: 'corp', type: 'oidc' } as unknown as OidcProvider;
    reconfigure({ config: { identityProviders: [corp], roles: [{ role: 'admin', members: ['user:dana@corp'], scope: null }] } });
    const { store, clock } = get().test;
    const identity = { idp: 'corp', subject: 's', kind: 'user', groups: [], claims: {} } as const;
    await store.identities.put({ ...identity, name: 'dana-old' }, 'word');
    const identityId = (await store.identities.put({ ...identity, name: 'dana' }, wordOf(corp))) ?? '';
    const cookie = 'a'.repeat(43);
    const session = { id: createHash('sha256').update(cookie).digest('hex'), identityId, idpSession: null, refreshAfterMs: null };
    await store.sessions.createForIdentity({ ...session, authenticatedMs: clock(), expiresMs: clock() + 3_600_000 });
    const { csrf_token: proof } = (await ask(`${BASE}/me`, { session: cookie })).json();
    const dana = { session: cookie, headers: { 'content-type': 'application/json', 'x-csrf-token': String(proof) } };
    expect(await write('POST', '/locks', { what: 'dana-old@corp' }, dana)).toMatchObject({ status: 409, code: 'own-access' });
    expect((await read('/locks', dana)).locks).toEqual([]);
  });

  it.each([
    ['an unknown account', { what: 'carole@local' }, 'Did you mean carol@local?'],
    ['another form', { what: 'carol' }, 'Write what the lock is on'],
    ['a reason of two lines', { what: 'carol@local', why: 'a\nb' }, 'one line'],
    ['an unknown key', { what: 'carol@local', forr: '1h' }, 'unknown key'],
  ])('is not set with %s', async (_what, body, words) => {
    expect(await write('POST', '/locks', body)).toMatchObject({ status: 400, detail: expect.stringContaining(words) });
    expect((await read('/locks')).locks).toEqual([]);
  });
});
