// Requests in progress: an intent is durable before a request is forwarded, and becomes its only record.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';
import { CONNECT_ACTION } from '../../contract/destination.ts';
import { LictorError } from '../../contract/error.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { RequestRecord } from './access-line.ts';
import { type AppendRow, withoutUndefined } from './append.ts';
import type { Floods } from './floods.ts';

/**
 * How long the line of a mediated or relayed request waits for the control plane's own, richer record. If the control plane was away, the line is the record.
 */
const HOLD_MS = 5_000;

/** All methods run inside a transaction. They throw a LictorError before they write anything. */
export interface Intents {
  intend(record: RequestRecord, nowMs: number): void;
  /** Joins intent and outcome to the record. */
  settle(requestId: string, outcome: Partial<NewRecord>): void;
  /**
   * Appends a whole record, which replaces a held line. A second record of a request is a separate event, for example a socket that a later decision ended.
   */
  append(record: NewRecord): void;
  /**
   * Looks up these requests at once. The returned function takes one access line: attaches it to its intent, or appends, holds or counts it. It ignores a
   * request that has a record or a line already.
   */
  lines(requestIds: readonly string[], nowMs: number): (record: RequestRecord, how: 'append' | 'hold' | 'count') => void;
  /** Makes records of lines that waited long enough, and of lines from before the clock went back. */
  releaseHeld(nowMs: number): void;
  releaseAll(): void;
  /** Makes records of earlier sessions' intents: no one will settle them. */
  abandonOthers(): void;
}

export interface IntentsParts {
  readonly db: DatabaseSync;
  readonly appendRow: AppendRow;
  /** Records that may be anonymous pass these limits. */
  readonly floods: Pick<Floods, 'appendOrCount' | 'countProbe' | 'isOver'>;
  readonly session: string;
}

export function createIntents({ db, appendRow, floods, session }: IntentsParts): Intents {
  const find = db.prepare('SELECT source, session, record, line FROM intents WHERE request_id = ?');
  const insert = db.prepare('INSERT INTO intents (request_id, source, session, record, since_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const attach = db.prepare("UPDATE intents SET line = ? WHERE request_id = ? AND source = 'intent'");
  const remove = db.prepare('DELETE FROM intents WHERE request_id = ?');
  const removeHeld = db.prepare("DELETE FROM intents WHERE request_id = ? AND source = 'line'");
  const held = db.prepare("SELECT request_id, record FROM intents WHERE source = 'line' AND (since_ms <= ? OR since_ms > ?) ORDER BY since_ms");
  const others = db.prepare("SELECT request_id, record, line FROM intents WHERE source = 'intent' AND session <> ? ORDER BY since_ms");
  const notes = createDecisionNotes();
  const recorded = db.prepare('SELECT 1 FROM records WHERE request_id = ?');
  const known = db.prepare(
    `SELECT i.request_id AS id, i.source AS source FROM json_each(?1) AS asked JOIN intents AS i ON i.request_id = asked.value
     UNION ALL SELECT r.request_id AS id, '' AS source FROM json_each(?1) AS asked JOIN records AS r ON r.request_id = asked.value`,
  );

  function release(untilMs: number, fromMs: number): void {
    for (const row of held.all(untilMs, fromMs)) {
      floods.appendOrCount(wholeRecord(row.record));
      remove.run(String(row.request_id));
    }
  }

  return {
    intend(record, nowMs) {
      if (recorded.get(record.request_id) !== undefined) throw alreadyRecorded(record.request_id);
      removeHeld.run(record.request_id);
      if (insert.run(record.request_id, 'intent', session, JSON.stringify(record), nowMs).changes === 0) throw alreadyRecorded(record.request_id);
    },
    settle(requestId, outcome) {
      const intent = find.get(requestId);
      if (intent === undefined || intent.source !== 'intent') throw noIntent(requestId);
      const record = { ...parseRecord(intent.record), ...withoutUndefined(outcome), request_id: requestId };
      const bytes = record.bytes ?? parseRecord(intent.line)?.bytes ?? null;
      appendRow({ ...record, bytes, time: record.time ?? '' });
      remove.run(requestId);
    },
    append(record) {
      // Its access line counts it, once. nginx does not know the reason of the denial.
      if (hasLine(record) && floods.isOver(record)) return notes.add(record);
      if (typeof record.request_id === 'string') removeHeld.run(record.request_id);
      floods.appendOrCount(record);
    },
    lines(requestIds, nowMs) {
      const seen = new Map(known.all(JSON.stringify(requestIds)).map(({ id, source }) => [String(id), String(source)]));
      return (line, how) => {
        const record = notes.applyTo(line);
        const source = seen.get(record.request_id);
        if (source === 'intent') attach.run(JSON.stringify(record), record.request_id);
        if (source !== undefined) return;
        seen.set(record.request_id, '');
        if (how === 'append') floods.appendOrCount(record);
        else if (how === 'count') floods.countProbe(record);
        else insert.run(record.request_id, 'line', session, JSON.stringify(record), nowMs);
      };
    },
    releaseHeld: (nowMs) => release(nowMs - HOLD_MS, nowMs + HOLD_MS),
    releaseAll: () => release(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    abandonOthers() {
      for (const row of others.all(session)) {
        appendRow(unknownOutcome(wholeRecord(row.record), parseRecord(row.line)));
        remove.run(String(row.request_id));
      }
    },
  };
}

/** More than the requests whose lines are not read yet. */
const MOST_NOTES = 10_000;

/** The control plane's decision and reason for requests that are only counted, and the refused credential. Used when their lines arrive. */
function createDecisionNotes() {
  const notes = new LRUCache<string, Pick<NewRecord, 'decision' | 'reason' | 'credential_id'>>(atMostEntries(MOST_NOTES));
  return {
    add({ request_id: id, decision, reason, credential_id: credential = null }: NewRecord): void {
      notes.set(String(id), { decision: decision ?? null, reason: reason ?? null, ...(credential !== null && { credential_id: credential }) });
    },
    /** Not removed: a line is read again when its transaction fails. */
    applyTo(line: RequestRecord): RequestRecord {
      const decided = notes.get(line.request_id);
      return decided === undefined ? line : { ...line, ...decided };
    },
  };
}

/** The forward proxy has its own listener, so nginx logs no line for it. */
function hasLine({ action }: NewRecord): boolean {
  return action !== CONNECT_ACTION;
}

/** Prefect's outcome is unknown, so nginx's is recorded. */
function unknownOutcome(intent: NewRecord, line: Partial<NewRecord> | undefined): NewRecord {
  const seen = { status: line?.status ?? null, bytes: line?.bytes ?? null, duration_ms: line?.duration_ms ?? null };
  return { ...intent, ...seen, reason: 'outcome-unknown' };
}

/** Only this file writes these rows, so the shape is trusted. */
function parseRecord(text: SQLOutputValue | undefined): Partial<NewRecord> | undefined {
  return typeof text === 'string' ? (JSON.parse(text) as Partial<NewRecord>) : undefined;
}

function wholeRecord(text: SQLOutputValue | undefined): NewRecord {
  const record = parseRecord(text);
  return { ...record, time: record?.time ?? '' };
}

function alreadyRecorded(requestId: string): LictorError {
  return new LictorError('ledger-request-recorded', 'This request has its record already.', { detail: `request ${requestId}` });
}

function noIntent(requestId: string): LictorError {
  return new LictorError('ledger-intent-missing', 'There is no intent to settle.', { detail: `request ${requestId}` });
}
