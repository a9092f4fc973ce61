// Limits the records of anonymous requests: above a number for each minute they are counted, and a summary record has the count. So are all probes.
import type { DatabaseSync } from 'node:sqlite';
import { guesserKey } from '../../contract/network.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { AppendRow } from './append.ts';

export interface FloodLimits {
  /** Single records in a minute, of one address and of all. */
  readonly perAddress: number;
  readonly inAll: number;
  /** The number of addresses that have their own count. */
  readonly addresses: number;
}

export const FLOOD_LIMITS: FloodLimits = { perAddress: 100, inAll: 500, addresses: 1_000 };

/** Addresses with their own summary, for each minute. The others share one. */
const MOST_SUMMARIES = 20;
const MINUTE_MS = 60_000;
/** Lines come late, so a minute is summed up this long after its end. */
const GRACE_MS = 30_000;

export const SUMMARY_ACTION = 'requests.summary';
/** Of load balancers, which ask whether a node is ready. */
export const PROBES_ACTION = 'requests.probes';

/** All methods run inside a transaction. */
export interface Floods {
  /** Appends the record, or counts it. Authenticated and allowed requests always have a record. */
  readonly appendOrCount: AppendRow;
  /** A probe has no record of itself, only the summary of its minute. */
  countProbe(record: NewRecord): void;
  /** True: `appendOrCount` would only count this one. */
  isOver(record: NewRecord): boolean;
  /** Writes the summaries of past minutes. */
  summarise(nowMs: number): void;
}

export function createFloods(db: DatabaseSync, appendRow: AppendRow, limits: FloodLimits): Floods {
  const singlesOf = db.prepare('SELECT singles FROM flood_singles WHERE minute = ? AND address = ?');
  const single = db.prepare('INSERT INTO flood_singles (minute, address, singles) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET singles = singles + 1');
  const addresses = db.prepare('SELECT count(*) AS n FROM flood_counts WHERE minute = ?');
  const known = db.prepare('SELECT 1 FROM flood_counts WHERE minute = ? AND address = ?');
  const count = db.prepare(
    `INSERT INTO flood_counts (minute, address, reason, decision, count, first, last, bytes) VALUES (?, ?, ?, ?, 1, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + 1, first = min(first, excluded.first), last = max(last, excluded.last), bytes = bytes + excluded.bytes`,
  );
  const over = db.prepare('SELECT DISTINCT minute FROM flood_counts WHERE minute <= ? OR minute > ? ORDER BY minute');
  const counted = db.prepare(
    `SELECT address, sum(count) AS count, min(first) AS first, max(last) AS last, sum(bytes) AS bytes, min(decision = 'deny') AS denied,
       group_concat(reason || ' ' || count, ', ') AS reasons, reason LIKE '/%' AS probe
     FROM flood_counts WHERE minute = ? GROUP BY address, probe ORDER BY count DESC, address`,
  );
  const forget = db.prepare('DELETE FROM flood_counts WHERE minute = ?');
  const forgetSingles = db.prepare('DELETE FROM flood_singles WHERE minute < ?');

  const number = (row: Record<string, unknown> | undefined, name: string) => Number(row?.[name] ?? 0);
  const isFull = (minute: number, address: string) =>
    number(singlesOf.get(minute, address), 'singles') >= limits.perAddress || number(singlesOf.get(minute, ALL), 'singles') >= limits.inAll;

  function countOne(record: NewRecord, minute: number, address: string): void {
    const isNew = known.get(minute, address) === undefined;
    const key = isNew && number(addresses.get(minute), 'n') >= limits.addresses ? OTHERS : address;
    count.run(minute, key, record.reason ?? 'undecided', record.decision ?? '', record.time, record.time, record.bytes ?? 0);
  }

  return {
    appendOrCount(record, id) {
      if (!isAnonymous(record)) return appendRow(record, id);
      const [minute, address] = [minuteOf(record), addressOf(record)];
      if (isFull(minute, address)) {
        countOne(record, minute, address);
        return true;
      }
      single.run(minute, address);
      single.run(minute, ALL);
      return appendRow(record, id);
    },
    // No reason begins with the slash of a path.
    countProbe: (record) => countOne({ ...record, reason: `${record.path} (${record.status})` }, minuteOf(record), addressOf(record)),
    isOver: (record) => isAnonymous(record) && isFull(minuteOf(record), addressOf(record)),
    summarise(nowMs) {
      const last = Math.floor((nowMs - GRACE_MS) / MINUTE_MS) - 1;
      // A minute in the future exists only if the clock went back.
      for (const { minute } of over.all(last, Math.floor(nowMs / MINUTE_MS) + 1)) {
        const rows = counted.all(Number(minute)).map(parseCounted);
        const [probes, others] = [rows.filter(({ isProbe }) => isProbe), rows.filter(({ isProbe }) => !isProbe)];
        for (const record of [...summaries(others), ...summaries(probes)]) appendRow(record);
        forget.run(Number(minute));
      }
      forgetSingles.run(last);
    },
  };
}

