// Labels and a tag that name the creator of a run. Only Lictor writes them.

import type { Traces } from '../../config/config.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, withoutKeys } from '../../contract/json/tree.ts';
import { RESERVED_LABEL_PREFIX } from '../../contract/names.ts';
import type { Principal } from '../../contract/principal.ts';
import { CREATOR_LABEL, chainToLabel, ON_BEHALF_OF_LABEL } from '../../prefect/client/initiators.ts';
import { traceparentBelow } from '../../record/sinks/spans/context.ts';
import type { MediatedRequest } from './call.ts';
import type { RecordFields } from './conditions.ts';
import type { Stamp } from './handler.ts';
import { startedByTag } from './started-by-tag.ts';

export interface StampConfig {
  readonly startedByTag: boolean;
  /** Null: no traces. */
  readonly traces: Pick<Traces, 'share'> | null;
}

export interface StampedRequest extends Pick<MediatedRequest, 'inputs' | 'headers'> {
  readonly principal: Principal;
  /** What conditions add to its record. */
  readonly record: RecordFields | undefined;
}

/** What Lictor writes into a run that this request creates. */
export function stampOf(config: StampConfig, { principal: { id, onBehalfOf }, inputs: { requestId }, headers, record }: StampedRequest): Stamp {
  return {
    principal: id,
    onBehalfOf,
    requestId,
    tag: config.startedByTag ? startedByTag({ principal: id, onBehalfOf }) : null,
    traceparent: config.traces === null ? null : traceparentBelow({ traceparent: headers['traceparent'], requestId }, config.traces.share),
    approvalId: record?.approval_id ?? null,
  };
}

export function isReservedLabel(key: string): boolean {
  return key.startsWith(RESERVED_LABEL_PREFIX);
}

/** Stock Prefect reads the trace of a run from this label (prefect/telemetry/run_telemetry.py of 3.9.1), and puts its root span below. */
const TRACE_LABEL = '__OTEL_TRACEPARENT';

/** Labels may be absent, null or an object. Handlers reject anything else. */
export function labelsReadable(body: JsonValue | undefined): boolean {
  const labels = field(body, 'labels') ?? null;
  return labels === null || isObject(labels);
}

/** With one key, Prefect creates one run. So an approval that is valid again after a failure of Prefect never starts a second one. */
function approvalKey(body: JsonObject, { approvalId }: Stamp, index: number): JsonObject {
  const isNeeded = approvalId !== null && (field(body, 'idempotency_key') ?? null) === null;
  return isNeeded ? { idempotency_key: `lictor approval ${approvalId} ${index}` } : {};
}

/** `index`: of the run in the request. The body with the stamp, and with the client's own labels except reserved ones. A client's trace label stays: a run that starts another run sends one. */
export function stamped(body: JsonObject, stamp: Stamp, index = 0): JsonObject {
  const labels = field(body, 'labels');
  const tags = field(body, 'tags') ?? [];
  return {
    ...body,
    ...approvalKey(body, stamp, index),
    ...(stamp.tag !== null && isList(tags) && { tags: [...tags, stamp.tag] }),
    labels: {
      ...(stamp.traceparent !== null && { [TRACE_LABEL]: stamp.traceparent }),
      ...(isObject(labels) ? withoutKeys(labels, isReservedLabel) : {}),
      [CREATOR_LABEL]: stamp.principal,
      ...(stamp.onBehalfOf.length > 0 && { [ON_BEHALF_OF_LABEL]: chainToLabel(stamp.onBehalfOf) }),
      'lictor.request_id': stamp.requestId,
    },
  };
}

/** For flows and deployments, whose labels their runs inherit: Lictor drops reserved labels and adds no stamp. */
export function withoutReservedLabels(tree: JsonValue | undefined): JsonValue | undefined {
  const labels = field(tree, 'labels');
  return isObject(tree) && isObject(labels) ? { ...tree, labels: withoutKeys(labels, isReservedLabel) } : tree;
}
