// A record as an event of OCSF 1.6 (Open Cybersecurity Schema Framework).
//
// Classes: Authentication 3002, Account Change 3001, Application Lifecycle 6002 for the gateway's own events, API Activity 6003 for requests. Fields without
// a place in OCSF are in `unmapped`, under the record's names.
import type { LedgerRecord } from '../../contract/record.ts';

export const OCSF_VERSION = '1.6.0';

interface OcsfClass {
  readonly uid: 3001 | 3002 | 6002 | 6003;
  readonly activity: number;
}

const OTHER = 99;

/** By the beginning of the action. */
const ACCOUNT_CHANGE = ['account.', 'token.', 'lock.', 'identity.'];
const LIFECYCLE = ['gateway.', 'edge.', 'ledger.', 'config.', 'upstream.', 'events.'];
const CREATE_READ_UPDATE_DELETE: Readonly<Record<string, number>> = { POST: 1, PUT: 3, PATCH: 3, DELETE: 4, GET: 2, HEAD: 2 };
const CHANGES: Readonly<Record<string, number>> = { create: 1, add: 1, passwd: 3, rotate: OTHER, revoke: 5, remove: 6, forget: 6, exchange: OTHER };
const SESSION: Readonly<Record<string, number>> = { 'session.login': 1, 'session.logout': 2, 'session.backchannel_logout': 2 };

export function ocsfEvent(record: LedgerRecord): Record<string, unknown> {
  const { uid, activity } = classOf(record);
  const failed = record.decision === 'deny' || (record.status ?? 0) >= 400;
  return present({
    metadata: present({
      version: OCSF_VERSION,
      product: { name: 'Lictor', vendor_name: 'Lictor' },
      uid: record.id,
      sequence: record.seq,
      correlation_uid: record.request_id,
    }),
    time: Date.parse(record.time),
    class_uid: uid,
    category_uid: Math.floor(uid / 1000),
    activity_id: activity,
    type_uid: uid * 100 + activity,
    // Low for a denial, informational otherwise.
    severity_id: record.decision === 'deny' ? 2 : 1,
    status_id: failed ? 2 : 1,
    status_code: record.status === null ? null : String(record.status),
    status_detail: record.reason,
    duration: record.duration_ms === null ? null : Math.round(record.duration_ms),
    actor: actorOf(record),
    user: uid === 3001 || uid === 3002 ? userOf(record) : null,
    src_endpoint: record.source_ip === null ? null : { ip: record.source_ip },
    ...httpOf(record),
    api: uid === 6003 ? { operation: record.action ?? 'unknown', service: { name: record.service ?? 'prefect' } } : null,
    resources: record.resource_type === null ? null : [present({ type: record.resource_type, uid: record.resource_id })],
    authorizations:
      record.policies.length === 0 ? null : record.policies.map((policy) => ({ decision: record.decision ?? 'unknown', policy: { uid: policy } })),
    unmapped: unmappedOf(record),
  });
}

/** OCSF has no null: leaves out null values. */
export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function classOf({ action, method }: LedgerRecord): OcsfClass {
  const name = action ?? '';
  if (name.startsWith('session.')) return { uid: 3002, activity: SESSION[name] ?? OTHER };
  if (ACCOUNT_CHANGE.some((prefix) => name.startsWith(prefix))) return { uid: 3001, activity: CHANGES[name.split('.')[1] ?? ''] ?? OTHER };
  if (LIFECYCLE.some((prefix) => name.startsWith(prefix)))
    return { uid: 6002, activity: name === 'gateway.started' ? 3 : name === 'gateway.stopped' ? 4 : OTHER };
  return { uid: 6003, activity: CREATE_READ_UPDATE_DELETE[method ?? ''] ?? OTHER };
}

function actorOf(record: LedgerRecord): Record<string, unknown> {
  const session = record.session_id === null ? null : { uid: record.session_id };
  return present({ user: userOf(record), session, idp: record.idp === null ? null : { name: record.idp } });
}

/** Type 1 is a person, 3 a system, 0 unknown. */
function userOf({ principal, principal_kind: kind }: LedgerRecord): Record<string, unknown> {
  return principal === null ? { type_id: 0 } : { uid: principal, name: principal, type_id: kind === 'user' ? 1 : 3 };
}

function httpOf({ method, user_agent, path, status, bytes }: LedgerRecord): Record<string, unknown> {
  if (method === null) return {};
  return {
    http_request: present({ http_method: method, user_agent, url: path === null ? null : { path } }),
    http_response: status === null ? null : present({ code: status, length: bytes }),
  };
}

const MAPPED: ReadonlySet<string> = new Set([
  ...['id', 'time', 'seq', 'request_id', 'status', 'reason', 'duration_ms', 'principal', 'principal_kind', 'session_id'],
  ...['idp', 'source_ip', 'method', 'user_agent', 'path', 'bytes', 'resource_type', 'resource_id', 'policies', 'service'],
]);

/** Fields with a value and no place in OCSF: the run, the chain, the action. */
function unmappedOf(record: LedgerRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(([name, value]) => !MAPPED.has(name) && value !== null && !(Array.isArray(value) && value.length === 0)),
  );
}
