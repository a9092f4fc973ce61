// Principals, groups and tokens over HTTP: who may use the routes about identities, and what a change needs and does.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import { anAgent } from '../../../../identity/authn/agent/agent.fixture.ts';
import { createTokenText } from '../../../../identity/authn/service-token/token-text.ts';
import type { ApiRoute } from '../api-route.ts';
import { aSocket, BASE, type Person, usePeople } from './identities.fixture.ts';
import { IDENTITY_ROUTES } from './index.ts';

const { get, ask, reconfigure, person, alice, read, write, recorded, works } = usePeople();

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
  const body = method === 'POST' ? { body: JSON.stringify(SAMPLES[path]) } : {};
  const answer = await ask(`${BASE}${urlOf(route)}`, { method, ...who, sameOrigin: true, ...body });
  return !answer.body.includes('policy-default-deny');
}

it('admins may use every route, auditors those that read, and a person those about the own sessions', async () => {
  // A stream ends after its begin.
  get().retired.abort();
  await get().test.token({ name: 'etl' });
  const [auditor, viewer] = [await person('carol'), await person('vera')];
  for (const route of IDENTITY_ROUTES) {
    const allowed = [await isAllowed(route, alice()), await isAllowed(route, auditor), await isAllowed(route, viewer)];
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

const FAULTS = [
  ['a name that is taken', { name: 'taken', roles: ['viewer'] }, 409, 'name-taken'],
  ['no role', { name: 'x' }, 400, 'request-invalid'],
  ['an unknown role', { name: 'x', roles: ['root'] }, 400, 'request-invalid'],
  ['a name with a slash', { name: 'a/b', roles: ['viewer'] }, 400, 'request-invalid'],
  ['a network that is none', { name: 'x', roles: ['viewer'], cidrs: ['10.0.0.0/99'] }, 400, 'request-invalid'],
  ['a scope of nothing', { name: 'x', roles: ['viewer'], scope: {} }, 400, 'request-invalid'],
  ['an end that is no duration', { name: 'x', roles: ['viewer'], expires: '90' }, 400, 'request-invalid'],
  ['roles of an agent', { name: 'copilot', roles: ['viewer'] }, 400, 'request-invalid'],
] as const;

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

  it('is not created if anything is wrong with it', async () => {
    reconfigure({ config: { agents: [anAgent()] } });
    await get().test.token({ name: 'taken' });
    for (const [what, body, status, code] of FAULTS) expect([what, await write('POST', '/tokens', body)]).toMatchObject([what, { status, code }]);
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
    const { id } = (await read('/tokens?state=revoked')).tokens[0];
    const status = async (secret: string) => (await ask(`${BASE}/tokens`, { headers: { [INPUT.authorization]: `Bearer ${secret}` } })).statusCode;
    expect([await status(text), await status(createTokenText(id).text)]).toEqual([401, 401]);
    const refused = { principal: 'token:etl', credential_id: id, decision: 'deny', reason: 'credential-revoked', status: 401 };
    expect(get().records.filter(({ reason }) => reason === 'credential-revoked')).toMatchObject([refused]);
    expect(get().records.filter(({ reason }) => reason === 'credential-unknown')).toEqual([]);
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

  it('say how they are known: by SCIM with its groups, and when their provider refuses them', async () => {
    const { store } = get().test;
    await store.scim.change('corp', async (changes) => {
      const user = await changes.createUser({ userName: 'dana', externalId: null, active: true, attributes: {} });
      const group = await changes.createGroup({ displayName: 'platform', externalId: null });
      await changes.addMembers(group ?? '', [user ?? '']);
    });
    const identity = { idp: 'corp', kind: 'user', groups: ['from-login'], claims: {} } as const;
    await store.identities.put({ ...identity, subject: 'd', name: 'dana' }, 'word');
    await store.identities.setRefused((await store.identities.put({ ...identity, subject: 'e', name: 'erin' }, 'word')) ?? '');
    expect((await read('/principals?q=@corp')).principals).toMatchObject([
      { id: 'dana@corp', known_by: 'scim', groups: ['platform'], refused: false },
      { id: 'erin@corp', known_by: 'login', groups: ['from-login'], refused: true },
    ]);
    const known = (await read('/groups')).groups.map(({ id, known_by: by }: { id: string; known_by: string }) => [id, by]);
    expect(known).toEqual([
      ['group:from-login@corp', 'login'],
      ['group:platform@corp', 'scim'],
    ]);
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
