// Who a request is: every carrier, every refusal, sessions and their limits (TK-01, TK-02, SE-01).

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../config/config.ts';
import type { LockKind } from '../../contract/lock.ts';
import { REASONS } from '../../contract/reasons.ts';
import { everywhere } from '../../contract/scope.ts';
import { type Authentication, type Authenticator, createAuthenticator } from './authenticator.ts';
import { anEdgeInput } from './inputs.fixture.ts';
import { createRoleBook } from './roles.ts';
import { createTokenText } from './service-token/token-text.ts';
import { createSessions, type Sessions } from './session/session.ts';
import { openTestStore, type TestStore } from './store.fixture.ts';
import { createTouches } from './touches.ts';

const HOUR_MS = 3_600_000;
const CONFIG: Pick<Config, 'identityProviders' | 'roles' | 'sessions' | 'agents'> = {
  agents: [],
  identityProviders: [{ id: 'local', type: 'accounts' }],
  roles: [{ role: 'viewer', members: ['*@local', 'token:bound'], scope: null }],
  sessions: { idleSeconds: 8 * 3600, absoluteSeconds: 24 * 3600 },
};
const ALICE = { id: 'account-1', name: 'alice', roles: ['admin'], password: 'phc' };

/** Whose credential a record of the token `etl` names. */
const ETL = { id: 'token:etl', kind: 'service', idp: null, onBehalfOf: [] };

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const bearer = (text: string) => anEdgeInput({ authorization: `Bearer ${text}` });

let test: TestStore;
let authenticator: Authenticator;
let sessions: Sessions;
beforeEach(async () => {
  test = await openTestStore();
  const { store, clock, steady } = test;
  authenticator = createAuthenticator({ store, config: CONFIG, clock, steady });
  const touches = createTouches(() => {});
  sessions = createSessions({
    store: store.sessions,
    providers: [{ id: 'local', type: 'accounts' }],
    limits: CONFIG.sessions,
    roleBook: createRoleBook(CONFIG.roles),
    touches,
    clock,
  });
});
afterEach(async () => {
  await authenticator.idle();
  await test.close();
});

async function login(): Promise<string> {
  await test.store.accounts.create(ALICE);
  return (await sessions.start(ALICE))?.cookieValue ?? '';
}

const reason = (answer: Authentication) => (answer.ok ? 'ok' : answer.reason);

