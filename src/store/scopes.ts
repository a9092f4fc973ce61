// Scopes in a column: JSON, checked when read.
import { LictorError } from '../contract/error.ts';
import { NOWHERE, SCOPE_KEYS, type Scope } from '../contract/scope.ts';

export function scopeToColumn(scope: Scope | null): string | null {
  return scope === null ? null : JSON.stringify(scope);
}

/** Throws `store-corrupt` when the column is no scope: a role whose limits cannot be read must not hold. */
export function scopeFromColumn(text: string | null): Scope | null {
  if (text === null) return null;
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Object.keys(value).some((key) => !Object.hasOwn(NOWHERE, key))) throw corrupt();
  const { own = false, ...lists } = value as Readonly<Record<string, unknown>>;
  if (typeof own !== 'boolean') throw corrupt();
  const scope: { -readonly [key in keyof Scope]: Scope[key] } = { ...NOWHERE, own };
  for (const key of Object.values(SCOPE_KEYS)) scope[key] = listOf(lists[key] ?? null);
  return scope;
}

function listOf(value: unknown): readonly string[] | null {
  if (value === null) return null;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw corrupt();
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(cause);
  }
}

function corrupt(cause?: unknown): LictorError {
  return new LictorError('store-corrupt', 'The store holds a scope that cannot be read: restore a backup.', { cause });
}
