// Notes on locks with a name that the configuration does not have.
import { expect, it } from 'vitest';
import type { Lock } from '../../contract/lock.ts';
import { noteOnLock, warnOfLocks } from './lock-notes.ts';

const config = {
  identityProviders: [
    { id: 'people', type: 'accounts' },
    { id: 'corp', type: 'oidc' },
  ] as never,
};
const lock = (more: Partial<Lock>): Lock => ({
  kind: 'principal',
  value: '',
  ofAccounts: false,
  why: '',
  by: 'local:root',
  createdMs: 0,
  expiresMs: null,
  ...more,
});

it.each([
  [{ value: 'emma@local', ofAccounts: true }, 'accounts are called people now: it holds on emma@people'],
  [{ value: 'emma@people', ofAccounts: true }, null],
  [{ kind: 'idp', value: 'local', ofAccounts: true }, 'accounts are called people now: it holds on idp:people'],
  [{ value: 'alice@gone' }, 'there is no identity provider gone in the configuration: it locks no one who can log in now'],
  [{ kind: 'idp', value: 'gone' }, 'there is no identity provider gone in the configuration: it locks no one who can log in now'],
  [{ value: 'alice@corp' }, null],
  [{ kind: 'idp', value: 'corp' }, null],
  [{ value: 'token:etl' }, null],
  [{ kind: 'address', value: '192.0.2.7' }, null],
  [{ kind: 'session', value: '0123456789abcdef' }, null],
] as const)('%j: %s', (more, note) => {
  expect(noteOnLock(lock(more), config)).toBe(note);
});

it('warns of each of them, and of nothing else', async () => {
  const warned: object[] = [];
  const log = { warn: (fields: object) => void warned.push(fields) };
  await warnOfLocks({ locks: { list: async () => [lock({ value: 'alice@gone' }), lock({ value: 'alice@corp' })] }, config }, log);
  expect(warned).toEqual([{ lock: 'alice@gone' }]);
});

it('ends no request if locks cannot be read', async () => {
  const warned: object[] = [];
  await warnOfLocks({ locks: { list: () => Promise.reject(new Error('disk')) }, config }, { warn: (fields) => void warned.push(fields) });
  expect(warned).toMatchObject([{ err: { message: 'disk' } }]);
});