describe('a service token', () => {
  it('is the same principal in every carrier', async () => {
    const { id, text } = await test.token();
    const principal = {
      id: 'token:etl',
      kind: 'worker',
      idp: null,
      roles: ['worker'],
      grants: everywhere(['worker']),
      groups: [],
      attributes: {},
      onBehalfOf: [],
    };
    const answers = await Promise.all([
      authenticator.authenticate(bearer(text)),
      authenticator.authenticate(anEdgeInput({ authorization: basic(`any:${text}`) })),
      authenticator.authenticate(anEdgeInput({ token: text })),
      authenticator.authenticateFrame(`any:${text}`, anEdgeInput({})),
      authenticator.authenticateFrame(text, anEdgeInput({})),
    ]);
    const carriers = ['authorization', 'authorization', 'x-lictor-token', 'frame', 'frame'];
    expect(answers).toEqual(
      carriers.map((carrier) => ({ ok: true, principal, credential: { id, carrier, expiresAtMs: null, sessionId: null, alsoPresented: [] } })),
    );
  });

  it('is a service unless worker is its only role, bound roles included', async () => {
    const kinds = [];
    for (const token of [
      { name: 'two', roles: ['worker', 'viewer'] },
      { name: 'bound', roles: ['worker'] },
      { name: 'none', roles: [] },
    ]) {
      const answer = await authenticator.authenticate(bearer((await test.token(token)).text));
      kinds.push(answer.ok && [answer.principal.kind, answer.principal.roles]);
    }
    expect(kinds).toEqual([
      ['service', ['viewer', 'worker']],
      ['service', ['viewer', 'worker']],
      ['service', []],
    ]);
  });

  it('is rejected if it is missing, malformed, foreign or unknown, and names no principal', async () => {
    const { id, text } = await test.token();
    const refused = async (inputs: Parameters<typeof anEdgeInput>[0], expected: string): Promise<void> => {
      expect(await authenticator.authenticate(anEdgeInput(inputs))).toEqual({ ok: false, reason: expected, credentialId: null });
    };
    await refused({}, 'credential-missing');
    await refused({ authorization: `Bearer ${text.slice(0, -1)}` }, 'credential-malformed');
    await refused({ authorization: `Bearer  ${text}` }, 'credential-malformed');
    await refused({ authorization: basic(text) }, 'credential-malformed');
    await refused({ authorization: basic(`any:extra:${text}`) }, 'credential-unknown');
    await refused({ token: ` ${text}` }, 'credential-unknown');
    await refused({ authorization: 'Bearer pnu_abc' }, 'credential-unknown');
    await refused({ authorization: `Bearer ${createTokenText(id).text}` }, 'credential-unknown');
    await refused({ authorization: `Bearer ${createTokenText('0000000000').text}` }, 'credential-unknown');
    expect(reason(await authenticator.authenticateFrame('', anEdgeInput({})))).toBe('credential-missing');
    expect(reason(await authenticator.authenticateFrame('lct_x', anEdgeInput({})))).toBe('credential-malformed');
  });

  it('is refused after it was revoked, on the very next request (TK-01)', async () => {
    const { id, text } = await test.token();
    expect(reason(await authenticator.authenticate(bearer(text)))).toBe('ok');
    await test.store.tokens.revoke(id);
    expect(await authenticator.authenticate(bearer(text))).toEqual({ ok: false, reason: 'credential-revoked', credentialId: id, owner: ETL });
  });

  it('waits with 503 after a restore, until a person confirms it', async () => {
    const { id, text } = await test.token();
    using db = new DatabaseSync(join(test.directory, 'lictor.db'));
    db.exec('UPDATE tokens SET held_ms = 1');
    expect(await authenticator.authenticate(bearer(text))).toMatchObject({ ok: false, reason: 'credential-unconfirmed', credentialId: id });
    expect(REASONS['credential-unconfirmed'].status).toBe(503);
    await test.store.tokens.confirm(id);
    expect(reason(await authenticator.authenticate(bearer(text)))).toBe('ok');
  });

  it('works inside the overlap of a rotation and not after it (TK-01)', async () => {
    const { id, text: old } = await test.token({ lifetimeMs: HOUR_MS });
    const { text: fresh } = await test.rotate(id, 10_000);
    test.advance(9_999);
    const answer = await authenticator.authenticate(bearer(old));
    expect(answer.ok && (answer.credential.expiresAtMs ?? 0) - test.clock()).toBe(1);
    test.advance(1);
    expect(await authenticator.authenticate(bearer(old))).toEqual({ ok: false, reason: 'credential-expired', credentialId: id, owner: ETL });
    expect(reason(await authenticator.authenticate(bearer(fresh)))).toBe('ok');
  });

  it('is named in the refusal of a secret from before the last rotation, which has the reason of a guess', async () => {
    const { id, text } = await test.token();
    await test.rotate(id, HOUR_MS);
    await test.rotate(id, HOUR_MS);
    expect(await authenticator.authenticate(bearer(text))).toEqual({ ok: false, reason: 'credential-unknown', credentialId: id, owner: ETL });
    const guess = await authenticator.authenticate(bearer(createTokenText(id).text));
    expect(guess).toEqual({ ok: false, reason: 'credential-unknown', credentialId: null });
  });

  it('of an agent has the agent as its owner', async () => {
    const { store, clock, steady } = test;
    const agents = [{ name: 'etl', credential: { kind: 'token' } }] as unknown as Config['agents'];
    const { id, text } = await test.token();
    await store.tokens.revoke(id);
    const answer = await createAuthenticator({ store, config: { ...CONFIG, agents }, clock, steady }).authenticate(bearer(text));
    expect(answer).toMatchObject({ reason: 'credential-revoked', owner: { id: 'agent:etl', kind: 'agent' } });
  });

  it('does not work again after a rotation without an overlap when the clock is put back', async () => {
    const { id, text: old } = await test.token();
    const { text: fresh } = await test.rotate(id, 0);
    for (const backMs of [0, 2_000, 24 * HOUR_MS]) {
      test.advance(-backMs);
      expect(reason(await authenticator.authenticate(bearer(old)))).toBe('credential-expired');
      expect(reason(await authenticator.authenticate(bearer(fresh)))).toBe('ok');
    }
  });

  it('expires to the millisecond', async () => {
    const { text } = await test.token({ lifetimeMs: 1000 });
    test.advance(999);
    expect(reason(await authenticator.authenticate(bearer(text)))).toBe('ok');
    test.advance(1);
    expect(reason(await authenticator.authenticate(bearer(text)))).toBe('credential-expired');
  });

  it('is valid only from its networks', async () => {
    const { text } = await test.token({ cidrs: ['10.0.0.0/8', 'fd00::/8'] });
    const from = async (address: string) => reason(await authenticator.authenticate({ ...bearer(text), address }));
    expect(await Promise.all(['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1'].map(from))).toEqual(['ok', 'ok', 'ok']);
    expect(await Promise.all(['11.1.2.3', '::ffff:11.1.2.3', 'fe00::1', ''].map(from))).toEqual(Array.from({ length: 4 }, () => 'credential-address'));
  });

  it('has its last use recorded, at most once a minute', async () => {
    const { id, text } = await test.token();
    const used = async () => {
      await authenticator.authenticate(bearer(text));
      await authenticator.idle();
      return (await test.store.tokens.byId(id))?.lastUsedMs;
    };
    const first = test.clock();
    expect(await used()).toBe(first);
    test.advance(59_999);
    expect(await used()).toBe(first);
    test.advance(1);
    expect(await used()).toBe(first + 60_000);
  });

  it('has the last use of each secret recorded during an overlap', async () => {
    const { id, text: old } = await test.token();
    const { text: fresh } = await test.rotate(id, HOUR_MS);
    const usedMs = async () => (await test.store.tokens.byId(id))?.secrets.map((secret) => secret.lastUsedMs);
    const first = test.clock();
    for (const [text, expected] of [
      [old, [null, first]],
      [fresh, [first, first]],
    ] as const) {
      await authenticator.authenticate(bearer(text));
      await authenticator.idle();
      expect(await usedMs()).toEqual(expected);
    }
  });
});

