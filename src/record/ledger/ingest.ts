// Writes log lines to the ledger: one transaction has a batch of lines and the position after them.
import type { DatabaseSync } from 'node:sqlite';
import { type AccessLine, parseAccessLine, type RouteKnowledge, splitGluedLine } from './access-line.ts';
import { type AppendRow, stableId } from './append.ts';
import { type CallCount, createCallCount, type ServiceCalls } from './call-count.ts';
import { edgeDeathId, edgeDeathRecord, parseEdgeDeath, unreadableRecord } from './events.ts';
import type { Intents } from './intents.ts';
import { type RotateLimits, rotateLog } from './rotate.ts';
import { openTail, type Tail, type TailLine, type TailPosition } from './tail.ts';

/** Small enough that an intent waits only briefly behind a batch. */
export const BATCH_LINES = 250;
/** The control plane writes its own record of a request on these paths. */
const HELD: readonly string[] = ['mediated', 'relay'];
/** nginx's status for a client that left. The control plane may still write the record of its page. */
const CLIENT_GONE = 499;

export interface Ingest {
  /** Reads one batch from each log; false when both are read to their end. Throws SQLite's errors without losing a line. */
  pump(nowMs: number): boolean;
  /** The access log is read up to this time: the end of the last request, or now if nothing was left. Null: not read yet. */
  readMs(): number | null;
  /** Renames large logs. True: nginx must reopen its logs. Throws the file system's errors. */
  rotate(limits: RotateLimits): boolean;
  close(): void;
}

export interface IngestParts {
  readonly db: DatabaseSync;
  /** One transaction that does not wait for the disk: the log can be read again. */
  readonly write: <T>(work: () => T) => T;
  readonly appendRow: AppendRow;
  readonly intents: Intents;
  readonly routes: RouteKnowledge;
  readonly accessLog: string;
  readonly edgeErrorLog: string;
  readonly basePath: string;
  /** Called after a batch with calls of services is written. */
  readonly onCalls?: ((calls: readonly ServiceCalls[]) => void) | undefined;
}

export function createIngest(parts: IngestParts): Ingest {
  const { db, write } = parts;
  const access = openTail(parts.accessLog, storedPosition(db, 'access'));
  const errors = openTail(parts.edgeErrorLog, storedPosition(db, 'edge-error'));
  const store = db.prepare(
    'INSERT INTO tails (file, inode, position, head) VALUES (?, ?, ?, ?) ON CONFLICT (file) DO UPDATE SET inode = excluded.inode, position = excluded.position, head = excluded.head',
  );
  const calls = createCallCount();
  const takeAccess = createAccessTaker(parts, calls);
  const takeErrors = createErrorTaker(parts);
  let readMs: number | null = null;

  function batch(file: string, tail: Tail, take: Take, nowMs: number): boolean {
    const chunk = tail.read(BATCH_LINES);
    if (chunk === undefined) return false;
    write(() => {
      take(chunk.lines, chunk.next, nowMs);
      store.run(file, chunk.next.inode, chunk.next.offset, chunk.next.head);
    });
    tail.advance(chunk.next);
    return true;
  }

  return {
    pump(nowMs) {
      // The access log comes first, so that the last lines of a dead worker are known before its death is recorded.
      const takeTimed: Take = (lines, next) => {
        readMs = Math.min(nowMs, takeAccess(lines, next, nowMs));
      };
      if (batch('access', access, takeTimed, nowMs)) {
        const counted = calls.counted();
        if (counted.length > 0) parts.onCalls?.(counted);
        return true;
      }
      readMs = nowMs;
      return batch('edge-error', errors, takeErrors, nowMs);
    },
    readMs: () => readMs,
    rotate({ accessBytes, errorBytes }) {
      const accessMoved = rotateLog(parts.accessLog, accessBytes, access);
      return rotateLog(parts.edgeErrorLog, errorBytes, errors) || accessMoved;
    },
    close() {
      access.close();
      errors.close();
    },
  };
}

type Take = (lines: readonly TailLine[], position: TailPosition, nowMs: number) => void;

