// The only place where a record enters the ledger. It adds the id, the node and the place in the chain.
import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../../contract/error.ts';
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import type { Chain } from './chain/chain.ts';
import { INSERT_SQL, rowValues } from './columns.ts';

/** `origin` names a record that may be read twice: it is written once for this node. */
export type AppendRow = (record: NewRecord, origin?: string) => boolean;

/**
 * Call the result only inside a transaction (BEGIN IMMEDIATE) that ends with the chain's `seal`. False: a record with this id exists, and nothing was
 * written. Not checked here: whether the request has a record already (intents.ts).
 */
export function createAppend(db: DatabaseSync, node: string, chain: Pick<Chain, 'place'>): AppendRow {
  const insert = db.prepare(INSERT_SQL);
  const randomBlock = createRandomBlocks();
  return (record, origin) => {
    const ms = timeOf(record);
    const id = origin === undefined ? timeOrderedId(ms, randomBlock()) : stableId(node, origin);
    const placed = chain.place(complete(record, { id, node, ms }));
    if (insert.run(...rowValues(placed.record)).changes === 0) return false;
    placed.used();
    return true;
  };
}

type Unplaced = Omit<LedgerRecord, 'seq' | 'prev_hash' | 'hash'>;

/** The form that a reader gets: well-formed text, and null for missing fields. Throws `ledger-record-invalid` for an invalid time. */
export function completeRecord(record: NewRecord, place: { readonly id: string; readonly node: string }): Unplaced {
  return complete(record, { ...place, ms: timeOf(record) });
}

function timeOf({ time }: NewRecord): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new LictorError('ledger-record-invalid', 'A record needs a time.');
  return ms;
}

/** Explicit names, because this runs for every record, and objects of one shape are fast. */
function complete(record: NewRecord, { id, node, ms }: { readonly id: string; readonly node: string; readonly ms: number }): Unplaced {
  return {
    id: wellFormed(id),
    time: new Date(ms).toISOString(),
    request_id: text(record.request_id),
    principal: text(record.principal),
    principal_kind: text(record.principal_kind),
    idp: text(record.idp),
    credential_id: text(record.credential_id),
    on_behalf_of: list(record.on_behalf_of),
    source_ip: text(record.source_ip),
    user_agent: text(record.user_agent),
    method: text(record.method),
    path: text(record.path),
    action: text(record.action),
    resource_type: text(record.resource_type),
    resource_id: text(record.resource_id),
    decision: record.decision ?? null,
    reason: text(record.reason),
    policies: list(record.policies),
    status: number(record.status),
    bytes: number(record.bytes),
    duration_ms: number(record.duration_ms),
    upstream_ms: number(record.upstream_ms),
    path_taken: record.path_taken ?? null,
    flow_run_id: text(record.flow_run_id),
    task_run_id: text(record.task_run_id),
    deployment_id: text(record.deployment_id),
    run_binding: record.run_binding ?? 'none',
    service: text(record.service),
    cache: record.cache ?? null,
    mode: record.mode ?? null,
    revision: number(record.revision),
    session_id: text(record.session_id),
    grant_id: text(record.grant_id),
    approval_id: text(record.approval_id),
    tool: text(record.tool),
    grants: grants(record.grants),
    redactions: number(record.redactions),
    node: wellFormed(node),
  };
}

/** Text without lone surrogates, so that SQLite returns the hashed text. */
function wellFormed(value: unknown): string {
  if (typeof value === 'string' && value.isWellFormed()) return value;
  return String(value).toWellFormed();
}

function text(value: string | null | undefined): string | null {
  return value == null ? null : wellFormed(value);
}

function number(value: number | null | undefined): number | null {
  return value == null || !Number.isFinite(value) ? null : value;
}

const NONE: readonly string[] = [];

function list(value: readonly string[] | undefined): readonly string[] {
  return value === undefined || value.length === 0 ? NONE : value.map(wellFormed);
}

/** Names in sorted order, as they are hashed. */
function grants(value: NewRecord['grants']): LedgerRecord['grants'] {
  if (value == null || value.length === 0) return null;
  return value.map(({ expires_at, members, networks, role, rules, scope }) => ({
    expires_at: text(expires_at),
    members: list(members),
    networks: list(networks),
    role: wellFormed(role),
    rules: list(rules),
    scope: text(scope),
  }));
}

/** Equal parts give an equal id: for records without a request id that may be read twice. */
export function stableId(...parts: readonly (string | number)[]): string {
  return uuidText(createHash('sha256').update(parts.join('\n')).digest(), '8');
}

/** UUID version 7 (RFC 9562, 5.7): new ids are at the end of their index. Overwrites the beginning of `bytes`. */
function timeOrderedId(ms: number, bytes: Buffer): string {
  bytes.writeUIntBE(Math.max(0, ms), 0, 6);
  return uuidText(bytes, '7');
}

const BLOCK_BYTES = 16;
const POOL_BYTES = 256 * BLOCK_BYTES;

/** A call for random bytes costs more than most of a record, so one call fetches many. Ids are no secrets; each block is used once. */
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

/** An undefined field must not overwrite a known value. */
export function withoutUndefined<T extends Partial<NewRecord>>(record: T): Partial<NewRecord> {
  if (!Object.values(record).some((value) => value === undefined)) return record;
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
