// Metrics from the ledger, on a separate connection: no code on the request path counts anything.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EVENTS_STORED, parseStoredRange } from '../ledger/events.ts';
import { nodeName } from '../ledger/node-name.ts';
import { type CountedRow, createCounts } from './counts.ts';
import { type Family, gauge, sample } from './exposition.ts';
import { readTraffic, type Traffic } from './traffic.ts';

export interface LedgerReader {
  /** Reads the rows since the last call. Throws the errors of SQLite. */
  collect(): readonly Family[];
  /** Of the last minutes. Throws the errors of SQLite. */
  traffic(nowMs: number): Traffic;
  close(): void;
}

interface LedgerFiles {
  readonly ledgerFile: string;
  readonly accessLog: string;
}

type Row = CountedRow & { readonly n: number; readonly node: string; readonly resource_id: string | null };

const PAGE = 5_000;
const BUSY_MS = 2_000;
const COLUMNS = 'n, node, resource_id, request_id, action, decision, reason, mode, path_taken, status, duration_ms, upstream_ms, service, cache';
/** Prefect's state types. Any other value would be a label that a client chooses. */
const STATES: ReadonlySet<string> = new Set([...['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING']]);

/** Counters start at 0, as those of a process do. */
export function openLedgerReader({ ledgerFile, accessLog }: LedgerFiles): LedgerReader {
  const db = new DatabaseSync(ledgerFile, { readOnly: true, timeout: BUSY_MS });
  const page = db.prepare(`SELECT ${COLUMNS} FROM records WHERE n > ? ORDER BY n LIMIT ${PAGE}`);
  const statesIn = db.prepare('SELECT state_type FROM prefect_events WHERE n BETWEEN ? AND ? AND flow_run_id IS NOT NULL AND event GLOB ?');
  const heartbeat = db.prepare(
    "SELECT time FROM records WHERE action = 'worker.heartbeat' AND (+decision = 'allow' OR mode = 'observe') ORDER BY time DESC LIMIT 1",
  );
  const head = db.prepare('SELECT text FROM head');
  const position = db.prepare('SELECT position FROM tails WHERE inode = ?');
  const counts = createCounts();
  const states = new Map<string, number>();
  let n = lastOf(db);

  /** Those of this node: each node counts its own. */
  function countRecords(): void {
    const own = nodeName(db);
    for (;;) {
      // Only the ledger writes these rows, so the shape is trusted.
      const rows = page.all(n) as unknown as readonly Row[];
      for (const row of rows.filter(({ node }) => node === own)) {
        counts.add(row);
        if (row.action === EVENTS_STORED) countStates(row);
      }
      n = rows.at(-1)?.n ?? n;
      if (rows.length < PAGE) return;
    }
  }

  function countStates({ resource_id: text }: Row): void {
    const range = parseStoredRange(text);
    if (range === undefined) return;
    for (const row of statesIn.iterate(range.first, range.last, 'prefect.flow-run.*')) {
      const state = String(row['state_type'] ?? '').toUpperCase();
      if (STATES.has(state)) states.set(state, (states.get(state) ?? 0) + 1);
    }
  }

  return {
    collect() {
      countRecords();
      const sealed = parseHead(head.get()?.['text']);
      const seen = heartbeat.get()?.['time'];
      return [
        ...counts.families(),
        {
          name: 'flow_run_states_total',
          type: 'counter',
          help: 'States of flow runs, as reported by Prefect.',
          samples: [...states].map(([state, value]) => ({ labels: { state }, value })),
        },
        gauge('worker_last_heartbeat_timestamp_seconds', 'When a worker was heard of last, through the gateway.', seconds(seen)),
        gauge(
          'ledger_unread_bytes',
          'How much of the access log is not in the ledger yet.',
          unread(accessLog, (inode) => position.get(inode)?.['position']),
        ),
        gauge('ledger_newest_sequence', 'Number of the newest record, over all chains.', n),
        gauge('ledger_sealed_sequence', 'Number of the last record of the last signed head, over all chains.', sealed?.seq),
        gauge('ledger_sealed_timestamp_seconds', 'When the ledger was signed last.', sealed === undefined ? undefined : seconds(sealed.time)),
        { name: 'ledger_checkpoints_total', type: 'counter', help: 'Signed checkpoints of the ledger.', samples: sample(sealed?.checkpoints) },
      ];
    },
    traffic: (nowMs) => readTraffic(db, nowMs),
    close() {
      db.close();
    },
  };
}

function lastOf(db: DatabaseSync): number {
  return Number(db.prepare('SELECT max(n) AS n FROM records').get()?.['n'] ?? 0);
}

function seconds(time: unknown): number | undefined {
  return typeof time === 'string' ? Date.parse(time) / 1000 : undefined;
}

function unread(accessLog: string, positionOf: (inode: string) => unknown): number | undefined {
  const stats = statSync(accessLog, { throwIfNoEntry: false, bigint: true });
  if (stats === undefined) return 0;
  const read = positionOf(String(stats.ino));
  return Math.max(0, Number(stats.size) - (typeof read === 'number' ? read : 0));
}

function parseHead(text: unknown): { readonly seq: number; readonly time: string; readonly checkpoints: number } | undefined {
  if (typeof text !== 'string') return undefined;
  // Not checked here: the signature. lictor audit verify does.
  const { chains, time, checkpoints } = JSON.parse(text) as { chains: readonly { seq: number }[]; time: string; checkpoints: number };
  return { seq: chains.reduce((sum, chain) => sum + chain.seq, 0), time, checkpoints };
}