describe('a session', () => {
  const visit = (session: string) => authenticator.authenticate(anEdgeInput({ session }));

  it('is its account, with bound roles', async () => {
    const session = await login();
    expect(session).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const answer = await visit(session);
    expect(answer).toMatchObject({ ok: true, principal: { id: 'alice@local', kind: 'user', idp: 'local', roles: ['admin', 'viewer'] } });
    expect(answer.ok && answer.credential).toMatchObject({ carrier: 'session', sessionId: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(JSON.stringify(answer)).not.toContain(session);
  });

  it('is rejected if it never existed, is malformed, or has ended', async () => {
    const session = await login();
    for (const bad of ['x', `${session}x`, `${session.slice(0, -1)}=`, session.slice(1), ` ${session}`])
      expect(reason(await visit(bad))).toBe('session-expired');
    expect(await sessions.end(session)).toBe(true);
    expect(reason(await visit(session))).toBe('session-expired');
    expect(await sessions.end(session)).toBe(false);
    expect(await sessions.end("x' or 1=1")).toBe(false);
  });

  it('ends if it is idle, and not while it is used', async () => {
    const session = await login();
    for (let hours = 0; hours < 21; hours += 7) {
      test.advance(7 * HOUR_MS);
      expect(reason(await visit(session))).toBe('ok');
      await authenticator.idle();
    }
    test.advance(8 * HOUR_MS - 1 - 7 * HOUR_MS);
    expect(reason(await visit(session))).toBe('ok');
  });

  it('ends after the idle time to the millisecond', async () => {
    const session = await login();
    test.advance(8 * HOUR_MS);
    expect(await visit(session)).toMatchObject({ reason: 'session-expired', owner: { id: 'alice@local', kind: 'user' } });
  });

  it('ends after the absolute time however much it is used', async () => {
    const session = await login();
    for (let hours = 0; hours < 23; hours += 1) {
      test.advance(HOUR_MS);
      expect(reason(await visit(session))).toBe('ok');
      await authenticator.idle();
    }
    test.advance(HOUR_MS - 1);
    expect(reason(await visit(session))).toBe('ok');
    test.advance(1);
    expect(reason(await visit(session))).toBe('session-expired');
  });

  it('ends by a shortened absolute time, and is not extended by a longer one', async () => {
    const withAbsolute = (absoluteSeconds: number): Authenticator =>
      createAuthenticator({
        store: test.store,
        config: { ...CONFIG, sessions: { idleSeconds: 3600, absoluteSeconds } },
        clock: test.clock,
        steady: test.steady,
      });
    const session = await login();
    const reasonBy = async (by: Authenticator) => reason(await by.authenticate(anEdgeInput({ session })));
    const [shorter, longer] = [withAbsolute(3600), withAbsolute(48 * 3600)];
    test.advance(HOUR_MS - 1);
    expect(await reasonBy(shorter)).toBe('ok');
    await shorter.idle();
    test.advance(1);
    expect(await reasonBy(shorter)).toBe('session-expired');
    expect(await reasonBy(longer)).toBe('ok');
    await longer.idle();
    for (let hours = 1; hours < 48; hours += 1) {
      test.advance(HOUR_MS / 2);
      await reasonBy(longer);
      await longer.idle();
    }
    expect(await reasonBy(longer)).toBe('session-expired');
  });

  it('continues under an idle limit below a minute while it is used', async () => {
    const config = { ...CONFIG, sessions: { idleSeconds: 4, absoluteSeconds: 3600 } };
    const short = createAuthenticator({ store: test.store, config, clock: test.clock, steady: test.steady });
    const session = await login();
    for (let seconds = 0; seconds < 30; seconds += 2) {
      test.advance(2000);
      expect(reason(await short.authenticate(anEdgeInput({ session })))).toBe('ok');
      await short.idle();
    }
    test.advance(4000);
    expect(reason(await short.authenticate(anEdgeInput({ session })))).toBe('session-expired');
  });

  it('ends with the account and with a new password', async () => {
    const session = await login();
    await test.store.accounts.setPassword('alice', 'phc-2');
    expect(reason(await visit(session))).toBe('session-expired');
    const second = (await sessions.start({ ...ALICE, password: 'phc-2' }))?.cookieValue ?? '';
    expect(reason(await visit(second))).toBe('ok');
    await test.store.accounts.remove('alice');
    expect(reason(await visit(second))).toBe('session-expired');
  });

  it('is not accepted when the configuration has no accounts', async () => {
    const without = createAuthenticator({ store: test.store, config: { ...CONFIG, identityProviders: [] }, clock: test.clock, steady: test.steady });
    const session = await login();
    expect(reason(await without.authenticate(anEdgeInput({ session })))).toBe('session-expired');
  });
});

describe('several credentials on one request', () => {
  it('the first in the order wins, and the other valid ones of another principal are named', async () => {
    const [one, other] = [await test.token({ name: 'one' }), await test.token({ name: 'other' })];
    const session = await login();
    const answer = await authenticator.authenticateFrame(`any:${one.text}`, anEdgeInput({ authorization: `Bearer ${one.text}`, token: other.text, session }));
    expect(answer).toMatchObject({ ok: true, principal: { id: 'token:one' }, credential: { id: one.id, carrier: 'authorization' } });
    expect(answer.ok && answer.credential.alsoPresented).toEqual([other.id, expect.stringMatching(/^session:[0-9a-f]{16}$/)]);
  });

  it('a bad first one is rejected and does not fall through', async () => {
    const { text } = await test.token();
    const session = await login();
    const bad = { authorization: 'Bearer lct_bad', token: text, session, sameOrigin: true };
    expect(reason(await authenticator.authenticate(anEdgeInput(bad)))).toBe('credential-malformed');
    expect(reason(await authenticator.authenticate(anEdgeInput({ token: 'lct_bad', session })))).toBe('credential-malformed');
    expect(reason(await authenticator.authenticateFrame(text, anEdgeInput({ session: 'bad' })))).toBe('session-expired');
  });

  it('a bad further one is ignored', async () => {
    const { text } = await test.token();
    const answer = await authenticator.authenticate(anEdgeInput({ authorization: `Bearer ${text}`, token: 'lct_bad', session: 'bad' }));
    expect(answer.ok && answer.credential.alsoPresented).toEqual([]);
  });

  it('the stored Basic of the Prefect UI does not take precedence over a session of the own origin', async () => {
    const session = await login();
    const authorization = basic('admin:old');
    const same = await authenticator.authenticate(anEdgeInput({ authorization, session, sameOrigin: true }));
    expect(same.ok && same.principal.id).toBe('alice@local');
    expect(reason(await authenticator.authenticate(anEdgeInput({ authorization, session })))).toBe('credential-unknown');
    expect(reason(await authenticator.authenticate(anEdgeInput({ authorization, session: 'x'.repeat(43), sameOrigin: true })))).toBe('session-expired');
  });
});

describe('a lock', () => {
  const lock = (kind: LockKind, value: string) => test.store.locks.put({ kind, value, why: '', by: 'local:root', expiresMs: null });

  it.each([
    ['principal', 'token:etl', 'locked'],
    ['principal', 'token:other', 'ok'],
    ['principal', 'etl', 'ok'],
    ['idp', 'local', 'ok'],
    ['address', '192.0.2.0/24', 'locked'],
    ['address', '192.0.2.1', 'locked'],
    ['address', '198.51.100.0/24', 'ok'],
    ['address', '::/1', 'ok'],
  ] as const)('on %s %s: a token from 192.0.2.1 is %s', async (kind, value, expected) => {
    const { text } = await test.token();
    await lock(kind, value);
    const inputs = { ...bearer(text), address: '192.0.2.1' };
    expect(reason(await authenticator.authenticate(inputs))).toBe(expected);
    expect(reason(await authenticator.authenticateFrame(text, { ...anEdgeInput({}), address: '192.0.2.1' }))).toBe(expected);
    expect(reason(await authenticator.authenticate({ ...inputs, address: '::ffff:192.0.2.1' }))).toBe(expected);
  });

  it.each([
    ['principal', 'alice@local', 'locked'],
    ['principal', 'bob@local', 'ok'],
    ['idp', 'local', 'locked'],
    ['idp', 'corp', 'ok'],
  ] as const)('on %s %s: a session of alice is %s', async (kind, value, expected) => {
    const session = await login();
    await lock(kind, value);
    expect(reason(await authenticator.authenticate(anEdgeInput({ session })))).toBe(expected);
  });

  it('on a session matches it by the id in records, whole or shortened', async () => {
    const [first, second] = [await login(), (await sessions.start(ALICE))?.cookieValue ?? ''];
    const answer = await authenticator.authenticate(anEdgeInput({ session: first }));
    const id = answer.ok ? (answer.credential.sessionId ?? '') : '';
    for (const value of [id, id.slice(0, 16)]) {
      await lock('session', value);
      expect(reason(await authenticator.authenticate(anEdgeInput({ session: first })))).toBe('locked');
      expect(reason(await authenticator.authenticate(anEdgeInput({ session: second })))).toBe('ok');
      await test.store.locks.remove({ kind: 'session', value });
      expect(reason(await authenticator.authenticate(anEdgeInput({ session: first })))).toBe('ok');
    }
  });

  it('names the locked principal for the record; a lock on an address names no principal', async () => {
    const { id, text } = await test.token();
    await lock('principal', 'token:etl');
    expect(await authenticator.authenticate(bearer(text))).toMatchObject({ credentialId: id, proven: { principal: { id: 'token:etl' } } });
    await lock('address', '192.0.2.1');
    expect(await authenticator.authenticate({ ...bearer(text), address: '192.0.2.1' })).toEqual({ ok: false, reason: 'locked', credentialId: null });
  });

  it('reveals nothing to a guess', async () => {
    const { text } = await test.token();
    await lock('principal', 'token:etl');
    const wrong = text.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(reason(await authenticator.authenticate(bearer(wrong)))).not.toBe('locked');
  });
});

describe('guessing', () => {
  it('gets another reason above the limit, while a valid token from the same address is accepted', async () => {
    const { text } = await test.token();
    const guessing: string[] = [];
    const watched = createAuthenticator({
      store: test.store,
      config: CONFIG,
      clock: test.clock,
      steady: test.steady,
      onGuessing: (address) => guessing.push(address),
    });
    const reasons = [];
    for (let index = 0; index < 102; index += 1) reasons.push(reason(await watched.authenticate(bearer('nonsense'))));
    expect([reasons[99], reasons[100], reasons[101]]).toEqual(['credential-unknown', 'too-many-failures', 'too-many-failures']);
    expect(reason(await watched.authenticate(bearer(text)))).toBe('ok');
    expect(guessing).toEqual(['192.0.2.1']);
    await watched.idle();
  });
});
