// A line of the access log -> spans of OTLP: what the edge did with a request, and Prefect's part of it. Nothing on the request's way makes them.
import type { NewRecord } from '../../../contract/record.ts';
import { parseAccessLine, type RouteKnowledge } from '../../ledger/access-line.ts';
import { attributes, unixNano } from '../kinds/otlp-json.ts';
import { contextOf, digest, spanIdOf } from './context.ts';

export interface SpanSetting {
  readonly routes: RouteKnowledge;
  /** `config.publicUrl.basePath`. */
  readonly basePath: string;
  /** Of the traces that begin here: 0 to 1. */
  readonly share: number;
}

/** W3C Trace Context: opentelemetry.proto.trace.v1.Span in JSON. Kinds: 2 is a server's, 3 a client's. */
type Span = Readonly<Record<string, unknown>>;

/** None for a request that is not sampled, or a line that cannot be read. */
export function spansOf(line: Buffer, { routes, basePath, share }: SpanSetting): readonly Span[] {
  const parsed = parseAccessLine(line, routes, basePath);
  if (!parsed.ok) return [];
  const { record } = parsed;
  const context = contextOf(traceparentIn(line), record.request_id, share);
  if (context === undefined) return [];
  const spanId = spanIdOf(record.request_id);
  const startMs = Date.parse(record.time);
  const endMs = startMs + (record.duration_ms ?? 0);
  const server = {
    traceId: context.traceId,
    spanId,
    ...(context.parent !== undefined && { parentSpanId: context.parent }),
    name: record.action ?? record.method ?? 'request',
    kind: 2,
    startTimeUnixNano: unixNano(startMs),
    endTimeUnixNano: unixNano(endMs),
    attributes: attributes(described(record)),
    // STATUS_CODE_ERROR, for what failed on this side (semantic conventions of HTTP servers).
    ...(isFailure(record.status ?? null) && { status: { code: 2 } }),
  };
  return [server, ...upstreamSpan(record, { traceId: context.traceId, parentSpanId: spanId, endMs })];
}

/** Below 100 stands for an answer without a status line, and for none. */
function isFailure(status: number | null): boolean {
  return status !== null && (status >= 500 || status < 100);
}

interface Around {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly endMs: number;
}

/** The log says how long Prefect took, and not when it began: it is taken to have ended with the request. */
function upstreamSpan({ request_id: id, upstream_ms: ms }: NewRecord, { traceId, parentSpanId, endMs }: Around): readonly Span[] {
  if (ms === null || ms === undefined) return [];
  return [
    {
      traceId,
      spanId: digest(`${id ?? ''} prefect`).slice(0, 16),
      parentSpanId,
      name: 'prefect',
      kind: 3,
      startTimeUnixNano: unixNano(endMs - ms),
      endTimeUnixNano: unixNano(endMs),
      attributes: [],
    },
  ];
}

function described(record: NewRecord): Record<string, unknown> {
  return {
    'http.request.method': record.method,
    'url.path': record.path,
    'http.response.status_code': record.status,
    'client.address': record.source_ip,
    'user.id': record.principal,
    'lictor.request_id': record.request_id,
    'lictor.decision': record.decision,
    'lictor.reason': record.reason,
    'lictor.path_taken': record.path_taken,
    'prefect.flow_run.id': record.flow_run_id,
    'prefect.deployment.id': record.deployment_id,
  };
}

/** What nginx wrote of the header, if it has its form (src/edge/nginx/render-traces.ts). */
function traceparentIn(line: Buffer): string | undefined {
  const [, value] = /"trace":"([0-9a-f-]{55})"/.exec(line.toString('latin1')) ?? [];
  return value;
}
