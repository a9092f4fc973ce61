// Sessions, sockets and locks over HTTP: what is listed, and what ends.
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { OidcProvider } from '../../../../config/config.ts';
import { wordOf } from '../../../../identity/authn/access-token/trust.ts';
import { aSocket, BASE, usePeople } from './identities.fixture.ts';

const { get, ask, reconfigure, person, ofSession, alice, read, write, recorded } = usePeople();

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

  it('of a client is listed and ended like one of a browser', async () => {
    await person('vera');
    const { store, clock } = get().test;
    const [{ id: allowedIn }] = (await read('/sessions')).sessions.filter(({ principal }: { principal: string }) => principal === 'vera@local');
    const asked = { clientId: 'lictor-cli', scopes: ['prefect:read'], audience: 'api' } as const;
    const times = { refreshAfterMs: null, expiresMs: clock() + 60_000 };
    await store.deviceCodes.create({ ...asked, id: 'd', hash: 'h', userHash: 'u', openid: false, address: '192.0.2.1', userAgent: '' });
    await store.deviceCodes.decide('d', { ...asked, ...times, id: 'login-1', accountId: '3', identityId: null, sessionId: null, allowedIn });
    await store.deviceCodes.redeem('d', { refreshHash: 'r', access: { id: 'a', hash: 'access', ...times } });
    expect((await read('/logins')).logins).toMatchObject([{ id: 'login-1', principal: 'vera@local', client: 'lictor-cli', scopes: ['prefect:read'] }]);
    expect((await read('/principals/detail?id=vera@local')).logins).toHaveLength(1);
    expect(await write('DELETE', '/me/sessions/login-1')).toMatchObject({ status: 404 });
    expect(await write('DELETE', '/sessions/login-1')).toMatchObject({ status: 200 });
    expect(recorded('token.revoke')).toMatchObject([{ resource_type: 'Login', resource_id: 'login-1' }]);
    expect([(await read('/logins')).logins, (await write('DELETE', '/sessions/login-1')).status]).toEqual([[], 404]);
  });

  it('has pages', async () => {
    await person('carol');
    const first = await read('/sessions?limit=1');
    const second = await read(`/sessions?limit=1&cursor=${first.next}`);
    const ids = [...first.sessions, ...second.sessions].map(({ id }: { id: string }) => id);
    expect([new Set(ids).size, (await read('/sessions?limit=1&cursor=x')).code]).toEqual([2, 'request-invalid']);
  });
});

it('a socket is listed, and closed after its record', async () => {
  get().sockets.push(aSocket('aa'), aSocket('bb', 'bob@corp'));
  expect(await read('/sockets?principal=bob@corp')).toMatchObject({ open: 1, sockets: [{ id: 'bb', target: '/api/events/out', address: '192.0.2.9' }] });
  expect(await write('DELETE', '/sockets/bb')).toMatchObject({ status: 200 });
  expect(recorded('socket.close')).toMatchObject([{ resource_type: 'Socket', resource_id: 'bb' }]);
  expect(await read('/sockets')).toMatchObject({ open: 1 });
  expect(await write('DELETE', '/sockets/bb')).toMatchObject({ status: 404 });
});

describe('the stream of sockets', () => {
  const STREAM = `${BASE}/sockets/stream`;
  const eventsOf = (body: string) => body.split('\n\n').flatMap((text) => (text.startsWith('event: sockets\ndata: ') ? [JSON.parse(text.slice(21))] : []));

  it('has the whole list at the start and at each change', async () => {
    get().sockets.push(aSocket('aa'));
    const looks = vi.spyOn(get().sockets, 'filter');
    const answering = ask(STREAM, { session: alice().session });
    await vi.waitFor(() => expect(looks).toHaveBeenCalled(), { timeout: 10_000 });
    get().sockets.push(aSocket('bb'));
    const before = looks.mock.calls.length;
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(before), { timeout: 10_000 });
    get().retired.abort();
    const answer = await answering;
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(eventsOf(answer.body).map(({ open, sockets }) => [open, sockets.map(({ id }: { id: string }) => id)])).toEqual([
      [1, ['aa']],
      [2, ['aa', 'bb']],
    ]);
  });

  it('ends with the right of its reader', async () => {
    const [{ id }] = (await read('/me/sessions')).sessions;
    const looks = vi.spyOn(get().sockets, 'filter');
    const answering = ask(STREAM, { session: alice().session });
    await vi.waitFor(() => expect(looks).toHaveBeenCalled(), { timeout: 10_000 });
    await get().test.store.sessions.end(id);
    get().test.advance(2_001);
    expect((await answering).body).toMatch(/event: end\ndata: \{"code":"session-expired"\}\n\n$/);
  });
});

const FAULTS = [
  ['an unknown account', { what: 'carole@local' }, 'Did you mean carol@local?'],
  ['another form', { what: 'carol' }, 'Write what the lock is on'],
  ['a reason of two lines', { what: 'carol@local', why: 'a\nb' }, 'one line'],
  ['an unknown key', { what: 'carol@local', forr: '1h' }, 'unknown key'],
] as const;

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

  it('does not lock out the person who sets it', async () => {
    const [{ id }] = (await read('/me/sessions')).sessions;
    for (const what of ['alice@local', 'idp:local', 'address:192.0.2.0/24', `session:${id}`])
      expect([what, await write('POST', '/locks', { what })]).toMatchObject([what, { status: 409, code: 'own-access' }]);
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
    const dana = await ofSession(cookie);
    expect(await write('POST', '/locks', { what: 'dana-old@corp' }, dana)).toMatchObject({ status: 409, code: 'own-access' });
    expect((await read('/locks', dana)).locks).toEqual([]);
  });

  it('is not set if anything is wrong with it', async () => {
    for (const [what, body, words] of FAULTS)
      expect([what, await write('POST', '/locks', body)]).toMatchObject([what, { status: 400, detail: expect.stringContaining(words) }]);
    expect((await read('/locks')).locks).toEqual([]);
  });
});
