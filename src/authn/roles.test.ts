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
