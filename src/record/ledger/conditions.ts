// A filter of the ledger -> SQL that one index serves.
import { BlockList, isIP } from 'node:net';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { AuditFilter } from './query.ts';

export interface Where {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** `indexed` false: written so that SQLite uses no index for it. SQLite has no statistics here, and would choose wrongly at millions of records. */
interface Condition {
  readonly sql: (indexed: boolean) => string;
  readonly values: readonly SQLInputValue[];
  /** Its index ends with the time, so pages need no sorting. False: there is no index. */
  readonly indexable: boolean;
}

/**
 * For pages in time order: uses the index of the rarest condition, or else that of the time. The place where pages begin handles `since`, or `until` when
 * the newest come first.
 */
export function whereByTime(filter: AuditFilter): Where {
  const all = conditions(filter);
  const chosen = all.find(({ indexable }) => indexable);
  const { since, until } = filter;
  return joined([
    ...all.map((condition) => ({ ...condition, sql: condition.sql(condition === chosen) })),
    ...period(filter.newestFirst === true ? { since } : { until }),
  ]);
}

/** For records after another one, by number. */
export function whereByNumber(filter: AuditFilter): Where {
  return joined([...conditions(filter).map((condition) => ({ ...condition, sql: condition.sql(false) })), ...period(filter)]);
}

/** Defines `in_network(address, network)` for a reading connection. The caller has checked the network. */
export function addFunctions(db: DatabaseSync): void {
  let known: { readonly text: string; readonly holds: (address: string) => boolean } | undefined;
  db.function('in_network', { deterministic: true }, (address, network) => {
    if (typeof address !== 'string' || typeof network !== 'string') return 0;
    if (known?.text !== network) known = { text: network, holds: inNetwork(network) };
    return known.holds(address) ? 1 : 0;
  });
}

function inNetwork(network: string): (address: string) => boolean {
  const [base = '', bits] = network.split('/');
  const family = isIP(base);
  const list = new BlockList();
  if (family !== 0) list.addSubnet(base, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  // BlockList would match ::/0 with every IPv4 address too.
  return (address) => isIP(address) === family && family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The rarest first. Fixed fragments; every value is bound. */
function conditions(filter: AuditFilter): readonly Condition[] {
  const { address, reason, status } = filter;
  return [
    equal('request_id', filter.request),
    equal('flow_run_id', filter.flowRun),
    filter.resource === undefined ? undefined : resourceCondition(filter.resource),
    equal('deployment_id', filter.deployment),
    // Nearly every record has this reason, so no index has it.
    reason === 'policy-permits' ? plain('+reason = ?', reason) : equal('reason', reason, "reason <> 'policy-permits' AND "),
    ...(status === undefined ? [] : [statusCondition(status)]),
    equal('principal', filter.principal),
    filter.principals === undefined ? undefined : plain(`+principal IN (${filter.principals.map(() => '?').join(', ')})`, ...filter.principals),
    filter.onBehalfOf === undefined ? undefined : plain(IN_CHAIN, filter.onBehalfOf, filter.onBehalfOf, filter.onBehalfOf),
    filter.credential === undefined ? undefined : plain('+credential_id = ?', filter.credential),
    address?.includes('/') === true ? plain('in_network(source_ip, ?)', address) : equal('source_ip', address),
    filter.action?.endsWith('.*') === true ? actionRange(filter.action.slice(0, -2)) : equal('action', filter.action),
    // Literal, so that SQLite finds the partial index of denials.
    fixed("decision = 'deny'", filter.decision === 'deny'),
    fixed("+decision = 'allow'", filter.decision === 'allow'),
    fixed(NO_ROUTINE, filter.withoutRoutine === true),
    filter.path === undefined ? undefined : pathCondition(filter.path),
    filter.text === undefined ? undefined : plain(`instr(${NAMES}, lower(?)) > 0`, filter.text),
  ].filter((condition) => condition !== undefined);
}

/** What nobody decided to do: pages and files, polls of workers, probes, and reads of this console. Every denial and every failure stays. */
const NO_ROUTINE =
  "+((decision IS NOT NULL OR action IS NOT NULL OR status >= 400) AND NOT (action IN ('ui.bundle', 'ui.settings', 'worker.poll', 'worker.heartbeat', 'ledger.read', 'access.read', 'gateway.read') AND decision = 'allow' AND status < 400) AND NOT (action IS 'requests.probes' AND tool NOT LIKE '%(503)%'))";

/** The fields with names. lower() handles ASCII only. No field has a line break. */
const NAMES =
  'lower(concat_ws(char(10), principal, on_behalf_of, action, resource_type, resource_id, path, reason, service, tool, user_agent, credential_id, grants))';

const IN_CHAIN = "EXISTS (SELECT 1 FROM json_each(on_behalf_of) WHERE value = ? OR substr(value, 1, length(?) + 1) = ? || '@')";

function equal(column: string, value: string | undefined, partial = ''): Condition | undefined {
  return value === undefined ? undefined : { sql: (indexed) => (indexed ? `${partial}${column} = ?` : `+${column} = ?`), values: [value], indexable: true };
}

function plain(sql: string, ...values: readonly SQLInputValue[]): Condition {
  return { sql: () => sql, values, indexable: false };
}

function fixed(sql: string, applies: boolean): Condition | undefined {
  return applies ? { sql: (indexed) => (indexed || sql.startsWith('+') ? sql : `+${sql}`), values: [], indexable: !sql.startsWith('+') } : undefined;
}

/** Most requests concern the flow run that they are bound to, and use its index. The others have their own. */
function resourceCondition(resource: string): Condition {
  const indexed = '((flow_run_id = ? AND resource_id = ?) OR (resource_id = ? AND resource_id IS NOT flow_run_id))';
  return { sql: (chosen) => (chosen ? indexed : '? = ? AND +resource_id = ?'), values: [resource, resource, resource], indexable: true };
}

/** The index has only failures. */
function statusCondition({ from, to }: NonNullable<AuditFilter['status']>): Condition {
  const partial = 'status >= 400 AND ';
  return { sql: (indexed) => `${indexed ? partial : ''}+status BETWEEN ? AND ?`, values: [from, to], indexable: from >= 400 };
}

/** All actions of a noun. `/` is the character after `.`. */
function actionRange(noun: string): Condition {
  return plain('+action >= ? AND +action < ?', `${noun}.`, `${noun}/`);
}

/** A path, or all paths below one: `/api/deployments/*`. */
function pathCondition(path: string): Condition {
  if (!path.endsWith('*')) return plain('+path = ?', path);
  const start = path.slice(0, -1);
  return plain('substr(path, 1, ?) = ?', start.length, start);
}

interface Part extends Where {
  readonly indexable?: boolean;
}

function period({ since, until }: Pick<AuditFilter, 'since' | 'until'>): readonly Part[] {
  return [...(since === undefined ? [] : [{ sql: 'time >= ?', values: [since] }]), ...(until === undefined ? [] : [{ sql: 'time < ?', values: [until] }])];
}

function joined(parts: readonly Part[]): Where {
  return { sql: ['TRUE', ...parts.map(({ sql }) => sql)].join(' AND '), values: parts.flatMap(({ values }) => values) };
}