/** No address is empty or a star. */
const ALL = '';
const OTHERS = '*';

/** A denied request without a principal, a known credential, or a session. */
function isAnonymous(record: NewRecord): boolean {
  const known = record.principal ?? record.credential_id ?? record.session_id ?? record.grant_id ?? null;
  return typeof record.request_id === 'string' && known === null && record.decision !== 'allow' && (record.on_behalf_of ?? []).length === 0;
}

function minuteOf({ time }: NewRecord): number {
  return Math.floor(Date.parse(time) / MINUTE_MS);
}

function addressOf({ source_ip }: NewRecord): string {
  return guesserKey(source_ip ?? 'unknown') || 'unknown';
}

interface Counted {
  readonly address: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly bytes: number;
  readonly denied: boolean;
  readonly reasons: string;
  readonly isProbe: boolean;
}

/** Only this file writes these rows, so the shape is trusted. */
function parseCounted(row: Record<string, unknown>): Counted {
  const { address, count, first, last, bytes, denied, reasons } = row;
  return {
    ...{ address: String(address), first: String(first), last: String(last), reasons: String(reasons) },
    ...{ count: Number(count), bytes: Number(bytes), denied: denied === 1, isProbe: row['probe'] === 1 },
  };
}

/** The busiest addresses have their own summary, the others share one. */
function summaries(rows: readonly Counted[]): readonly NewRecord[] {
  const named = rows.filter(({ address }) => address !== OTHERS);
  const own = named.slice(0, MOST_SUMMARIES);
  const rest = rows.filter((row) => !own.includes(row));
  const records = own.map((row) => summary(row, row.address, row.reasons));
  if (rest.length === 0) return records;
  const more = rest.some(({ address }) => address === OTHERS) ? 'more than ' : '';
  const addresses = rest.filter(({ address }) => address !== OTHERS).map(({ address }) => address);
  const list = `${addresses.slice(0, MOST_SUMMARIES).join(', ')}${addresses.length > MOST_SUMMARIES ? ', ...' : ''}`;
  return [...records, summary(together(rest), null, `${more}${addresses.length} addresses: ${list}`)];
}

function together(rows: readonly Counted[]): Omit<Counted, 'address' | 'reasons'> {
  const sum = (of: (row: Counted) => number) => rows.reduce((total, row) => total + of(row), 0);
  const firsts = rows.map(({ first }) => first).sort();
  const lasts = rows.map(({ last }) => last).sort();
  return {
    count: sum(({ count }) => count),
    bytes: sum(({ bytes }) => bytes),
    first: firsts[0] ?? '',
    last: lasts.at(-1) ?? '',
    denied: rows.every(({ denied }) => denied),
    isProbe: rows.every(({ isProbe }) => isProbe),
  };
}

/** `resource_id` is the count, `time` the first request, `duration_ms` the time to the last one, `tool` the reasons or the addresses. */
function summary({ count, first, last, bytes, denied, isProbe }: Omit<Counted, 'address' | 'reasons'>, sourceIp: string | null, words: string): NewRecord {
  return {
    time: first,
    action: isProbe ? PROBES_ACTION : SUMMARY_ACTION,
    reason: isProbe ? null : 'anonymous-requests',
    decision: denied ? 'deny' : null,
    resource_type: isProbe ? 'Probes' : 'AnonymousRequests',
    resource_id: String(count),
    source_ip: sourceIp,
    bytes,
    duration_ms: Math.max(0, Date.parse(last) - Date.parse(first)),
    tool: words,
  };
}
