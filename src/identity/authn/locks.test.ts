// Whom a lock shuts out.
import { describe, expect, it } from 'vitest';
import type { Lock, LockKind } from '../../contract/lock.ts';
import { lockOnAddress, lockOnPrincipal } from './locks.ts';

const PROVIDERS = [
  { id: 'local', type: 'accounts' },
  { id: 'corp', type: 'oidc' },
] as never;
const lock = (kind: LockKind, value: string): Lock => ({ kind, value, ofAccounts: false, why: '', by: 'local:root', createdMs: 0, expiresMs: null });
const under = (held: Lock, identityProviders: readonly never[] = PROVIDERS) => ({ locks: { list: async () => [held] }, config: { identityProviders } });
const RUN = { id: 'run:1', idp: null, onBehalfOf: ['token:etl', 'alice@corp'] };

describe('a lock on a principal that another one acts for', () => {
  it.each([
    ['principal', 'alice@corp', true],
    ['principal', 'token:etl', true],
    ['idp', 'corp', true],
    ['principal', 'alice@cor', false],
    ['idp', 'orp', false],
    ['session', 'alice@corp', false],
    ['address', 'alice@corp', false],
  ] as const)('%s %s', async (kind, value, held) => {
    expect((await lockOnPrincipal(under(lock(kind, value)), RUN)) !== undefined).toBe(held);
  });
});

describe('a lock on a session', () => {
  const ALICE = { id: 'alice@corp', idp: 'corp', onBehalfOf: [] };

  it.each([
    ['that it is', { sessionId: 's1' }, true],
    ['that a login of the command line stands on', { sessionId: null, standsOn: 's1' }, true],
    ['of another person', { sessionId: null, standsOn: 's2' }, false],
    ['where there is none', { sessionId: null, standsOn: null }, false],
  ] as const)('%s', async (_name, credential, held) => {
    expect((await lockOnPrincipal(under(lock('session', 's1')), ALICE, credential)) !== undefined).toBe(held);
  });
});

describe('a lock on accounts', () => {
  const RENAMED = [
    { id: 'people', type: 'accounts' },
    { id: 'corp', type: 'oidc' },
  ] as never;
  const GONE = [{ id: 'corp', type: 'oidc' }] as never;
  const asked = (id: string, onBehalfOf: readonly string[] = []) => ({ id, idp: id.includes('@') ? id.slice(id.lastIndexOf('@') + 1) : null, onBehalfOf });

  it.each([
    ['the provider has another name', RENAMED, 'principal', 'emma@local', 'emma@people', []],
    ['the provider is gone', GONE, 'principal', 'emma@local', 'emma@break-glass', []],
    ['the provider is there after an emergency', PROVIDERS, 'principal', 'emma@break-glass', 'emma@local', []],
    ['the provider has another name, all of them', RENAMED, 'idp', 'local', 'emma@people', []],
    ['the provider is gone, all of them', GONE, 'idp', 'local', 'emma@break-glass', []],
    ['a run was begun for one by the name of before', RENAMED, 'principal', 'emma@people', 'run:1', ['emma@local']],
    ['a run was begun for one by the name of before, all of them', RENAMED, 'idp', 'people', 'run:1', ['emma@local']],
  ] as const)('holds when %s', async (_name, providers, kind, value, id, onBehalfOf) => {
    expect(await lockOnPrincipal(under({ ...lock(kind, value), ofAccounts: true }, providers), asked(id, onBehalfOf))).toMatchObject({ value });
  });

  it.each([
    ['another account', { ...lock('principal', 'emma@local'), ofAccounts: true }, 'emm@people', []],
    ['a person of another provider', { ...lock('principal', 'emma@local'), ofAccounts: true }, 'emma@corp', []],
    ['people of another provider', { ...lock('idp', 'local'), ofAccounts: true }, 'emma@corp', ['max@corp']],
    ['a service token', { ...lock('idp', 'local'), ofAccounts: true }, 'token:emma', []],
    ['an account whose name another provider knows too', lock('principal', 'emma@corp'), 'emma@people', []],
    ['accounts, where another provider is locked', lock('idp', 'corp'), 'emma@people', []],
  ])('does not hold on %s', async (_name, held, id, onBehalfOf) => {
    expect(await lockOnPrincipal(under(held, RENAMED), asked(id, onBehalfOf))).toBeUndefined();
  });

  it('on a removed provider matches no other one', async () => {
    expect(await lockOnPrincipal(under(lock('idp', 'corp'), []), asked('emma@break-glass'))).toBeUndefined();
    expect(await lockOnPrincipal(under(lock('principal', 'emma@corp'), []), asked('emma@break-glass'))).toBeUndefined();
  });
});

describe('a lock on an address', () => {
  it.each([
    ['2001:db8::/32', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', 'no address', false],
  ])('%s and %s', async (value, address, held) => {
    expect((await lockOnAddress(under(lock('address', value)).locks, address)) !== undefined).toBe(held);
  });
});
