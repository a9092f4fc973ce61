// The scopes of tokens and accounts that are neither revoked nor removed, each once.
import type { Scope } from '../contract/scope.ts';
import type { Database } from './database.ts';
import { prepareRead } from './prepared-read.ts';
import { scopeFromColumn } from './scopes.ts';

export type GivenScopes = () => Promise<readonly Scope[]>;

export function createGivenScopes(database: Pick<Database, 'read' | 'select'>): GivenScopes {
  const tokens = database.read.selectFrom('tokens').select('scope').where('revoked_ms', 'is', null).where('scope', 'is not', null);
  const accounts = database.read.selectFrom('accounts').select('scope').where('removed_ms', 'is', null).where('scope', 'is not', null);
  // `union` leaves out doubles.
  const read = prepareRead(database, tokens.union(accounts));
  return async () => (await read()).flatMap(({ scope }) => scopeFromColumn(scope) ?? []);
}
