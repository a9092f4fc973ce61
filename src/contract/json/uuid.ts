// UUIDs in bodies: Prefect accepts several spellings, policies and records use one.
import type { JsonValue } from './tree.ts';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/;

/** Lower-case hyphenated; undefined for anything else, `urn:uuid:` and braces too. */
export function parseUuid(text: JsonValue | undefined): string | undefined {
  if (typeof text !== 'string') return undefined;
  const lower = text.toLowerCase();
  if (!UUID.test(lower)) return undefined;
  const hex = lower.replaceAll('-', '');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Whatever Python's `UUID()` may take (`int(digits, 16)`: a prefix `0x`, and U+0085 for a blank), with more besides: where Prefect takes an id or a name, it is an id. */
export function readsAsUuid(text: string): boolean {
  const digits = text
    .replaceAll('urn:', '')
    .replaceAll('uuid:', '')
    .replaceAll(/^[{}]+|[{}]+$/g, '')
    .replaceAll('-', '');
  return /^[\p{Nd}a-fx_+\s\u0085]{32}$/iu.test(digits);
}
