// A column of JSON. An unreadable one is an error, so that it decides nothing.
import { LictorError } from '../contract/error.ts';

/** Throws `store-corrupt`; `what` is what the column holds: a list, a scope. */
export function parseColumn(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corruptColumn(what, cause);
  }
}

export function corruptColumn(what: string, cause?: unknown): LictorError {
  return new LictorError('store-corrupt', `The store holds a ${what} that cannot be read: restore a backup.`, { cause });
}

/** Throws `store-corrupt` for anything but a list of text. */
export function textsOf(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw corruptColumn(what);
  return value;
}
