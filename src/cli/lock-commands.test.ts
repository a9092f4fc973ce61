// lictor lock, unlock and locks, directly on the store file.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../config/config.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { lockOnPrincipal } from '../identity/authn/locks.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

let root = '';
beforeEach(async () => {
  root = makeMemoryDir('lictor-locks-');
  configure('{ id: local, type: accounts }');
  await (await openStore({ at: join(root, 'lictor.db'), clock: Date.now })).close();
});

function configure(providers: string): void {
  const url = 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n';
  writeFileSync(join(root, 'lictor.yaml'), `${url}identity_providers: [${providers}]\n`);
}

afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({
    args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args],
    out,
    err,
    env: {},
    cwd: root,
    pause: async () => undefined,
  });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function records(): Promise<unknown[]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found = [];
  for await (const { action, resource_type, resource_id } of reader.audit({})) found.push([action, resource_type, resource_id]);
  reader.close();
  return found;
}

async function told(): Promise<unknown[]> {
  return JSON.parse((await lictor('locks', '--json')).out).map(({ what, note }: { what: string; note: string }) => [what, note]);
}

/** The check of locks that the gateway makes for each request. */
async function isLocked(id: string, identityProviders: readonly IdentityProvider[]): Promise<boolean> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
  const lock = await lockOnPrincipal({ locks: store.locks, config: { identityProviders } }, { id, idp: id.slice(id.lastIndexOf('@') + 1), onBehalfOf: [] });
  await store.close();
  return lock !== undefined;
}

