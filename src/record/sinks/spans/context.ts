// The trace and the span of a request, both derived from its id. So the relay that forwards it and the reader of its log line agree.
import { createHash } from 'node:crypto';

export interface Context {
  readonly traceId: string;
  readonly parent: string | undefined;
}

/** The caller's sampled flag decides for a trace that began elsewhere. `share` decides for the others. */
export function contextOf(traceparent: string | undefined, requestId: string, share: number): Context | undefined {
  const [, traceId, parent, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (traceId !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(parent ?? ''))
    return (Number.parseInt(flags ?? '0', 16) & 1) === 1 ? { traceId, parent } : undefined;
  const hash = digest(requestId);
  if (Number.parseInt(hash.slice(-8), 16) / 2 ** 32 >= share) return undefined;
  // A request id has the form of a trace id, so one leads to the other.
  return { traceId: /^(?!0{32})[0-9a-f]{32}$/.test(requestId) ? requestId : hash.slice(0, 32), parent: undefined };
}

export function spanIdOf(requestId: string): string {
  return digest(requestId).slice(0, 16);
}

/** W3C Trace Context for the calls of this request, below its own span. Null: the request is not sampled. */
export function traceparentBelow(request: { readonly traceparent: string | undefined; readonly requestId: string }, share: number): string | null {
  const context = contextOf(request.traceparent, request.requestId, share);
  return context === undefined ? null : `00-${context.traceId}-${spanIdOf(request.requestId)}-01`;
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
