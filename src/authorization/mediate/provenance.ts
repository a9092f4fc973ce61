// Who made it, written into Prefect's own labels; nobody else may write these.

import { field, isList, isObject, type JsonObject, type JsonValue, withoutKeys } from '../../contract/json/tree.ts';
import { RESERVED_LABEL_PREFIX } from '../../contract/names.ts';
import { chainToLabel, MAKER_LABEL, ON_BEHALF_OF_LABEL } from '../../prefect/client/made-by.ts';
import type { Stamp } from './family.ts';

export function isReservedLabel(key: string): boolean {
  return key.startsWith(RESERVED_LABEL_PREFIX);
}

/** Where stock Prefect looks for the trace that a run belongs to (prefect/telemetry/run_telemetry.py of 3.9.1): its root span goes below. */
const TRACE_LABEL = '__OTEL_TRACEPARENT';

/** Labels may be absent, null or an object; anything else is the caller's to refuse. */
export function labelsReadable(body: JsonObject): boolean {
  const labels = field(body, 'labels');
  return labels === undefined || labels === null || isObject(labels);
}

/** The body with the client's own labels, less the reserved ones, plus the stamp. A client's own trace stays: a run that starts another says its own. */
export function stamped(body: JsonObject, stamp: Stamp): JsonObject {
  const labels = field(body, 'labels');
  const tags = field(body, 'tags') ?? [];
  return {
    ...body,
    ...(stamp.tag !== null && isList(tags) && { tags: [...tags, stamp.tag] }),
    labels: {
      ...(stamp.traceparent !== null && { [TRACE_LABEL]: stamp.traceparent }),
      ...(isObject(labels) ? withoutKeys(labels, isReservedLabel) : {}),
      [MAKER_LABEL]: stamp.principal,
      ...(stamp.onBehalfOf.length > 0 && { [ON_BEHALF_OF_LABEL]: chainToLabel(stamp.onBehalfOf) }),
      'lictor.request_id': stamp.requestId,
    },
  };
}

/** For flows and deployments, whose labels their runs inherit: reserved ones are dropped, nothing is stamped. */
export function withoutReservedLabels(tree: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(tree)) return tree;
  const labels = field(tree, 'labels');
  return isObject(labels) ? { ...tree, labels: withoutKeys(labels, isReservedLabel) } : tree;
}
