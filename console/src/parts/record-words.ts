// A record in plain words: who, what, decision, and which of it is proven.
import type { components } from '../api/schema.d.ts';

import { policyName } from './policy-words.ts';

export type LedgerRecord = components['schemas']['Record'];

export interface ChainLink {
  readonly name: string;
  /** False: the sender claims it, and nothing proves it. */
  readonly isProven: boolean;
}

const ASSERTED = 'asserted:';

/** The sender, then whom it acts for, nearest first. Empty: nobody is known. */
export function chainOf({ principal, on_behalf_of }: Pick<LedgerRecord, 'principal' | 'on_behalf_of'>): readonly ChainLink[] {
  const names = [...(principal === null ? [] : [principal]), ...on_behalf_of];
  return names.map((name) => ({ name: name.startsWith(ASSERTED) ? name.slice(ASSERTED.length) : name, isProven: !name.startsWith(ASSERTED) }));
}

/** For tags: `observed` was let through although the policies deny it. */
export type Outcome = 'allow' | 'deny' | 'observed' | 'event';

export function outcomeOf({ decision, mode }: Pick<LedgerRecord, 'decision' | 'mode'>): Outcome {
  if (decision === null) return 'event';
  return decision === 'deny' && mode === 'observe' ? 'observed' : decision;
}

/** `was denied`, for the sentence at the top of a record. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  allow: 'was allowed',
  deny: 'was denied',
  observed: 'would be denied',
  event: 'is recorded for',
};

/** `flow run`, from `FlowRun`. */
export function kindWords(type: string): string {
  return type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** What was done: the action, the call of a service, or the plain request. */
export function actionOf({ action, service, method, path }: Pick<LedgerRecord, 'action' | 'service' | 'method' | 'path'>): string {
  if (service !== null) return `${service} ${method ?? ''}`.trim();
  return action ?? `${method ?? ''} ${path ?? ''}`.trim();
}

/** On what: its name or id, with its kind. Undefined: on nothing in particular. */
export function objectOf(
  record: Pick<LedgerRecord, 'resource_type' | 'resource_id' | 'flow_run_id' | 'deployment_id'>,
): { readonly kind: string; readonly id: string } | undefined {
  if (record.resource_id !== null) return { kind: kindWords(record.resource_type ?? 'object'), id: record.resource_id };
  if (record.flow_run_id !== null) return { kind: 'flow run', id: record.flow_run_id };
  return record.deployment_id === null ? undefined : { kind: 'deployment', id: record.deployment_id };
}

/** Who acted, where no principal is known. */
export function withoutPrincipal({ method }: Pick<LedgerRecord, 'method'>): string {
  return method === null ? 'Lictor' : 'not logged in';
}

const REASONS: Readonly<Record<string, string>> = {
  'policy-default-deny': 'no role permits it',
  'policy-forbids': 'a policy forbids it',
  'object-foreign': 'outside the scopes of the roles',
};

/** The reason in words: for an allowed request the role or policy that permits it. Other reasons are codes. */
export function reasonOf({ reason, policies }: Pick<LedgerRecord, 'reason' | 'policies'>): string {
  if (reason === null) return '';
  return reason === 'policy-permits' ? policies.map(policyName).join(', ') : (REASONS[reason] ?? reason);
}

export function durationWords(ms: number | null): string {
  if (ms === null) return '';
  return ms < 1000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 100) / 10} s`;
}

export function bytesWords(bytes: number | null): string {
  if (bytes === null) return '';
  return bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
}
