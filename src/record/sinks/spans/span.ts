// A line of the access log -> OTLP spans: the edge's part of a request and Prefect's part. No code on the request path makes spans.
import type { NewRecord } from '../../../contract/record.ts';
import { parseAccessLine, type RouteKnowledge } from '../../ledger/access-line.ts';
import { attributes, unixNano } from '../kinds/otlp-json.ts';
import { contextOf, digest, spanIdOf } from './context.ts';

export interface SpanSetting {
  readonly routes: RouteKnowledge;
  readonly basePath: string;
  /** The sampled share of traces that begin here, 0 to 1. */
  readonly share: number;
}

/** opentelemetry.proto.trace.v1.Span in JSON. Kind 2 is a server, 3 a client. */
type Span = Readonly<Record<string, unknown>>;

/** Empty for a request that is not sampled, and for an unreadable line. */
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
    // STATUS_CODE_ERROR for a failure of the server (semantic conventions of HTTP servers).
    ...(isFailure(record.status ?? null) && { status: { code: 2 } }),
  };
  return [server, ...upstreamSpan(record, { traceId: context.traceId, parentSpanId: spanId, endMs })];
}

/** A status below 100 stands for an answer without a status line, or for no answer. */
function isFailure(status: number | null): boolean {
  return status !== null && (status >= 500 || status < 100);
}

interface Around {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly endMs: number;
}

/** The log has Prefect's duration, not its start. So the span ends with the request. */
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

/** The header, if nginx logged one in the right form (src/edge/nginx/render-traces.ts). */
function traceparentIn(line: Buffer): string | undefined {
  const [, value] = /"trace":"([0-9a-f-]{55})"/.exec(line.toString('latin1')) ?? [];
  return value;
}
