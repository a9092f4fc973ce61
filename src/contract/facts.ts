// How the decision's facts travel through nginx into its log: base64url of a JSON list. Every byte of it is read, escaped and
// written on each request that the cache answers, so the names stay at home.
import type { AccessFacts } from './names.ts';

/** The places in the list. New facts come at the end: lines that are in the log already stay readable. */
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
] as const satisfies readonly (keyof AccessFacts)[];

export function encodeFacts(facts: AccessFacts): string {
  const values: unknown[] = ORDER.map((name) => facts[name]);
  while (isNothing(values.at(-1))) values.pop();
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** The facts by name, unchecked: what was left out is missing. Undefined when it is no such text. */
export function decodeFacts(encoded: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const values: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    return Array.isArray(values) ? Object.fromEntries(ORDER.map((name, place) => [name, values[place]])) : undefined;
  } catch {
    return undefined; // Damaged on the way, or never of our making.
  }
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}
