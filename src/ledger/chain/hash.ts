// What one record hashes to, and so what the next one is chained to.
import { createHash } from 'node:crypto';
import type { LedgerRecord } from '../../contract/record.ts';
import { COLUMNS } from '../columns.ts';

/** What the first record of a node is chained to. */
export const GENESIS = '0'.repeat(64);

/** RFC 8785, 3.2.3: by UTF-16 code units, which is what `sort` compares. */
const HASHED: string[] = Object.keys(COLUMNS)
  .filter((name) => name !== 'hash')
  .sort();

/**
 * The canonical JSON (RFC 8785) of a record without its own hash: every field, null ones too. A record is flat (text, numbers, lists of text),
 * so that JSON.stringify with the names in their order is that form; a test compares it with `canonicalize`.
 */
export function canonicalRecord(record: LedgerRecord): string {
  return JSON.stringify(record, HASHED);
}

/** SHA-256, lower-case hex. */
export function hashOf(record: LedgerRecord): string {
  return sha256(canonicalRecord(record));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
