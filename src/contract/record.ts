// One record of the ledger: the fields of the fixed contract, in its spelling, `cache`, `grants` and `redactions`.

export interface LedgerRecord {
  readonly id: string;
  /** RFC 3339 in UTC, milliseconds. */
  readonly time: string;
  readonly request_id: string | null;
  readonly principal: string | null;
  readonly principal_kind: string | null;
  readonly idp: string | null;
  readonly credential_id: string | null;
  readonly on_behalf_of: readonly string[];
  readonly source_ip: string | null;
  readonly user_agent: string | null;
  readonly method: string | null;
  /** Without the query. */
  readonly path: string | null;
  readonly action: string | null;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly decision: 'allow' | 'deny' | null;
  readonly reason: string | null;
  readonly policies: readonly string[];
  readonly status: number | null;
  readonly bytes: number | null;
  readonly duration_ms: number | null;
  readonly upstream_ms: number | null;
  readonly path_taken: 'direct' | 'mediated' | 'relay' | 'egress' | null;
  readonly flow_run_id: string | null;
  readonly task_run_id: string | null;
  readonly deployment_id: string | null;
  readonly run_binding: 'verified' | 'asserted' | 'none';
  readonly service: string | null;
  /** For a cacheable call: answered from the cache (`hit`; `stale`: after its time), fetched (`miss`; `expired`: again), or not cached (`bypass`). */
  readonly cache: CacheState | null;
  readonly mode: 'enforce' | 'observe' | null;
  readonly revision: number | null;
  readonly session_id: string | null;
  readonly grant_id: string | null;
  readonly approval_id: string | null;
  readonly tool: string | null;
  /** The rights that this change or login gives; null: none. */
  readonly grants: readonly RecordedGrant[] | null;
  /** Secrets that this answer to an agent did not show; null: none. */
  readonly redactions: number | null;
  readonly node: string;
  readonly seq: number;
  /** The hash chain; null until its part is written. Every record has the field. */
  readonly prev_hash: string | null;
  readonly hash: string | null;
}

/** One role as it is given. The order of its names is the order of hashing. */
export interface RecordedGrant {
  readonly expires_at: string | null;
  /** Who holds the role by this: principals, or members as lictor.yaml writes them. */
  readonly members: readonly string[];
  /** Where it may be used from; empty: anywhere. */
  readonly networks: readonly string[];
  readonly role: string;
  /** What gives the role: the token, the account, or the lines of lictor.yaml. */
  readonly rules: readonly string[];
  /** As lictor.yaml writes it; null: on everything. */
  readonly scope: string | null;
}

/** The cache status of a call of a service with a cache. */
export const CACHE_STATES = ['hit', 'miss', 'stale', 'expired', 'bypass'] as const;
export type CacheState = (typeof CACHE_STATES)[number];

/** Allowed, or denied while its principal was observed. */
export function wasForwarded({ decision, mode }: Partial<Pick<LedgerRecord, 'decision' | 'mode'>>): boolean {
  return decision === 'allow' || (decision === 'deny' && mode === 'observe');
}

/** What a writer knows; the ledger adds id, node, seq and the chain. Fields left out are null (lists empty, binding none). */
export type NewRecord = Partial<Omit<LedgerRecord, 'id' | 'node' | 'seq' | 'prev_hash' | 'hash'>> & { readonly time: string };
