// Adds records of another node's chain to this ledger, after it has checked their order, their hashes, their events and the node's signature.
import type { DatabaseSync } from 'node:sqlite';
import { LictorError } from '../../../contract/error.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { INSERT_SQL, rowValues } from '../columns.ts';
import { parseStoredEvents } from '../events.ts';
import { createForeignEvents } from '../prefect-events/batch-rows.ts';
import { createEventDigest, eventValues, rowOf } from '../prefect-events/table.ts';
import type { Chain } from './chain.ts';
import { GENESIS, hashOf } from './hash.ts';
import { createTrust } from './segments.ts';
import { type ChainEnd, isSignedBy, keyId, parseStatement, type Signed } from './statement.ts';
import { isSignedByOne } from './statements.ts';

/** A record with the events of Prefect that it covers. */
export interface ForeignRow {
  readonly record: LedgerRecord;
  readonly events: readonly PrefectEvent[];
}

export interface ForeignBatch {
  readonly node: string;
  /** A head that the node signed. Its chain includes these rows. */
  readonly head: Signed;
  /** A head of another node, which names a later start of this chain. Null: the node's own head names its start. */
  readonly start: Signed | null;
  /** In their order. If they end before the head does, the caller has followed the chain to the head. */
  readonly rows: readonly ForeignRow[];
}

export function encodeBatch(batch: ForeignBatch): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(batch));
}

/** Throws `replication-refused` for the node's own chain: only this node writes it. */
export function foreignBatch(bytes: Uint8Array<ArrayBuffer>, own: string): ForeignBatch {
  // Written by `encodeBatch`, so the shape is trusted.
  const batch = JSON.parse(new TextDecoder().decode(bytes)) as ForeignBatch;
  if (batch.node === own) throw refused(own, 'this node has that name itself');
  return batch;
}

type ImportChain = Pick<Chain, 'endOf' | 'extend' | 'publicKey'>;

/** Call the result inside a transaction that ends with `seal`. Known rows are skipped. Throws `replication-refused` before it writes anything. */
export function createImport(db: DatabaseSync, chain: ImportChain): (batch: ForeignBatch) => void {
  const insert = db.prepare(INSERT_SQL);
  const storeEvents = createForeignEvents(db);
  const keysOf = createTrust(db);
  const hashAt = db.prepare('SELECT hash FROM records WHERE node = ? AND seq = ?');
  const known = db.prepare('SELECT node, seq FROM records WHERE id = ?');

  function isTrusted(head: Signed, key: string): boolean {
    const own = chain.publicKey();
    return key === keyId(own) ? isSignedBy(head, own) : isSignedByOne(head, { key }, keysOf(own));
  }

  /** What a head says about a chain. */
  function signedIn(head: Signed, node: string, what: string): ChainEnd {
    const statement = parseStatement(head.text);
    const end = statement?.chains.find((one) => one.node === node);
    if (statement?.kind !== 'head' || end === undefined) throw refused(node, `${what} cannot be read`);
    if (!isTrusted(head, statement.key)) throw refused(node, `${what} is not signed by the ledger key of this node`);
    return end;
  }

  /** The latest start that a head names: of the node, or of the one that deleted records of a node that is gone. */
  function signedStart({ node, start }: ForeignBatch, signed: ChainEnd): ChainEnd {
    const cut = start === null ? signed : signedIn(start, node, 'the statement of its start');
    return cut.from_seq > signed.from_seq ? cut : signed;
  }

  /** A record that this ledger has already. Retention may have deleted it. */
  function assertSame({ node, seq, hash }: Pick<LedgerRecord, 'node' | 'seq' | 'hash'>): void {
    const row = hashAt.get(node, seq);
    if (row !== undefined && row['hash'] !== hash) throw refused(node, `record ${seq} is another one here: two nodes have this name, or one was restored`);
  }

  function assertNew({ node, seq, id }: LedgerRecord): void {
    const row = known.get(id);
    if (row !== undefined) throw refused(node, `the id of record ${seq} is that of record ${String(row['seq'])} of ${String(row['node'])}`);
  }

  /** The rows that are new, and the end of the chain with them. */
  function examine(batch: ForeignBatch): { readonly fresh: readonly ForeignRow[]; readonly end: ChainEnd | undefined } {
    const signed = signedIn(batch.head, batch.node, 'its head');
    let end = chain.endOf(batch.node);
    const start = end === undefined ? signedStart(batch, signed) : end;
    const fresh: ForeignRow[] = [];
    for (const row of batch.rows) {
      const { record } = row;
      if (end !== undefined && record.seq <= end.seq) {
        assertSame({ ...record, node: batch.node });
        continue;
      }
      end = nextEnd(end ?? startOf(record, start), row);
      assertStart(end, start);
      assertNew(record);
      fresh.push(row);
    }
    if (end === undefined) return { fresh, end };
    if (fresh.length > 0) assertCovered(end, signed);
    else if (signed.seq <= end.seq) assertSame(signed);
    return { fresh, end };
  }

  return (batch) => {
    const { fresh, end } = examine(batch);
    if (fresh.length === 0 || end === undefined) return;
    for (const { record, events } of fresh) {
      storeEvents(record, events);
      if (insert.run(...rowValues(record)).changes === 0) throw new Error(`record ${record.seq} of ${record.node} cannot be added`);
    }
    chain.extend(end);
  };
}

