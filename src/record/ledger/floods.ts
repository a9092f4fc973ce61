// Limits the records of requests that prove nothing, by address or by the refused credential: above a number for each minute they are counted, and a
// summary record has the count. So are all probes.
import type { DatabaseSync } from 'node:sqlite';
import { guesserKey } from '../../contract/network.ts';
import { isReasonCode, REASONS } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { AppendRow } from './append.ts';

export interface FloodLimits {
  /** Single records in a minute, of one address or refused credential and of all. */
  readonly perAddress: number;
  readonly inAll: number;
  /** The number of addresses that have their own count. */
  readonly addresses: number;
}

export const FLOOD_LIMITS: FloodLimits = { perAddress: 100, inAll: 500, addresses: 1_000 };

/** Addresses and credentials with their own summary, for each minute. The others share one. */
const MOST_SUMMARIES = 20;
const MINUTE_MS = 60_000;
/** Lines come late, so a minute is summed up this long after its end. */
const GRACE_MS = 30_000;

export const SUMMARY_ACTION = 'requests.summary';
/** Of load balancers, which ask whether a node is ready. */
export const PROBES_ACTION = 'requests.probes';

/** All methods run inside a transaction. */
export interface Floods {
  /** Appends the record, or counts it. Requests of a credential that holds, and allowed ones, always have a record. */
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
  const addresses = db.prepare('SELECT count(*) AS n FROM flood_counts WHERE minute = ? AND (substr(address, 1, 11) = ?) = ?');
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

  /** Of a refused credential: below the limit its requests have records of this minute. */
  const ownerOf = db.prepare("SELECT principal, principal_kind, idp FROM records WHERE decision = 'deny' AND time >= ? AND credential_id = ? LIMIT 1");

  const number = (row: Record<string, unknown> | undefined, name: string) => Number(row?.[name] ?? 0);
  const isFull = (minute: number, key: string) =>
    number(singlesOf.get(minute, key), 'singles') >= limits.perAddress || number(singlesOf.get(minute, allOf(key)), 'singles') >= limits.inAll;

  function countOne(record: NewRecord, minute: number, given: string): void {
    const isNew = known.get(minute, given) === undefined;
    const have = isNew ? number(addresses.get(minute, CREDENTIAL, isCredential(given) ? 1 : 0), 'n') : 0;
    const key = have >= limits.addresses ? `${allOf(given)}${OTHERS}` : given;
    count.run(minute, key, record.reason ?? 'undecided', record.decision ?? '', record.time, record.time, record.bytes ?? 0);
  }

  function ownerIn({ credential_id: credential }: NewRecord, minute: number): Partial<NewRecord> {
    if (typeof credential !== 'string') return {};
    const row = ownerOf.get(new Date(minute * MINUTE_MS).toISOString(), credential);
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    return { principal: text(row?.['principal']), principal_kind: text(row?.['principal_kind']), idp: text(row?.['idp']) };
  }

  return {
    appendOrCount(record, id) {
      const [minute, key] = [minuteOf(record), keyOf(record)];
      if (key === undefined) return appendRow(record, id);
      if (isFull(minute, key)) {
        countOne(record, minute, key);
        return true;
      }
      single.run(minute, key);
      single.run(minute, allOf(key));
      return appendRow(record, id);
    },
    // No reason begins with the slash of a path.
    countProbe: (record) => countOne({ ...record, reason: `${record.path} (${record.status})` }, minuteOf(record), addressOf(record)),
    isOver(record) {
      const key = keyOf(record);
      return key !== undefined && isFull(minuteOf(record), key);
    },
    summarise(nowMs) {
      const last = Math.floor((nowMs - GRACE_MS) / MINUTE_MS) - 1;
      // A minute in the future exists only if the clock went back.
      for (const { minute } of over.all(last, Math.floor(nowMs / MINUTE_MS) + 1)) {
        const rows = counted.all(Number(minute)).map(parseCounted);
        const kinds = [NOBODYS, REFUSED, PROBES].map((kind) => summaries(rows.filter(kind.has), kind));
        for (const record of kinds.flat()) appendRow({ ...record, ...ownerIn(record, Number(minute)) });
        forget.run(Number(minute));
      }
      forgetSingles.run(last);
    },
  };
}

/** No address begins with it. */
const CREDENTIAL = 'credential:';
/** No address or credential is a star. */
const OTHERS = '*';

