// Deletes the oldest records, and records what it deleted.
import type { DatabaseSync } from 'node:sqlite';
import type { AppendRow } from '../append.ts';
import { prunedRecord, pruneHeldRecord, pruneStoppedRecord } from '../events.ts';
import type { Chain } from './chain.ts';
import { createClockTrust } from './clock-trust.ts';
import { createPruner } from './prune.ts';

const REPORT_EVERY_MS = 24 * 3_600_000;

export interface Retention {
  /** One small step, inside a transaction that ends with the chain's `seal`. */
  step(nowMs: number): void;
}

export interface RetentionParts {
  readonly db: DatabaseSync;
  readonly chain: Pick<Chain, 'ends' | 'moveStart' | 'publicKey' | 'seal'>;
  readonly appendRow: AppendRow;
  /** Null: records are never deleted. */
  readonly retentionMs: number | null;
  /** Rows of one step. Only tests set it. */
  readonly atOnce?: number;
}

/**
 * Records once a day up to which record it deleted. Stops at a record that was changed, or whose events were changed: that is evidence. After a clock jump it
 * waits, and records that once.
 */
export function createRetention({ db, chain, appendRow, retentionMs, atOnce }: RetentionParts): Retention {
  const prune = createPruner(db, chain, atOnce);
  let stopped = retentionMs === null;
  const trust = createClockTrust(db);
  let isHeld = false;
  let reportedMs = Number.NEGATIVE_INFINITY;
  return {
    step(nowMs) {
      const leapMs = trust.leap(nowMs);
      if (stopped || retentionMs === null) return;
      if (leapMs !== null && !isHeld) appendRow(pruneHeldRecord(nowMs, leapMs));
      isHeld = leapMs !== null;
      if (isHeld) return;
      const pruned = prune(nowMs - retentionMs);
      if (pruned.kind === 'altered') {
        stopped = true;
        appendRow(pruneStoppedRecord(nowMs, pruned.seq, pruned.what));
      }
      if (pruned.kind !== 'pruned' || pruned.more) return;
      // The checkpoint stays: it signs where the verified deletion ended, and the hash of the last deleted record.
      chain.seal('retention');
      if (nowMs - reportedMs < REPORT_EVERY_MS) return;
      reportedMs = nowMs;
      appendRow(prunedRecord(nowMs, pruned.upTo));
    },
  };
}