/** The chain as it begins here: at the start that a head names, or earlier. */
function startOf({ seq, prev_hash: before }: LedgerRecord, signed: ChainEnd): ChainEnd {
  const { node } = signed;
  const from = Number.isSafeInteger(seq) ? seq - 1 : -1;
  if (from < 0 || from > signed.from_seq) throw refused(node, `records ${signed.from_seq + 1} to ${from} are missing`);
  const hash = from === 0 ? GENESIS : String(before);
  const end = { node, from_seq: from, from_hash: hash, seq: from, hash };
  assertStart(end, signed);
  return end;
}

/** The chain passes the record before the start that a head names. */
function assertStart({ node, seq, hash }: ChainEnd, { from_seq: from, from_hash: signed }: ChainEnd): void {
  if (seq === from && hash !== signed) throw refused(node, `record ${seq} is not the one at which a signed head begins the chain`);
}

/** The end of the chain after one more record. */
export function nextEnd(end: ChainEnd, { record, events }: ForeignRow): ChainEnd {
  const { node, seq, hash } = record;
  if (node !== end.node || seq !== end.seq + 1) throw refused(end.node, `record ${end.seq + 1} is missing, and ${seq} of ${node} is in its place`);
  if (record.prev_hash !== end.hash || hash === null || hashOf(record) !== hash)
    throw refused(node, `record ${seq} does not fit its hash, or the one before it`);
  assertEvents(record, events);
  return { ...end, seq, hash };
}

/** Rows beyond the head are signed by nobody, and rows that end at the head end with its hash. */
export function assertCovered(end: ChainEnd, signed: ChainEnd): void {
  const fits = end.seq < signed.seq || (end.seq === signed.seq && end.hash === signed.hash);
  if (!fits) throw refused(signed.node, `record ${end.seq} is not one that its head signed`);
}

function assertEvents(record: LedgerRecord, events: readonly PrefectEvent[]): void {
  const stored = parseStoredEvents(record);
  const digest = createEventDigest();
  for (const event of events) digest.add(rowOf(eventValues(event)));
  const isWhole = stored === undefined ? events.length === 0 : stored.count === events.length && stored.sha256 === digest.hex();
  if (!isWhole) throw refused(record.node, `the events of Prefect of record ${record.seq} do not fit its digest`);
}

export function refused(node: string, why: string): LictorError {
  return new LictorError('replication-refused', `Records of the node ${node} are not added to this ledger: ${why}.`);
}
