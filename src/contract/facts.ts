// Encodes the facts of a decision for nginx and its log. nginx reads, escapes and writes every byte on each request that the cache
// answers. So the text has no names, and no character that a header or a JSON string would have to escape.
import type { AccessFacts } from './names.ts';

/** The order in the text. Add new facts at the end, so that old log lines stay readable. */
const ORDER = [
  'principal',
  'principal_kind',
  'credential_id',
  'decision',
  'reason',
  'policies',
  'action',
  'revision',
  'idp',
  'session_id',
  'on_behalf_of',
  'mode',
] as const satisfies readonly (keyof AccessFacts)[];
const LISTS: readonly string[] = ['policies', 'on_behalf_of'] satisfies (keyof AccessFacts)[];

/** Percent-encoded, `~` between the facts and `,` in a list. */
export function encodeFacts(facts: AccessFacts): string {
  const texts = ORDER.map((name) => {
    const value = facts[name];
    return Array.isArray(value) ? value.map(escaped).join(',') : escaped(String(value ?? ''));
  });
  return texts.join('~').replace(/~+$/, '');
}

/** The facts by name, unchecked. Undefined: not such a text. */
export function decodeFacts(encoded: string): Readonly<Record<string, unknown>> | undefined {
  if (!encoded.includes('~')) return decodeList(encoded);
  try {
    return Object.fromEntries(encoded.split('~').flatMap((text, place) => (text === '' ? [] : [namedValue(ORDER[place] ?? '', text)])));
  } catch {
    return undefined; // Damaged on the way, or never of our making.
  }
}

function namedValue(name: string, text: string): readonly [string, unknown] {
  if (LISTS.includes(name)) return [name, text.split(',').map(decodeURIComponent)];
  const value = decodeURIComponent(text);
  return [name, name === 'revision' ? Number(value) : value];
}

/** Lone surrogates have no encoding, and become U+FFFD. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('~', '%7E');
}

/** As the first gateways wrote it, base64url of a JSON list: such lines may wait in a log over an upgrade. */
function decodeList(encoded: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const values: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    return Array.isArray(values) ? Object.fromEntries(ORDER.map((name, place) => [name, values[place]])) : undefined;
  } catch {
    return undefined;
  }
}
