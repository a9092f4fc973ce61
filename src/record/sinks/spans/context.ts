// To which trace a request belongs, and which span it is there: made of its id alone, so that who forwards it and who reads its log line say the same.
import { createHash } from 'node:crypto';

export interface Context {
  readonly traceId: string;
  readonly parent: string | undefined;
}

/** Who began the trace has decided about it (its sampled flag); of the others a share is taken. */
export function contextOf(traceparent: string | undefined, requestId: string, share: number): Context | undefined {
  const [, traceId, parent, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (traceId !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(parent ?? ''))
    return (Number.parseInt(flags ?? '0', 16) & 1) === 1 ? { traceId, parent } : undefined;
  const hash = digest(requestId);
  if (Number.parseInt(hash.slice(-8), 16) / 2 ** 32 >= share) return undefined;
  // The request id has the form of a trace's id: whoever has one finds the other.
  return { traceId: /^(?!0{32})[0-9a-f]{32}$/.test(requestId) ? requestId : hash.slice(0, 32), parent: undefined };
}

export function spanIdOf(requestId: string): string {
  return digest(requestId).slice(0, 16);
}

/** W3C Trace Context for what this request begins: below its own span. Null: it is not sampled. */
export function traceparentBelow(request: { readonly traceparent: string | undefined; readonly requestId: string }, share: number): string | null {
  const context = contextOf(request.traceparent, request.requestId, share);
  return context === undefined ? null : `00-${context.traceId}-${spanIdOf(request.requestId)}-01`;
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
