// Lists of text in a column: JSON, checked when read.
import { LictorError } from '../contract/error.ts';

export function toColumn(list: readonly string[]): string {
  return JSON.stringify(list);
}

/** Throws `store-corrupt` when the column is no list of text: nothing may be decided on it. */
export function fromColumn(text: string): readonly string[] {
  const value = parse(text);
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
  return new LictorError('store-corrupt', 'The store holds a list that cannot be read: restore a backup.', { cause });
}
