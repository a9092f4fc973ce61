// Whom a lock shuts out.
import { describe, expect, it } from 'vitest';
import type { Lock, LockKind } from '../contract/lock.ts';
import { lockOnAddress, lockOnPrincipal } from './locks.ts';

const locks = (kind: LockKind, value: string) => ({
  list: async (): Promise<readonly Lock[]> => [{ kind, value, why: '', by: 'local:root', createdMs: 0, expiresMs: null }],
});
const RUN = { id: 'run:1', idp: null, onBehalfOf: ['token:etl', 'alice@corp'] };

describe('a lock on whom somebody acts for', () => {
  it.each([
    ['principal', 'alice@corp', true],
    ['principal', 'token:etl', true],
    ['idp', 'corp', true],
    ['principal', 'alice@cor', false],
    ['idp', 'orp', false],
    ['session', 'alice@corp', false],
    ['address', 'alice@corp', false],
  ] as const)('%s %s', async (kind, value, held) => {
    expect((await lockOnPrincipal(locks(kind, value), RUN)) !== undefined).toBe(held);
  });
});

describe('a lock on a session', () => {
  const ALICE = { id: 'alice@corp', idp: 'corp', onBehalfOf: [] };

  it.each([
    ['that it is', { sessionId: 's1' }, true],
    ['that a login of the command line stands on', { sessionId: null, standsOn: 's1' }, true],
    ['of somebody else', { sessionId: null, standsOn: 's2' }, false],
    ['where there is none', { sessionId: null, standsOn: null }, false],
  ] as const)('%s', async (_name, credential, held) => {
    expect((await lockOnPrincipal(locks('session', 's1'), ALICE, credential)) !== undefined).toBe(held);
  });
});

describe('a lock on an address', () => {
  it.each([
    ['2001:db8::/32', '2001:db8::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', 'no address', false],
  ])('%s and %s', async (value, address, held) => {
    expect((await lockOnAddress(locks('address', value), address)) !== undefined).toBe(held);
  });
});
