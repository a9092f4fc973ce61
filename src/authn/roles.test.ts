// Roles from the account or token, and from the configuration.
import { describe, expect, it } from 'vitest';
import { createRoleBook } from './roles.ts';

describe('a role book', () => {
  const book = createRoleBook([
    { role: 'operator', members: ['user:bob@local', 'token:etl'] },
    { role: 'viewer', members: ['*@local'] },
    { role: 'admin', members: ['user:root@other'] },
  ]);

  it('adds what is bound to the name and to everybody of the provider', () => {
    expect(book.ofAccount({ name: 'bob', roles: ['deployer', 'viewer'] }, 'local')).toEqual(['deployer', 'operator', 'viewer']);
    expect(book.ofAccount({ name: 'carol', roles: [] }, 'local')).toEqual(['viewer']);
    expect(book.ofToken({ name: 'etl', roles: ['worker'] })).toEqual(['operator', 'worker']);
  });

  it('gives nothing to another provider, another kind, or a name that only looks alike', () => {
    expect(book.ofAccount({ name: 'bob', roles: [] }, 'other')).toEqual([]);
    expect(book.ofAccount({ name: 'root', roles: [] }, 'local')).toEqual(['viewer']);
    expect(book.ofAccount({ name: 'Bob', roles: [] }, 'local')).toEqual(['viewer']);
    expect(book.ofAccount({ name: 'etl', roles: [] }, 'none')).toEqual([]);
    expect(book.ofToken({ name: 'bob', roles: [] })).toEqual([]);
    expect(book.ofToken({ name: 'ETL', roles: [] })).toEqual([]);
  });
});

describe('roles of an identity', () => {
  const book = createRoleBook([
    { role: 'admin', members: ['group:platform@corp'] },
    { role: 'deployer', members: ['claim:repository=acme/etl@ci', 'claim:ref=refs/heads/*@ci'] },
    { role: 'worker', members: ['arn:aws:iam::123456789012:role/etl@aws'] },
    { role: 'viewer', members: ['*@corp', 'user:eve@example.com@corp'] },
  ]);
  const identity = { idp: 'corp', subject: 's', name: 'dana', kind: 'user', groups: [], claims: {} } as const;

  it('come from its groups, claims, name and provider', () => {
    expect(book.ofIdentity({ ...identity, groups: ['platform', 'x'] })).toEqual(['admin', 'viewer']);
    expect(book.ofIdentity({ ...identity, idp: 'ci', claims: { repository: 'acme/etl' } })).toEqual(['deployer']);
    expect(book.ofIdentity({ ...identity, idp: 'ci', claims: { ref: 'refs/heads/main' } })).toEqual(['deployer']);
    expect(book.ofIdentity({ ...identity, idp: 'aws', name: 'arn:aws:iam::123456789012:role/etl' })).toEqual(['worker']);
  });

  it('come from nothing that only looks like it', () => {
    expect(book.ofIdentity({ ...identity, idp: 'other', groups: ['platform'] })).toEqual([]);
    expect(book.ofIdentity({ ...identity, groups: ['Platform', 'platform@corp'] })).toEqual(['viewer']);
    expect(book.ofIdentity({ ...identity, idp: 'ci', claims: { repository: 'acme/etl2' } })).toEqual([]);
    expect(book.ofIdentity({ ...identity, idp: 'corp', claims: { repository: 'acme/etl' } })).toEqual(['viewer']);
    expect(createRoleBook([{ role: 'admin', members: ['claim:toString=*@ci'] }]).ofIdentity({ ...identity, idp: 'ci' })).toEqual([]);
    expect(book.ofIdentity({ ...identity, idp: 'aws', name: 'arn:aws:iam::123456789013:role/etl' })).toEqual([]);
  });
});

it('the groups of a provider that have a role are named, and no others', () => {
  const book = createRoleBook([
    { role: 'admin', members: ['group:platform@corp', 'group:a@b@corp', 'user:bob@corp', '*@corp'] },
    { role: 'viewer', members: ['group:platform@corp', 'group:platform@adfs', 'token:a'] },
  ]);
  expect(book.groupsOf('corp')).toEqual(['platform', 'a@b']);
  expect(book.groupsOf('other')).toEqual([]);
});
