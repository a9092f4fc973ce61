// OTLP logs over HTTP: each record is a LogRecord, and its body has the record's own names.
import type { LedgerExport } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { createPost } from '../post.ts';
import type { Item, Sink } from '../sink.ts';
import { anyValue, attributes, RESOURCE, signalUrl, unixNano } from './otlp-json.ts';

export function createOtlpLogs(config: LedgerExport, clock: Clock): Sink {
  const post = createPost({ ...config, url: signalUrl(config.url, '/v1/logs') });
  return {
    async deliver(batch, signal) {
      const answer = await post.send(logsBody(batch, clock()), { 'content-type': 'application/json' }, signal);
      return { rejected: Math.min(batch.length, rejectedIn(answer)) };
    },
    close: post.close,
  };
}

export function logsBody(batch: readonly Item[], nowMs: number): string {
  const logRecords = batch.map((item) => logRecord(item, nowMs));
  return JSON.stringify({ resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ scope: { name: 'lictor.ledger' }, logRecords }] }] });
}

function logRecord({ record, event, json }: Item, nowMs: number): object {
  if (event !== undefined) return eventRecord(event, json, nowMs);
  const denied = record.decision === 'deny';
  return {
    timeUnixNano: unixNano(Date.parse(record.time)),
    observedTimeUnixNano: unixNano(nowMs),
    // SeverityNumber: 9 INFO, 13 WARN.
    severityNumber: denied ? 13 : 9,
    severityText: denied ? 'WARN' : 'INFO',
    eventName: record.action ?? 'request',
    body: anyValue(withoutNulls(json)),
    attributes: attributes(conventional(record)),
  };
}

/** An event of Prefect is no decision of Lictor, so it is never a warning. */
function eventRecord(event: PrefectEvent, json: string, nowMs: number): object {
  return {
    timeUnixNano: unixNano(Date.parse(event.occurred)),
    observedTimeUnixNano: unixNano(nowMs),
    severityNumber: 9,
    severityText: 'INFO',
    eventName: event.event,
    body: anyValue(withoutNulls(json)),
    attributes: attributes({ 'log.record.uid': event.id, 'prefect.resource.id': event.resource_id, 'prefect.flow_run.id': event.flow_run_id }),
  };
}

function withoutNulls(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) => (value === null ? undefined : value));
}

/** Semantic conventions of OpenTelemetry. Receivers deduplicate by `log.record.uid`. */
function conventional(record: LedgerRecord): Record<string, string | number | null> {
  return {
    'log.record.uid': record.id,
    'user.id': record.principal,
    'client.address': record.source_ip,
    'http.request.method': record.method,
    'url.path': record.path,
    'http.response.status_code': record.status,
    'user_agent.original': record.user_agent,
  };
}

/** `partialSuccess` (opentelemetry-proto, logs_service.proto): a sender MUST NOT send these records again. */
function rejectedIn(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedLogRecords?: unknown } };
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0; // An empty answer, or protobuf: the receiver reports no rejected record.
  }
}
