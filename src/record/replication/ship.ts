// Adds this node's own records and its signed head to the store, in order. The local ledger is the spool while the store is away.
import { LictorError } from '../../contract/error.ts';
import type { LedgerShelf } from '../../store/ledger-shelf.ts';
import type { ForeignRow } from '../ledger/chain/import.ts';
import type { ChainEnd, Signed } from '../ledger/chain/statement.ts';
import { bodyOf } from './body.ts';
import { beforeFirst, REMOVED_AT_ONCE, seenByOthers } from './departed.ts';
import { endOf, type LocalLedger } from './local-ledger.ts';

/** The limits of one batch. */
const MOST_ROWS = 500;
const MOST_BYTES = 1 << 20;

export interface ShipperParts {
  readonly node: string;
  readonly ledger: LocalLedger;
  readonly shelf: LedgerShelf;
  /** Brings what was read to the disk: no power failure takes back what another node has. */
  readonly toDisk: () => void;
  /** Of one batch. Only tests set it. */
  readonly mostRows?: number | undefined;
}

export interface Waiting {
  /** Own records that the store does not have yet. */
  readonly records: number;
  /** The time of the oldest one. */
  readonly since: string | null;
}

export interface Shipper {
  /** Adds what is new. Rejects with the errors of the store, or with `replication-forked`. */
  ship(): Promise<void>;
  waiting(): Waiting;
}

export function createShipper({ node, ledger, shelf, toDisk, mostRows = MOST_ROWS }: ShipperParts): Shipper {
  /** The store has own records up to this one. Undefined: not asked yet. */
  let at: number | undefined;
  let shipped: string | undefined;
  let removed: number | undefined;

  /** Throws `replication-forked` if the store's last record of this node is not one of this ledger. */
  async function position(own: ChainEnd): Promise<number> {
    const end = await shelf.endOf(node);
    if (end === undefined) return own.from_seq;
    const here = end.seq === own.from_seq ? own.from_hash : ledger.record(node, end.seq)?.hash;
    if (here !== end.hash) throw forked(node, end.seq);
    return end.seq;
  }

  /** One batch, and the head with the last one. False: the store ends elsewhere than it did. */
  async function append(own: ChainEnd, after: number, head: Signed): Promise<boolean> {
    const rows = batchOf(ledger.rows(node, { after, upTo: own.seq }, mostRows));
    toDisk();
    const last = rows.at(-1)?.seq ?? after;
    if (last === after && after < own.seq) throw new LictorError('replication-gap', `Record ${after + 1} was deleted before the store had it.`);
    if (!(await shelf.append(node, rows, last === own.seq ? head : null))) return false;
    at = last;
    if (last === own.seq) shipped = head.text;
    return true;
  }

  /** Deletes what retention deleted here, if every other node has it. */
  async function removeOld({ from_seq: upTo }: ChainEnd, signedAt: string): Promise<void> {
    if (removed !== undefined && removed >= upTo) return;
    removed ??= (await beforeFirst(shelf, node)) ?? upTo;
    const common = Math.min(upTo, removed + REMOVED_AT_ONCE, ...seenByOthers(await shelf.heads(), node, Date.parse(signedAt)));
    if (common <= removed) return;
    await shelf.removeUpTo(node, common);
    removed = common;
  }

  return {
    async ship() {
      const head = ledger.head();
      const own = head === undefined ? undefined : endOf(head.statement, node);
      if (head === undefined || own === undefined) return;
      while (shipped !== head.signed.text) {
        const from = at ?? (await position(own));
        if (!(await append(own, from, head.signed))) at = undefined;
      }
      await removeOld(own, head.statement.time);
    },
    waiting() {
      const head = ledger.head();
      const own = head === undefined ? undefined : endOf(head.statement, node);
      if (own === undefined) return { records: 0, since: null };
      const from = at ?? own.from_seq;
      return { records: own.seq - from, since: ledger.record(node, from + 1)?.time ?? null };
    },
  };
}

function batchOf(rows: readonly ForeignRow[]) {
  let bytes = 0;
  const batch = [];
  for (const row of rows) {
    const body = bodyOf(row);
    bytes += body.length;
    if (batch.length > 0 && bytes > MOST_BYTES) break;
    batch.push({ seq: row.record.seq, hash: row.record.hash ?? '', body });
  }
  return batch;
}

function forked(node: string, seq: number): LictorError {
  return new LictorError(
    'replication-forked',
    `The store has another record ${seq} of the node ${node} than this ledger: two nodes have this name, or this ledger is an older copy. Give each node its own name, or move ledger.db away and start again.`,
  );
}
