// Retention: deletes the oldest segments, a part at a time. It verifies a whole segment before it deletes the first record. Signed statements stay.
import type { DatabaseSync } from 'node:sqlite';
import type { LedgerRecord } from '../../../contract/record.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { createEventExaminer } from '../prefect-events/examine.ts';
import { createEventPruner } from '../prefect-events/store-events.ts';
import type { Chain } from './chain.ts';
import { hashOf } from './hash.ts';
import { createSegments, type Segment } from './segments.ts';
import type { ChainEnd } from './statement.ts';

/** Rows that one step verifies or deletes, events included: few, so that no command waits long. */
const AT_ONCE = 6_000;

/** The result of one step. `altered`: a record or its events were changed, and nothing of its segment was deleted. */
export type Pruned =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'altered' } & Altered)
  | { readonly kind: 'pruned'; readonly upTo: number; readonly more: boolean };

interface Altered {
  readonly seq: number;
  readonly what: 'record' | 'events';
}

/** How far a segment is verified. */
interface Followed {
  readonly segment: Segment;
  readonly seq: number;
  readonly hash: string;
}

type Walk = Followed & { readonly rows: number; readonly altered?: Altered; readonly youngMs?: number };
interface Stepped {
  readonly rows: number;
  readonly altered: Altered | undefined;
  /** The chain is deleted up to this record. */
  readonly upTo: number | undefined;
}

type PrunerChain = Pick<Chain, 'ends' | 'moveStart' | 'publicKey'>;

/**
 * Call it inside a transaction that ends with `seal`. Deletes whole segments older than `beforeMs` from the beginning of each chain, never the newest record
 * of all. So a chain has no gaps. After an interruption it continues where the signed head says that the chain begins.
 */
export function createPruner(db: DatabaseSync, chain: PrunerChain, atOnce = AT_ONCE): (beforeMs: number) => Pruned {
  const rowsOf = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`);
  rowsOf.setReadBigInts(true);
  const timeOf = db.prepare('SELECT time FROM records WHERE node = ? AND seq = ?');
  const newest = db.prepare('SELECT node, seq FROM records ORDER BY n DESC LIMIT 1');
  const examineEvents = createEventExaminer(db);
  const removeEvents = createEventPruner(db);
  const remove = db.prepare('DELETE FROM records WHERE node = ? AND seq <= ?');
  const segmentAfter = createSegments(db);
  /** By node. Only this process knows what it verified: another one verifies again. */
  const followed = new Map<string, Followed>();
  /** Requests end in another order than they began, so a segment may have a record younger than its last one. */
  const waiting = new Map<string, number>();

  function due(end: Pick<ChainEnd, 'node' | 'from_seq'>, beforeMs: number): Segment | undefined {
    const segment = followed.get(end.node)?.segment ?? segmentAfter(end, chain.publicKey());
    if (segment === undefined || (waiting.get(end.node) ?? 0) >= beforeMs) return undefined;
    // If the end is missing, the verification finds that.
    if (Date.parse(String(timeOf.get(end.node, segment.seq)?.['time'])) >= beforeMs) return undefined;
    const { node, seq } = newest.get() ?? {};
    return node === end.node && Number(seq) <= segment.seq ? undefined : segment;
  }

  /** Verifies a record and its events. A changed record may cover any number of events. */
  function lookAt(record: LedgerRecord, last: Followed): { readonly events: number; readonly altered?: Altered } {
    if (!follows(record, last)) return { events: 0, altered: { seq: record.seq, what: 'record' } };
    const { count, problem } = examineEvents(record) ?? { count: 0, problem: undefined };
    return problem === undefined ? { events: count } : { events: count, altered: { seq: record.seq, what: 'events' } };
  }

  /** Follows the chain, at most `most` rows and one batch of events more. */
  function walk(from: Followed, beforeMs: number, most: number): Walk {
    let { seq, hash } = from;
    let rows = 0;
    const young = new Date(beforeMs).toISOString();
    for (const row of rowsOf.iterate(from.segment.node, seq, from.segment.seq, most)) {
      const record = recordOfRow(row);
      const { events, altered } = lookAt(record, { segment: from.segment, seq, hash });
      if (altered !== undefined) return { ...from, rows, altered };
      if (record.time >= young) return { ...from, rows, youngMs: Date.parse(record.time) };
      ({ seq } = record);
      hash = record.hash ?? '';
      rows += 1 + events;
      if (rows >= most) break;
    }
    const isCut = rows < most && seq < from.segment.seq;
    return { segment: from.segment, seq, hash, rows, ...(isCut && { altered: { seq: seq + 1, what: 'record' as const } }) };
  }

  /** The segment is verified: deletes its records, and moves the start of the chain. */
  function letGo(end: ChainEnd, segment: Segment, beforeMs: number, most: number): Walk {
    const gone = walk({ segment, seq: end.from_seq, hash: end.from_hash }, beforeMs, most);
    if (gone.altered !== undefined || gone.youngMs !== undefined || gone.seq === end.from_seq) return gone;
    removeEvents(end.node, gone.seq);
    remove.run(end.node, gone.seq);
    chain.moveStart(end.node, gone.seq, gone.hash);
    if (gone.seq === segment.seq) followed.delete(end.node);
    return gone;
  }

  /** Undefined: nothing of this chain is due. */
  function step(node: string, beforeMs: number, most: number): Stepped | undefined {
    const end = endOf(chain, node);
    const segment = due(end, beforeMs);
    if (segment === undefined) return undefined;
    const from = followed.get(node) ?? { segment, seq: end.from_seq, hash: end.from_hash };
    const isExamined = from.seq === segment.seq;
    const walked = isExamined ? letGo(end, segment, beforeMs, most) : walk(from, beforeMs, most);
    if (walked.youngMs !== undefined) waiting.set(node, walked.youngMs);
    else if (!isExamined && walked.altered === undefined) followed.set(node, walked);
    return { rows: Math.max(1, walked.rows), altered: walked.altered, upTo: isExamined && walked.youngMs === undefined ? walked.seq : undefined };
  }

  function* steps(beforeMs: number): Generator<Stepped & { readonly isLast: boolean }> {
    let left = atOnce;
    for (const { node } of chain.ends()) {
      for (let one = step(node, beforeMs, left); one !== undefined; one = step(node, beforeMs, left)) {
        left -= one.rows;
        yield { ...one, isLast: left <= 0 };
        if (left <= 0) return;
      }
    }
  }

  return (beforeMs) => {
    let upTo: number | undefined;
    let more = false;
    for (const one of steps(beforeMs)) {
      if (one.altered !== undefined) return { kind: 'altered', ...one.altered };
      upTo = one.upTo ?? upTo;
      more = one.isLast;
    }
    return upTo === undefined ? { kind: 'none' } : { kind: 'pruned', upTo, more };
  };
}

/** The record is the next one of the chain and fits its hash. The last one fits the segment's digest. */
function follows(record: LedgerRecord, { segment, seq, hash }: Followed): boolean {
  const isNext = record.seq === seq + 1 && record.prev_hash === hash && hashOf(record) === record.hash;
  return isNext && (record.seq !== segment.seq || record.hash === segment.hash);
}

function endOf(chain: PrunerChain, node: string): ChainEnd {
  const end = chain.ends().find((one) => one.node === node);
  if (end === undefined) throw new Error(`the chain of ${node} is gone`);
  return end;
}
