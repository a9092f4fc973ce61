// The one place where a record enters the ledger: id, node, its place in the chain.
import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../contract/error.ts';
import type { LedgerRecord, NewRecord } from '../contract/record.ts';
import type { Chain } from './chain/chain.ts';
import { INSERT_SQL, rowValues } from './columns.ts';

export type AppendRow = (record: NewRecord, id?: string) => boolean;

/**
 * Call the result inside a transaction only (BEGIN IMMEDIATE) that ends with the chain's `seal`.
 * It answers false when a record with this id exists: nothing was written, and no number was used up.
 * Not checked here: whether the request has a record already (intents.ts).
 */
export function createAppend(db: DatabaseSync, node: string, chain: Pick<Chain, 'place'>): AppendRow {
  const insert = db.prepare(INSERT_SQL);
  const randomBlock = createRandomBlocks();
  return (record, id = timeOrderedId(Date.parse(record.time), randomBlock())) => {
    const placed = chain.place(completeRecord(record, { id, node }));
    if (insert.run(...rowValues(placed.record)).changes === 0) return false;
    placed.used();
    return true;
  };
}

type Unplaced = Omit<LedgerRecord, 'seq' | 'prev_hash' | 'hash'>;

/** As it will be read back: well-formed text. Throws `ledger-record-invalid` when the time is none; every other field is typed. */
export function completeRecord(record: NewRecord, place: { readonly id: string; readonly node: string }): Unplaced {
  const ms = Date.parse(record.time);
  if (Number.isNaN(ms)) throw new LictorError('ledger-record-invalid', 'A record needs a time.');
  const whole: Record<string, unknown> = { ...EMPTY, ...withoutUndefined(record), time: new Date(ms).toISOString(), ...place };
  for (const [name, value] of Object.entries(whole)) whole[name] = storable(value);
  return whole as unknown as Unplaced;
}

/** Text without lone surrogates, numbers that are ones: what SQLite gives back is what was hashed. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map((item) => String(item).toWellFormed());
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

/** The same text gives the same id: for what has no request id and may be read twice. */
export function stableId(...parts: readonly (string | number)[]): string {
  return uuidText(createHash('sha256').update(parts.join('\n')).digest(), '8');
}

/** UUID version 7 (RFC 9562, 5.7): new ids land at the end of their index. Overwrites the beginning of `bytes`. */
function timeOrderedId(ms: number, bytes: Buffer): string {
  bytes.writeUIntBE(Number.isNaN(ms) || ms < 0 ? 0 : ms, 0, 6);
  return uuidText(bytes, '7');
}

const BLOCK_BYTES = 16;
const POOL_BYTES = 256 * BLOCK_BYTES;

/** Asking for random bytes costs more than most of a record: many are asked for at once. Ids are no secrets; each block is given out once. */
function createRandomBlocks(): () => Buffer {
  let pool = Buffer.alloc(0);
  let at = 0;
  return () => {
    if (at >= pool.length) [pool, at] = [randomBytes(POOL_BYTES), 0];
    at += BLOCK_BYTES;
    return pool.subarray(at - BLOCK_BYTES, at);
  };
}

function uuidText(bytes: Buffer, version: string): string {
  const hex = bytes.toString('hex');
  const variant = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-${variant.toString(16)}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/** A field that is there but undefined says nothing: it must not wipe out what is known. */
export function withoutUndefined<T extends Partial<NewRecord>>(record: T): Partial<NewRecord> {
  if (!Object.values(record).some((value) => value === undefined)) return record;
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

const EMPTY: Omit<Unplaced, 'id' | 'time' | 'node'> = {
  request_id: null,
  principal: null,
  principal_kind: null,
  idp: null,
  credential_id: null,
  on_behalf_of: [],
  source_ip: null,
  user_agent: null,
  method: null,
  path: null,
  action: null,
  resource_type: null,
  resource_id: null,
  decision: null,
  reason: null,
  policies: [],
  status: null,
  bytes: null,
  duration_ms: null,
  upstream_ms: null,
  path_taken: null,
  flow_run_id: null,
  task_run_id: null,
  deployment_id: null,
  run_binding: 'none',
  service: null,
  mode: null,
  revision: null,
  session_id: null,
  grant_id: null,
  approval_id: null,
  tool: null,
};