describe('lictor lock', () => {
  it('locks, shows and unlocks; both are recorded', async () => {
    await lictor('account', 'add', 'alice', '--role', 'viewer');
    const locked = await lictor('lock', 'alice@local', '--for', '1h', '--why', 'laptop stolen');
    expect(locked).toMatchObject({ status: 0, err: '', out: expect.stringContaining('lictor unlock alice@local ends it') });
    const [lock] = JSON.parse((await lictor('locks', '--json')).out);
    expect(lock).toMatchObject({ what: 'alice@local', kind: 'principal', why: 'laptop stolen', by: expect.stringMatching(/^local:/) });
    expect(Math.abs(Date.parse(lock.expires_at) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect((await lictor('locks')).out).toMatch(/WHAT .*\nalice@local .*laptop stolen\n$/);
    expect(await lictor('unlock', 'alice@local')).toMatchObject({ status: 0, out: 'alice@local is unlocked.\n' });
    expect((await lictor('locks')).out).toContain('No locks.');
    expect((await records()).filter((record) => JSON.stringify(record).includes('Lock'))).toEqual([
      ['lock.create', 'Lock', 'alice@local'],
      ['lock.remove', 'Lock', 'alice@local'],
    ]);
  });

  it('takes an agent of lictor.yaml, and no other', async () => {
    const agent = '{ name: copilot, sponsor: "user:alice@local", credential: token, roles: [{ role: agent }] }';
    appendFileSync(join(root, 'lictor.yaml'), `agents: [${agent}]\n`);
    expect(await lictor('lock', 'agent:copilot')).toMatchObject({ status: 0, err: '' });
    expect(await lictor('lock', 'agent:copylot')).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean copilot?') });
    expect(await lictor('unlock', 'agent:copilot')).toMatchObject({ status: 0 });
  });

  it('asks what was meant by an account, a token or a provider that is not there', async () => {
    await lictor('account', 'add', 'alice', '--role', 'viewer');
    await lictor('token', 'create', 'etl', '--role', 'worker');
    for (const [what, meant] of Object.entries({ 'alise@local': 'alice@local', 'token:elt': 'etl', 'idp:locla': 'local' }))
      expect(await lictor('lock', what), what).toMatchObject({ status: 1, err: expect.stringContaining(`Did you mean ${meant}?`) });
  });

  it('keeps networks in one form, so that unlock finds them', async () => {
    expect(await lictor('lock', 'address:::ffff:192.0.2.7')).toMatchObject({ status: 0 });
    expect(JSON.parse((await lictor('locks', '--json')).out)).toMatchObject([{ what: 'address:192.0.2.7' }]);
    expect(await lictor('unlock', 'address:192.0.2.7/32')).toMatchObject({ status: 0 });
  });

  it.each([
    ['alise@local', 'There is no account alise@local'],
    ['alice@corp', 'There is no identity provider corp'],
    ['ETL worker@corp', 'There is no identity provider corp'],
    ['token:etl@corp', 'There is no identity provider corp'],
    ['token:nobody', 'There is no live token nobody'],
    ['idp:corp', 'There is no identity provider corp'],
  ])('refuses %s, which shuts nobody out', async (what, words) => {
    expect(await lictor('lock', what)).toMatchObject({ status: 1, out: '', err: expect.stringContaining(words) });
    expect((await lictor('locks')).out).toContain('No locks.');
  });

  it.each([
    ['alice'],
    [''],
    [' alice@local'],
    ['alice @local'],
    ['two\nlines@local'],
    ['address:0.0.0.0/0'],
    ['address:::/0'],
    ['address:10.0.0.0/99'],
    ['address:here'],
    ['session:abc'],
    ['session:../../x'],
    ['idp:'],
    ['alice@local', '--for', 'soon'],
    ['alice@local', '--for', '0s'],
    ['alice@local', '--why', 'two\nlines'],
  ])('answers 2 to %s %s %s', async (...args) => {
    const { status, out, err } = await lictor('lock', ...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).not.toMatch(/defect|at .*\.ts/);
  });

  it.each([
    ['emma@local', ' emma@break-glass'],
    ['idp:local', ' idp:break-glass'],
  ])('holds on accounts whatever lictor.yaml calls their provider: %s', async (what, now) => {
    await lictor('account', 'add', 'emma', '--role', 'admin', '--for', '2h');
    await lictor('lock', what);
    expect(await told()).toEqual([[what, null]]);
    configure('');
    expect(await isLocked('emma@break-glass', [])).toBe(true);
    expect(await told()).toEqual([[what, expect.stringContaining(now)]]);
    expect((await lictor('locks')).out).toContain(`${what}: accounts are called break-glass now: it holds on${now}.\n`);
    configure('{ id: people, type: accounts }');
    expect(await isLocked('emma@people', [{ id: 'people', type: 'accounts' }])).toBe(true);
    expect(await lictor('unlock', what)).toMatchObject({ status: 0 });
    expect(await isLocked('emma@people', [{ id: 'people', type: 'accounts' }])).toBe(false);
  });

  it.each([
    ['break-glass', '', '', null],
    ['break-glass', '{ id: people, type: accounts }', 'Accounts are called people now: all of them are locked.', expect.stringContaining('idp:people')],
  ])('shuts out the accounts of an emergency by idp:%s, with providers %s', async (id, providers, words, note) => {
    configure(providers);
    expect(await lictor('lock', `idp:${id}`)).toMatchObject({ status: 0, err: '', out: expect.stringContaining(words) });
    expect(await told()).toEqual([['idp:break-glass', note]]);
    expect(await isLocked('emma@break-glass', [])).toBe(true);
  });

  it('takes an account by the name of an emergency too, and says the present one for a name of before', async () => {
    await lictor('account', 'add', 'emma', '--role', 'admin');
    expect(await lictor('lock', 'emma@break-glass')).toMatchObject({ status: 0, err: '' });
    expect(await isLocked('emma@local', [{ id: 'local', type: 'accounts' }])).toBe(true);
    configure('{ id: people, type: accounts }');
    expect(await lictor('lock', 'emma@local')).toMatchObject({ status: 1, err: expect.stringContaining('The account emma is emma@people.') });
    expect(await lictor('lock', 'erik@local')).toMatchObject({ status: 1, err: expect.not.stringContaining('The account') });
  });

  it('takes any name of a person for the person, whom a run may act for by the name of then', async () => {
    configure('{ id: corp, type: saml, metadata_url: https://idp.example.com/metadata }');
    const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
    const alice = { idp: 'corp', subject: 's', name: 'alice', kind: 'user', groups: [], claims: {} } as const;
    await store.identities.put(alice, 'its word');
    await store.identities.put({ ...alice, name: 'alicia' }, 'its word');
    await store.close();
    const locked = await lictor('lock', 'alice@corp');
    expect(locked).toMatchObject({ status: 0, err: '', out: expect.stringMatching(/other names: alicia@corp\.\nThey are called alicia@corp now\.\n$/) });
    expect(await told()).toEqual([
      ['alice@corp', null],
      ['alicia@corp', null],
    ]);
    expect(await lictor('unlock', 'alicia@corp')).toMatchObject({ status: 0, out: expect.stringContaining('other names: alice@corp.') });
    expect(await told()).toEqual([]);
    expect((await lictor('lock', 'alicia@corp')).out).not.toContain('They are called');
    expect((await records()).filter((record) => JSON.stringify(record).includes('lock.'))).toEqual([
      ['lock.create', 'Lock', 'alice@corp'],
      ['lock.create', 'Lock', 'alicia@corp'],
      ['lock.remove', 'Lock', 'alice@corp'],
      ['lock.remove', 'Lock', 'alicia@corp'],
      ['lock.create', 'Lock', 'alicia@corp'],
      ['lock.create', 'Lock', 'alice@corp'],
    ]);
    expect((await lictor('lock', 'alise@corp')).out).toContain('No user of that name has logged in from corp yet.');
  });

  it.each([['idp:x@corp'], ['idp:corp@corp'], ['session:0123456789abcdef@corp'], ['address:192.0.2.7@corp'], ['token:x@corp']])(
    'takes %s for the person who is called so at a provider',
    async (what) => {
      configure('{ id: corp, type: saml, metadata_url: https://idp.example.com/metadata }');
      expect(await lictor('lock', what)).toMatchObject({ status: 0, err: '' });
      expect(JSON.parse((await lictor('locks', '--json')).out)).toMatchObject([{ what, kind: 'principal', value: what }]);
      expect(await isLocked(what, [])).toBe(true);
      expect(await isLocked('max@corp', [])).toBe(false);
      expect(await lictor('unlock', what)).toMatchObject({ status: 0 });
      expect(await told()).toEqual([]);
    },
  );

  it('reports a lock that matches no principal of the configuration any more', async () => {
    configure('{ id: corp, type: saml, metadata_url: https://idp.example.com/metadata }');
    expect(await lictor('lock', 'alice@corp')).toMatchObject({ status: 0, err: '' });
    expect(await told()).toEqual([['alice@corp', null]]);
    configure('');
    expect(await told()).toEqual([['alice@corp', expect.stringContaining('no identity provider corp')]]);
  });

  it('unlock asks which lock was meant', async () => {
    await lictor('account', 'add', 'emma', '--role', 'viewer');
    for (const what of ['address:192.0.2.7', 'emma@local']) expect(await lictor('lock', what)).toMatchObject({ status: 0 });
    expect(await lictor('unlock', 'address:192.0.2.8')).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean address:192.0.2.7?') });
    expect(await lictor('unlock', 'emam@local')).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean emma@local?') });
    expect((await lictor('unlock', 'someone@else')).err).toBe('lictor: There is no lock on someone@else. lictor locks shows them.\n');
  });

  it('unlock says when there is no such lock', async () => {
    expect(await lictor('unlock', 'address:192.0.2.7')).toMatchObject({ status: 1, err: expect.stringContaining('no lock on address:192.0.2.7') });
  });
});
