import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import { writeNewStore } from '../../store/new-store.fixture.ts';
import { openStore } from '../../store/store.ts';
import { NOW_MS, principalParts, role, token } from './bench.fixture.ts';
import { findPrincipal } from './principal.ts';

describe('finding a principal', () => {
  it('says where each role of an account comes from, and agrees with the role book', async () => {
    const parts = principalParts();
    const found = await findPrincipal('alice@local', parts);
    expect(found.roles).toEqual([{ role: 'viewer', scope: null, from: ['account alice', 'lictor.yaml roles[1]: *@local'] }]);
    const bob = await findPrincipal('bob@local', parts);
    expect(bob.roles).toEqual([
      { role: 'operator', scope: null, from: ['lictor.yaml roles[0]: user:bob@local'] },
      { role: 'viewer', scope: null, from: ['lictor.yaml roles[1]: *@local'] },
    ]);
    expect(bob.principal.grants).toEqual(createRoleBook(parts.config.roles).ofAccount({ name: 'bob', roles: [], scope: null }, 'local'));
    expect(bob.roles.map((origin) => origin.role)).toEqual(bob.principal.roles);
  });

  it('knows who has come from an identity provider, by what it said the last time', async () => {
    const dana = { id: '1', idp: 'corp', subject: 'sub-1', name: 'dana', kind: 'user', createdMs: 0, seenMs: 0 } as const;
    const parts = principalParts([], [], [{ ...dana, groups: ['platform'], claims: { email: 'dana@example.com' } }]);
    const found = await findPrincipal('dana@corp', parts);
    expect(found.principal).toMatchObject({ id: 'dana@corp', idp: 'corp', groups: ['platform'], roles: ['admin'] });
    expect(found.roles).toEqual([
      { role: 'admin', scope: null, from: ['lictor.yaml roles[2]: group:platform@corp', 'lictor.yaml roles[2]: claim:email=*@example.com@corp'] },
    ]);
    await expect(findPrincipal('dan@corp', parts)).rejects.toThrow('Did you mean dana@corp?');
    await expect(findPrincipal('dana@adfs', parts)).rejects.toThrow('Nobody is called');
  });

  it('knows who was sent by SCIM before the first login, with these groups; another one is unknown', async () => {
    const directory = makeMemoryDir('lictor-explain-');
    const file = join(directory, 'lictor.db');
    await writeNewStore(file);
    const store = await openStore({ at: file, clock: () => NOW_MS });
    onTestFinished(async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    });
    const user = (userName: string, active: boolean) => ({ userName, externalId: null, active, attributes: {} });
    await store.scim.change('corp', async ({ createUser, createGroup, addMembers }) => {
      const users = [await createUser(user('dana', true)), await createUser(user('gone', false))];
      await addMembers((await createGroup({ displayName: 'platform', externalId: null })) ?? '', users.map(String));
    });
    const parts = { ...principalParts(), store: async () => store };
    expect(await findPrincipal('dana@corp', parts)).toMatchObject({
      hypothetical: false,
      principal: { id: 'dana@corp', groups: ['platform'], roles: ['admin'] },
      refusedAs: null,
      notes: [expect.stringContaining('by SCIM')],
    });
    expect((await findPrincipal('gone@corp', parts)).refusedAs).toBe('locked');
    await expect(findPrincipal('erik@corp', parts)).rejects.toThrow('Nobody is called');
    await expect(findPrincipal('dana@other', parts)).rejects.toThrow('Nobody is called');
  });

  it.each(['token:x', 'role:viewer', 'local:root'])('takes %s of a provider for the person who is called so', async (name) => {
    const dana = { id: '1', idp: 'corp', subject: 'sub-1', name, kind: 'user', createdMs: 0, seenMs: 0, groups: ['platform'], claims: {} } as const;
    const found = await findPrincipal(`${name}@corp`, principalParts([token('x')], [], [dana]));
    expect(found).toMatchObject({ hypothetical: false, principal: { id: `${name}@corp`, idp: 'corp', roles: ['admin'] } });
  });

  it('takes token roles from the token and from bindings, and a worker for a worker', async () => {
    const parts = principalParts([token('ci'), token('etl', { roles: ['worker'] })]);
    expect((await findPrincipal('token:ci', parts)).roles.map((origin) => origin.role)).toEqual(['operator', 'run']);
    expect((await findPrincipal('token:etl', parts)).principal.kind).toBe('worker');
    expect((await findPrincipal('token:ci', parts)).principal.kind).toBe('service');
  });

  it('knows that a live token is not refused, and that revoked and expired ones are', async () => {
    const secret = { hash: 'x', createdMs: 0, lastUsedMs: null, lastUsedFrom: null };
    const expired = token('old', { secrets: [{ ...secret, expiresMs: NOW_MS }] });
    const overlapping = token('two', { secrets: [{ ...secret, expiresMs: NOW_MS + 1 }, ...expired.secrets] });
    const parts = principalParts([
      token('gone', { revokedMs: 5 }),
      token('held', { heldMs: 5 }),
      expired,
      overlapping,
      token('again', { id: 'a', revokedMs: 5 }),
      token('again', { id: 'b' }),
    ]);
    expect((await findPrincipal('token:gone', parts)).refusedAs).toBe('credential-revoked');
    expect((await findPrincipal('token:held', parts)).refusedAs).toBe('credential-unconfirmed');
    expect((await findPrincipal('token:old', parts)).refusedAs).toBe('credential-expired');
    expect((await findPrincipal('token:two', parts)).refusedAs).toBeNull();
    expect((await findPrincipal('token:again', parts)).refusedAs).toBeNull();
  });

  it('knows that an account waits after a restore, and a confirmed one does not', async () => {
    const parts = principalParts();
    const store = await parts.store();
    const [alice] = await store.accounts.list();
    const held = { ...store, accounts: { ...store.accounts, byName: async () => alice && { ...alice, heldMs: 5 } } };
    expect((await findPrincipal('alice@local', { ...parts, store: async () => held })).refusedAs).toBe('credential-unconfirmed');
    expect((await findPrincipal('alice@local', parts)).refusedAs).toBeNull();
  });

  it('says from where a token is accepted', async () => {
    const found = await findPrincipal('token:near', principalParts([token('near', { cidrs: ['10.0.0.0/8'] })]));
    expect(found.notes.join()).toContain('10.0.0.0/8');
  });

  it('says that a principal is locked, until when and why; another one is not', async () => {
    const lock = { kind: 'principal', value: 'alice@local', ofAccounts: true, why: 'laptop stolen', by: 'local:root', createdMs: 0, expiresMs: null } as const;
    const parts = principalParts([], [lock]);
    const found = await findPrincipal('alice@local', parts);
    expect(found.refusedAs).toBe('locked');
    expect(found.notes).toEqual(['Locked (alice@local) by local:root: laptop stolen. lictor unlock alice@local ends it.']);
    expect(await findPrincipal('bob@local', parts)).toMatchObject({ refusedAs: null, notes: [] });
  });

  it('takes role:... without a store, one or several', async () => {
    expect((await role('worker')).principal).toMatchObject({ kind: 'worker', roles: ['worker'] });
    expect((await role('viewer,run')).principal).toMatchObject({ kind: 'service', roles: ['viewer', 'run'] });
  });

  it.each([
    ['alise@local', 'Did you mean alice@local?'],
    ['alice', 'Did you mean alice@local?'],
    ['ci', 'Did you mean token:ci?'],
    ['alice@corp', 'lictor account list'],
    ['token:cj', 'Did you mean token:ci?'],
    ['role:viewr', 'Did you mean viewer?'],
    ['role:viewer@corp', 'Nobody is called'],
    ['token:ci@corp', 'Nobody is called'],
    ['', 'A principal is written'],
  ])('does not know %j and says what to write', async (text, words) => {
    await expect(findPrincipal(text, principalParts([token('ci')]))).rejects.toMatchObject({
      code: 'principal-unknown',
      message: expect.stringContaining(words),
    });
  });
});
