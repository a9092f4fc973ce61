// What the control plane answers the command line that asked it to apply own policies.

export interface PolicyRequest {
  /** Who asks, `local:NAME`. */
  readonly by: string;
  /** As in records: who is behind it. */
  readonly onBehalfOf: readonly string[];
  readonly why: string;
}

export type PolicyOutcome =
  | { readonly applied: true; readonly from: number; readonly to: number }
  /** Nothing was changed: the revision stays. */
  | { readonly applied: false; readonly revision: number; readonly why: string };

/** Undefined when it is no such answer. */
export function parsePolicyOutcome(text: string): PolicyOutcome | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('applied' in value)) return undefined;
  if (value.applied === true && 'from' in value && 'to' in value && typeof value.from === 'number' && typeof value.to === 'number') {
    return { applied: true, from: value.from, to: value.to };
  }
  if (value.applied === false && 'revision' in value && 'why' in value && typeof value.revision === 'number' && typeof value.why === 'string') {
    return { applied: false, revision: value.revision, why: value.why };
  }
  return undefined;
}

/** Undefined when it is no such request. */
export function parsePolicyRequest(text: string): PolicyRequest | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('by' in value) || !('why' in value) || !('onBehalfOf' in value)) return undefined;
  const { by, why, onBehalfOf } = value;
  const isWhole = typeof by === 'string' && typeof why === 'string' && Array.isArray(onBehalfOf) && onBehalfOf.every((one) => typeof one === 'string');
  return isWhole ? { by, why, onBehalfOf } : undefined;
}
