// One line of nginx's access log -> the record of a request. Every line gives a record.
import type { AccessFacts } from '../../contract/names.ts';
import type { Operation } from '../../contract/operation.ts';
import { isReasonCode, REASONS, type ReasonCode } from '../../contract/reasons.ts';
import { CACHE_STATES, type LedgerRecord, type NewRecord } from '../../contract/record.ts';
import { runBinding } from '../../contract/run-binding.ts';
import { CALL_ACTION, parseServiceOperation, routeId, type ServiceCall } from '../../contract/service-call.ts';
import { parseFacts } from './access-facts.ts';

/** The ledger's view of the action catalogue (src/prefect/catalog/catalogue.ts). */
export interface RouteKnowledge {
  byId(operationId: string): Operation | undefined;
  params(operation: Operation, rawPath: string): Record<string, string> | undefined;
}

export type RequestRecord = NewRecord & { readonly request_id: string };

export type AccessLine =
  | {
      readonly ok: true;
      readonly record: RequestRecord;
      readonly pid: number | null;
      readonly endMs: number;
      readonly taken: string;
    }
  | { readonly ok: false };

const UTF8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const LONGEST_TEXT = 8_192;

/** Raw bytes reach the log: invalid UTF-8 becomes U+FFFD. Not checked here: whether the principal in the facts exists. */
export function parseAccessLine(bytes: Uint8Array, routes: RouteKnowledge, basePath = ''): AccessLine {
  const decoded = UTF8.decode(bytes);
  const line = parseObject(decoded) ?? parseObject(withoutLeadingZeros(decoded));
  const requestId = text(line?.request_id);
  const endMs = endOf(line);
  if (line === undefined || requestId === null || endMs === undefined) return { ok: false };
  const durationMs = seconds(line.duration);
  const startMs = endMs - (durationMs ?? 0);
  if (!isTime(startMs) || !isTime(endMs)) return { ok: false };
  const record: RequestRecord = {
    time: new Date(startMs).toISOString(),
    request_id: requestId,
    ...identity(parseFacts(factsIn(line)), text(line.code) ?? noAnswer(line)),
    source_ip: text(line.addr),
    user_agent: text(line.ua),
    method: text(line.method),
    path: text(line.path)?.split('?', 1)[0] ?? null,
    status: integer(line.status),
    bytes: integer(line.bytes),
    duration_ms: durationMs,
    upstream_ms: seconds(line.upstream),
    path_taken: pathTaken(text(line.taken)),
  };
  return { ok: true, record: withRoute(record, line, routes, basePath), pid: integer(line.pid), endMs, taken: text(line.taken) ?? '' };
}

