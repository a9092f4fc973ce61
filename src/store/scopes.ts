// Scopes in a column: JSON, checked when read.
import { NOWHERE, SCOPE_KEYS, type Scope } from '../contract/scope.ts';
import { corruptColumn, parseColumn, textsOf } from './json-column.ts';

export function scopeToColumn(scope: Scope | null): string | null {
  return scope === null ? null : JSON.stringify(scope);
}

/** Throws `store-corrupt` when the column is no scope: a role whose limits cannot be read must not hold. */
export function scopeFromColumn(text: string | null): Scope | null {
  if (text === null) return null;
  const value = parseColumn(text, 'scope');
  if (typeof value !== 'object' || value === null || Object.keys(value).some((key) => !Object.hasOwn(NOWHERE, key))) throw corruptColumn('scope');
  const { own = false, ...lists } = value as Readonly<Record<string, unknown>>;
  if (typeof own !== 'boolean') throw corruptColumn('scope');
  const scope: { -readonly [key in keyof Scope]: Scope[key] } = { ...NOWHERE, own };
  for (const key of Object.values(SCOPE_KEYS)) scope[key] = lists[key] == null ? null : textsOf(lists[key], 'scope');
  return scope;
}
