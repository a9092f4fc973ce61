// Requests to apply own policies, by the command line and by the console, and their outcome.
import type { PolicyFiles } from './policy-files.ts';
import type { ReasonCode } from './reasons.ts';
import type { NewRecord } from './record.ts';

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

/** A set of the console, which is not on the disk yet. */
export interface DraftRequest extends PolicyRequest {
  readonly files: PolicyFiles;
  /** The revision of the set that the draft was made from; 0: there was none. */
  readonly base: number;
  /** Called before the set comes into force. False: it could not be recorded, and the configuration forbids changes without a record. */
  readonly record: (change: PolicyChange) => Promise<boolean>;
}

/** The fields of each record about a change of own policies. */
export const POLICY_CHANGE = { action: 'policy.apply', resource_type: 'PolicySet' } as const;

export type PolicyChange = Pick<NewRecord, 'reason' | 'decision' | 'revision' | 'resource_id' | 'grants' | 'policies'>;

export type DraftOutcome =
  | Extract<PolicyOutcome, { readonly applied: true }>
  | { readonly applied: false; readonly code: ReasonCode; readonly detail: string | undefined };

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