/** The beginning of a line: an object's first name. Text may end with a brace, but only a comma or a brace follows its quote. */
const LINE_START = /\{"(?=[a-z])/g;

export interface LinePiece {
  readonly bytes: Buffer;
  /** Where it begins in the line. */
  readonly at: number;
}

/**
 * After an interrupted write (full disk, kill), the next line is glued to the rest. Lines are flat objects, and quotes in text are escaped, so no client can
 * forge the beginning of a line.
 */
export function splitGluedLine(bytes: Buffer): readonly LinePiece[] {
  // latin1 has one character for each byte: positions in the text are positions in the bytes.
  const starts = [...bytes.toString('latin1').matchAll(LINE_START)].map(({ index }) => index).filter((at) => at > 0);
  const cuts = [0, ...starts];
  return cuts.map((at, index) => ({ bytes: bytes.subarray(at, cuts[index + 1]), at }));
}

/** Fields beside time and id. */
type Parts = Partial<Omit<NewRecord, 'time' | 'request_id'>>;

type Fields = Readonly<Record<string, unknown>>;

/** The principal and the decision, from the decision's facts. The code of a denial by nginx itself wins over them. */
function identity(facts: AccessFacts | undefined, code: string | null): Parts {
  const reason = code ?? facts?.reason ?? null;
  if (facts === undefined) return { decision: reason === null ? null : 'deny', reason, mode: 'enforce' };
  const { decision, reason: _decided, mode = 'enforce', ...who } = facts;
  const refusesItself = code !== null && refuses(code);
  return { ...who, decision: refusesItself ? 'deny' : decision, reason, mode: refusesItself ? 'enforce' : mode };
}

/** nginx passes on an answer without a status line, with status 009 (HTTP/0.9). No client accepts it (RFC 9112, 2.3). Null: there is a status line. */
function noAnswer({ status, taken }: Fields): ReasonCode | null {
  const number = integer(status);
  if (number === null || number >= 100) return null;
  if (taken === 'egress') return 'service-unavailable';
  return taken === 'direct' ? 'upstream-unavailable' : null;
}

/** Never truncated: truncated facts would name no principal. Lictor writes this text, and nginx bounds its header. */
function factsIn({ facts }: Fields): string | null {
  return typeof facts === 'string' && facts !== '' ? facts : null;
}

/** A 5xx of the gateway after an allow is an outage, not a denial. */
function refuses(code: string): boolean {
  return !isReasonCode(code) || (REASONS[code].status >= 400 && REASONS[code].status < 500);
}

function withRoute(record: RequestRecord, line: Fields, routes: RouteKnowledge, basePath: string): RequestRecord {
  const call = parseServiceOperation(text(line.operation) ?? '');
  if (call !== undefined) return withService(record, line, call);
  const operation = routes.byId(text(line.operation) ?? '');
  const params = operation === undefined ? {} : (routes.params(operation, belowBase(record.path ?? '', basePath)) ?? {});
  const param = (name: string | null | undefined) => (typeof name === 'string' ? (params[name] ?? null) : null);
  const bound = { flow_run_id: param(operation?.flowRunParam), task_run_id: param(operation?.taskRunParam), deployment_id: param(operation?.deploymentParam) };
  return {
    ...record,
    action: record.action ?? operation?.action ?? null,
    resource_type: operation?.resource ?? null,
    resource_id: param(operation?.idParam),
    ...runBinding({
      bound,
      principal: record.principal ?? null,
      claims: { flowRun: line.x_prefect_flow_run_id, deployment: line.claim_deployment_id ?? line.x_prefect_deployment_id },
    }),
  };
}

/** A call without a known route is one of the whole service. */
function withService(record: RequestRecord, line: Fields, call: ServiceCall): RequestRecord {
  const bound = { flow_run_id: null, task_run_id: null, deployment_id: null };
  const claims = { flowRun: line.x_prefect_flow_run_id, deployment: line.x_prefect_deployment_id };
  return {
    ...record,
    action: CALL_ACTION,
    service: call.service,
    cache: CACHE_STATES.find((state) => state === line.cache) ?? null,
    resource_type: call.route === '' ? 'Service' : 'ServiceRoute',
    resource_id: call.route === '' ? call.service : routeId(call),
    ...runBinding({ bound, principal: record.principal ?? null, claims }),
  };
}

function belowBase(path: string, basePath: string): string {
  return basePath !== '' && path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path;
}

function pathTaken(taken: string | null): LedgerRecord['path_taken'] {
  return taken === 'direct' || taken === 'mediated' || taken === 'relay' || taken === 'egress' ? taken : null;
}

function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined; // The caller records it as unreadable.
  }
}

/** `$status` always has three digits: 009 for HTTP/0.9, 000 for no status. JSON allows no leading zeros. */
function withoutLeadingZeros(line: string): string {
  return line.replace(/"status":0+(?=[0-9])/, '"status":');
}

/** `msec` is nginx's clock at the end of the request; `time` is the same as text. */
function endOf(line: Fields | undefined): number | undefined {
  const msec = seconds(line?.msec);
  if (msec !== null) return msec;
  const time = Date.parse(text(line?.time) ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** The last day of a year with four digits: records are sorted by the text of their time. */
const LATEST_MS = Date.UTC(9999, 11, 31);

function isTime(ms: number): boolean {
  return ms >= 0 && ms <= LATEST_MS;
}

function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' && value !== '-' ? value.slice(0, LONGEST_TEXT) : null;
}

function integer(value: unknown): number | null {
  const number = Number(text(value) ?? Number.NaN);
  return Number.isSafeInteger(number) ? number : null;
}

const ONE_NUMBER = /^[0-9]+(?:\.[0-9]+)?$/;

/** Seconds as nginx writes them, several for several upstreams (`0.010, 0.020 : 0.001`) -> their sum in milliseconds. */
function seconds(value: unknown): number | null {
  // The usual case: one number.
  const one = typeof value === 'string' && ONE_NUMBER.test(value) ? Number(value) : value;
  if (typeof one === 'number') return Number.isFinite(one) && one >= 0 ? Math.round(one * 1000) : null;
  const numbers = (text(value) ?? '')
    .split(/[,:\s]+/)
    .filter((part) => /^[0-9]+(?:\.[0-9]+)?$/.test(part))
    .map(Number);
  return numbers.length === 0 ? null : Math.round(numbers.reduce((sum, part) => sum + part, 0) * 1000);
}
