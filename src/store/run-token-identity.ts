// The identity of a run's worker, as its provider asserted it, in a column: JSON, checked when read.
import type { Identity } from '../contract/identity.ts';
import { corruptColumn, parseColumn, textsOf } from './json-column.ts';

export interface WorkerIdentity extends Identity {
  /** The trusted settings of the provider. If they change, the token is invalid. */
  readonly trust: string;
}

export function identityToColumn(identity: WorkerIdentity | null): string | null {
  return identity === null ? null : JSON.stringify(identity);
}

/** Throws `store-corrupt` when the column is no identity: nothing may be decided on it. */
export function identityFromColumn(column: string | null): WorkerIdentity | null {
  if (column === null) return null;
  const value = parseColumn(column, WHAT);
  if (typeof value !== 'object' || value === null) throw corruptColumn(WHAT);
  const { groups, claims, kind, ...fields }: Readonly<Record<string, unknown>> = { ...value };
  if (typeof claims !== 'object' || claims === null || (kind !== 'user' && kind !== 'service')) throw corruptColumn(WHAT);
  const text = (key: string): string => {
    const found = fields[key];
    if (typeof found !== 'string') throw corruptColumn(WHAT);
    return found;
  };
  return {
    idp: text('idp'),
    subject: text('subject'),
    name: text('name'),
    trust: text('trust'),
    kind,
    groups: textsOf(groups, WHAT),
    claims: Object.fromEntries(Object.entries(claims).map(([key, claim]) => [key, String(claim)])),
  };
}

const WHAT = 'identity of a worker';
