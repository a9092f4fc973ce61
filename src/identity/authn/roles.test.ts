// Roles from the account or token, and from the configuration.
import { describe, expect, it } from 'vitest';
import { type Grant, NOWHERE, type Scope } from '../../contract/scope.ts';
import { createRoleBook } from './roles.ts';

const names = (grants: readonly Grant[]) => grants.map(({ role }) => role);

describe('a role book', () => {
  const book = createRoleBook([
    { role: 'operator', members: ['user:bob@local', 'token:etl'], scope: null },
    { role: 'viewer', members: ['*@local'], scope: null },
    { role: 'admin', members: ['user:root@other'], scope: null },
  ]);

  it('adds the roles bound to the name and to everyone of the provider', () => {
    expect(names(book.ofAccount({ name: 'bob', roles: ['deployer', 'viewer'], scope: null }, 'local'))).toEqual(['deployer', 'operator', 'viewer']);
    expect(names(book.ofAccount({ name: 'carol', roles: [], scope: null }, 'local'))).toEqual(['viewer']);
    expect(names(book.ofToken({ name: 'etl', roles: ['worker'], scope: null }))).toEqual(['operator', 'worker']);
  });

  it('gives no role to another provider, another kind, or a similar name', () => {
    expect(names(book.ofAccount({ name: 'bob', roles: [], scope: null }, 'other'))).toEqual([]);
    expect(names(book.ofAccount({ name: 'root', roles: [], scope: null }, 'local'))).toEqual(['viewer']);
    expect(names(book.ofAccount({ name: 'Bob', roles: [], scope: null }, 'local'))).toEqual(['viewer']);
    expect(names(book.ofAccount({ name: 'etl', roles: [], scope: null }, 'none'))).toEqual([]);
    expect(names(book.ofToken({ name: 'bob', roles: [], scope: null }))).toEqual([]);
    expect(names(book.ofToken({ name: 'ETL', roles: [], scope: null }))).toEqual([]);
  });
});

describe('roles of an identity', () => {
  const book = createRoleBook([
    { role: 'admin', members: ['group:platform@corp'], scope: null },
    { role: 'deployer', members: ['claim:repository=acme/etl@ci', 'claim:ref=refs/heads/*@ci'], scope: null },
    { role: 'worker', members: ['arn:aws:iam::123456789012:role/etl@aws'], scope: null },
    { role: 'viewer', members: ['*@corp', 'user:eve@example.com@corp'], scope: null },
  ]);
  const identity = { idp: 'corp', subject: 's', name: 'dana', kind: 'user', groups: [], claims: {} } as const;

  it('come from its groups, claims, name and provider', () => {
    expect(names(book.ofIdentity({ ...identity, groups: ['platform', 'x'] }))).toEqual(['admin', 'viewer']);
    expect(names(book.ofIdentity({ ...identity, idp: 'ci', claims: { repository: 'acme/etl' } }))).toEqual(['deployer']);
    expect(names(book.ofIdentity({ ...identity, idp: 'ci', claims: { ref: 'refs/heads/main' } }))).toEqual(['deployer']);
    expect(names(book.ofIdentity({ ...identity, idp: 'aws', name: 'arn:aws:iam::123456789012:role/etl' }))).toEqual(['worker']);
  });

  it('do not come from similar names', () => {
    expect(names(book.ofIdentity({ ...identity, idp: 'other', groups: ['platform'] }))).toEqual([]);
    expect(names(book.ofIdentity({ ...identity, groups: ['Platform', 'platform@corp'] }))).toEqual(['viewer']);
    expect(names(book.ofIdentity({ ...identity, idp: 'ci', claims: { repository: 'acme/etl2' } }))).toEqual([]);
    expect(names(book.ofIdentity({ ...identity, idp: 'corp', claims: { repository: 'acme/etl' } }))).toEqual(['viewer']);
    expect(names(createRoleBook([{ role: 'admin', members: ['claim:toString=*@ci'], scope: null }]).ofIdentity({ ...identity, idp: 'ci' }))).toEqual([]);
    expect(names(book.ofIdentity({ ...identity, idp: 'aws', name: 'arn:aws:iam::123456789013:role/etl' }))).toEqual([]);
  });
});

it('lists only the groups of a provider with a role', () => {
  const book = createRoleBook([
    { role: 'admin', members: ['group:platform@corp', 'group:a@b@corp', 'user:bob@corp', '*@corp'], scope: null },
    { role: 'viewer', members: ['group:platform@corp', 'group:platform@adfs', 'token:a'], scope: null },
  ]);
  expect(book.groupsOf('corp')).toEqual(['platform', 'a@b']);
  expect(book.groupsOf('other')).toEqual([]);
});

describe('roles with a scope', () => {
  const teamA: Scope = { ...NOWHERE, tags: ['team-a'] };
  const teamB: Scope = { ...NOWHERE, tags: ['team-b'] };
  const book = createRoleBook([
    { role: 'operator', members: ['user:bob@local', 'user:carol@local'], scope: teamA },
    { role: 'operator', members: ['user:bob@local'], scope: teamB },
    { role: 'operator', members: ['user:carol@local'], scope: null },
    { role: 'viewer', members: ['*@local'], scope: null },
  ]);

  it('apply to each of their scopes', () => {
    expect(book.ofAccount({ name: 'bob', roles: [], scope: null }, 'local')).toEqual([
      { role: 'operator', scope: teamA },
      { role: 'operator', scope: teamB },
      { role: 'viewer', scope: null },
    ]);
    expect(book.ofToken({ name: 'etl', roles: ['worker'], scope: teamA })).toEqual([{ role: 'worker', scope: teamA }]);
  });

  it('are replaced by the same role on all objects', () => {
    expect(book.ofAccount({ name: 'carol', roles: [], scope: null }, 'local')).toEqual([
      { role: 'operator', scope: null },
      { role: 'viewer', scope: null },
    ]);
  });
});