function isCredential(key: string): boolean {
  return key.startsWith(CREDENTIAL);
}

/** The key of the sum of all addresses, or of all refused credentials: neither uses the single records of the other. */
function allOf(key: string): string {
  return isCredential(key) ? CREDENTIAL : '';
}

/** By what a request is limited. Undefined: it has a record. */
function keyOf(record: NewRecord): string | undefined {
  if (typeof record.request_id !== 'string' || record.decision === 'allow') return undefined;
  const { credential_id: credential = null, reason } = record;
  if (credential !== null) return isRefusal(reason) ? `${CREDENTIAL}${credential}` : undefined;
  const known = record.principal ?? record.session_id ?? record.grant_id ?? null;
  return known === null && (record.on_behalf_of ?? []).length === 0 ? addressOf(record) : undefined;
}

/** The secret is known and proves nothing: it is revoked, expired, or used from a wrong place. */
function isRefusal(reason: NewRecord['reason']): boolean {
  return typeof reason === 'string' && isReasonCode(reason) && REASONS[reason].status === 401;
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

interface Kind {
  readonly has: (row: Counted) => boolean;
  readonly what: string;
  readonly fields: Pick<NewRecord, 'action' | 'reason' | 'resource_type'>;
  readonly who: (name: string) => Pick<NewRecord, 'source_ip' | 'credential_id'>;
}

const fromAddress: Kind['who'] = (name) => ({ source_ip: name });
const NOBODYS: Kind = {
  has: ({ address, isProbe }) => !isProbe && !isCredential(address),
  what: 'addresses',
  fields: { action: SUMMARY_ACTION, reason: 'anonymous-requests', resource_type: 'AnonymousRequests' },
  who: fromAddress,
};
const REFUSED: Kind = {
  has: ({ address }) => isCredential(address),
  what: 'credentials',
  fields: { action: SUMMARY_ACTION, reason: 'refused-requests', resource_type: 'RefusedRequests' },
  who: (name) => ({ credential_id: name }),
};
const PROBES: Kind = {
  has: ({ isProbe }) => isProbe,
  what: 'addresses',
  fields: { action: PROBES_ACTION, reason: null, resource_type: 'Probes' },
  who: fromAddress,
};

/** The busiest addresses or credentials have their own summary, the others share one. */
function summaries(rows: readonly Counted[], kind: Kind): readonly NewRecord[] {
  const nameOf = ({ address }: Counted): string => address.slice(allOf(address).length);
  const named = rows.filter((row) => nameOf(row) !== OTHERS);
  const own = named.slice(0, MOST_SUMMARIES);
  const rest = rows.filter((row) => !own.includes(row));
  const records = own.map((row) => summary(row, { ...kind.fields, ...kind.who(nameOf(row)) }, row.reasons));
  if (rest.length === 0) return records;
  const more = rest.some((row) => nameOf(row) === OTHERS) ? 'more than ' : '';
  const names = rest.map(nameOf).filter((name) => name !== OTHERS);
  const list = `${names.slice(0, MOST_SUMMARIES).join(', ')}${names.length > MOST_SUMMARIES ? ', ...' : ''}`;
  return [...records, summary(together(rest), kind.fields, `${more}${names.length} ${kind.what}: ${list}`)];
}

type Sum = Omit<Counted, 'address' | 'reasons' | 'isProbe'>;

function together(rows: readonly Counted[]): Sum {
  const sum = (of: (row: Counted) => number) => rows.reduce((total, row) => total + of(row), 0);
  const firsts = rows.map(({ first }) => first).sort();
  const lasts = rows.map(({ last }) => last).sort();
  return {
    count: sum(({ count }) => count),
    bytes: sum(({ bytes }) => bytes),
    first: firsts[0] ?? '',
    last: lasts.at(-1) ?? '',
    denied: rows.every(({ denied }) => denied),
  };
}

/** `resource_id` is the count, `time` the first request, `duration_ms` the time to the last one, `tool` the reasons or the addresses. */
function summary({ count, first, last, bytes, denied }: Sum, fields: Partial<NewRecord>, words: string): NewRecord {
  return {
    ...fields,
    time: first,
    decision: denied ? 'deny' : null,
    resource_id: String(count),
    bytes,
    duration_ms: Math.max(0, Date.parse(last) - Date.parse(first)),
    tool: words,
  };
}
