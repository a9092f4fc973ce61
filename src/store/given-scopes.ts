// The scopes of tokens and accounts that are neither revoked nor removed, each once.
import type { Scope } from '../contract/scope.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';
import { scopeFromColumn } from './scopes.ts';

export type GivenScopes = () => Promise<readonly Scope[]>;

export function createGivenScopes({ read: db }: Pick<Database, 'read'>): GivenScopes {
  const tokens = db.selectFrom('tokens').select('scope').where('revoked_ms', 'is', null).where('scope', 'is not', null);
  const accounts = db.selectFrom('accounts').select('scope').where('removed_ms', 'is', null).where('scope', 'is not', null);
  // `union` leaves out doubles.
  const read = prepareRead(db, tokens.union(accounts));
  return async () => (await read()).flatMap(({ scope }) => scopeFromColumn(scope) ?? []);
}