/** Returns the end of the last request. */
function createAccessTaker(parts: IngestParts, calls: CallCount) {
  const { db, appendRow, intents } = parts;
  const seen = db.prepare('INSERT INTO edge_workers (pid, seen_ms) VALUES (?, ?) ON CONFLICT (pid) DO UPDATE SET seen_ms = max(seen_ms, excluded.seen_ms)');
  return (lines: readonly TailLine[], { inode }: TailPosition, nowMs: number): number => {
    let lastMs = nowMs;
    const workers = new Map<number, number>();
    calls.clear();
    const parsed = lines.flatMap(({ bytes, offset }) => parseParts(bytes, offset, parts));
    const take = intents.lines(
      parsed.flatMap(({ line }) => (line.ok ? [line.record.request_id] : [])),
      nowMs,
    );
    for (const { part, line, offset } of parsed) {
      if (!line.ok) {
        appendRow(unreadableRecord(nowMs, part.length), stableId(inode, offset, part.toString('latin1')));
        continue;
      }
      take(line.record, howToTake(line, parts.basePath));
      lastMs = line.endMs;
      calls.add(line.record);
      if (line.pid !== null) workers.set(line.pid, Math.max(line.endMs, workers.get(line.pid) ?? 0));
    }
    for (const [pid, endMs] of workers) seen.run(pid, endMs);
    return lastMs;
  };
}

type ReadLine = Extract<AccessLine, { ok: true }>;

function howToTake(line: ReadLine, basePath: string): 'append' | 'hold' | 'count' {
  if (isProbe(line, basePath)) return 'count';
  return HELD.includes(line.taken) || (line.taken === 'own' && line.record.status === CLIENT_GONE) ? 'hold' : 'append';
}

/** The whole paths, so that no page below them is one. */
const PROBED: readonly string[] = ['/.lictor/health', '/.lictor/ready'];

/**
 * A load balancer asks each node every second: single records of that would hide the others. These two pages read no credential and decide nothing, so a
 * record says no more than that the node answered. A line with a decision, a principal, a reason or another status has its own record.
 */
function isProbe({ taken, record }: ReadLine, basePath: string): boolean {
  const { path, method, status, decision, reason, principal, action } = record;
  const isOfPage = taken === 'own' && PROBED.some((page) => path === `${basePath}${page}`) && (method === 'GET' || method === 'HEAD');
  return isOfPage && (status === 200 || status === 503) && [decision, reason, principal, action].every((fact) => (fact ?? null) === null);
}

interface ParsedPart {
  readonly part: Buffer;
  readonly line: AccessLine;
  /** Where it begins in its file. */
  readonly offset: number;
}

function parseParts(bytes: Buffer, offset: number, { routes, basePath }: IngestParts): readonly ParsedPart[] {
  const whole = parseAccessLine(bytes, routes, basePath);
  const pieces = whole.ok ? [] : splitGluedLine(bytes);
  if (pieces.length < 2) return [{ part: bytes, line: whole, offset }];
  return pieces.map(({ bytes: part, at }) => ({ part, line: parseAccessLine(part, routes, basePath), offset: offset + at }));
}

function createErrorTaker({ db, appendRow }: IngestParts) {
  const lastSeen = db.prepare('SELECT max(seen_ms) AS seen_ms FROM edge_workers WHERE ? OR pid = ?');
  const forget = db.prepare('DELETE FROM edge_workers WHERE pid = ?');
  return (lines: readonly TailLine[]) => {
    for (const { bytes } of lines) {
      const death = parseEdgeDeath(bytes.toString('utf8'));
      if (death === undefined) continue;
      const seenMs = lastSeen.get(Number(death.isMaster), death.pid)?.seen_ms;
      appendRow(edgeDeathRecord(death, typeof seenMs === 'number' ? seenMs : null), edgeDeathId(death));
      forget.run(death.pid);
    }
  };
}

function storedPosition(db: DatabaseSync, file: string): TailPosition | null {
  const row = db.prepare('SELECT inode, position, head FROM tails WHERE file = ?').get(file);
  if (row === undefined || !(row.head instanceof Uint8Array)) return null;
  return { inode: String(row.inode), offset: Number(row.position), head: Buffer.from(row.head) };
}
