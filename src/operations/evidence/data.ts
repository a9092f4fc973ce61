// The data of an evidence report, as `lictor evidence --json` prints it. Snake case: this is the wire.

import type { Right } from '../../authorization/policy/rights.ts';
import type { Report } from '../../record/ledger/chain/report.ts';

export interface EvidenceData {
  /** `to`: where the report ends. `ends`: where the period ends, later if the period is not over. */
  readonly period: { readonly from: string; readonly to: string; readonly ends: string };
  readonly made: { readonly at: string; readonly by: string };
  readonly gateway: Gateway;
  readonly activity: Activity;
  readonly principals: readonly PrincipalRow[];
  readonly bindings: readonly BindingRow[];
  readonly agents: readonly AgentRow[];
  readonly joiners: readonly LifecycleRow[];
  readonly leavers: readonly LeaverRow[];
  readonly tokens: readonly TokenRow[];
  readonly policies: { readonly in_force: PolicyRow | null; readonly changes: readonly PolicyRow[] };
  readonly denials: { readonly by_reason: readonly ReasonRow[]; readonly by_principal: readonly DenialRow[] };
  readonly approvals: { readonly rules: readonly ApprovalRuleRow[]; readonly requests: readonly ApprovalRow[] };
  readonly locks: readonly LockRow[];
  /** Administrative changes and events of the gateway itself, in time order. */
  readonly events: readonly EventRow[];
  readonly ledger: LedgerState;
  readonly coverage: readonly RouteRow[];
  readonly boundary: Boundary;
  /** What was left out because there was too much. */
  readonly limits: readonly string[];
}

export interface Gateway {
  readonly public_url: string;
  readonly lictor: string;
  readonly node: string;
  /** Null: not found on this machine. */
  readonly nginx: string | null;
  /** SHA-256 of lictor.yaml, and of the copy in use. Null: there is none. */
  readonly configuration: { readonly file_sha256: string | null; readonly in_use_sha256: string | null };
  readonly sessions: { readonly idle_seconds: number; readonly absolute_seconds: number; readonly command_line_seconds: number };
  readonly ledger_retention_seconds: number | null;
  readonly fail_closed: boolean;
  readonly identity_providers: readonly { readonly id: string; readonly type: string; readonly issuer: string | null }[];
}

export interface Activity {
  readonly records: number;
  readonly requests: number;
  readonly allowed: number;
  readonly denied: number;
  readonly logins: number;
  readonly failed_logins: number;
  /** Anonymous requests that summary records count. */
  readonly anonymous_in_sums: number;
  readonly by_way: Readonly<Record<string, number>>;
  readonly days: readonly { readonly day: string; readonly allowed: number; readonly denied: number }[];
}

export type PrincipalStatus = 'live' | 'locked' | 'revoked' | 'expired' | 'unknown';

/** An agent, its sponsor, and its credential as lictor.yaml writes it. */
export interface AgentRow {
  readonly id: string;
  readonly sponsor: string;
  readonly credential: string;
  readonly roles: readonly string[];
  readonly status: PrincipalStatus;
}

export interface PrincipalRow {
  readonly id: string;
  readonly kind: string;
  readonly idp: string | null;
  /** `unknown`: in the ledger, but no longer in the store or lictor.yaml. */
  readonly status: PrincipalStatus;
  readonly since: string | null;
  /** False: it was created after the period, so it could not use its rights in it. */
  readonly existed_in_period: boolean;
  /** In the period. */
  readonly first_request: string | null;
  readonly last_request: string | null;
  readonly requests: number;
  readonly denials: number;
  readonly roles: readonly RoleRow[];
  /** The smallest built-in role that allows everything the principal did. Null: no single role, or it did nothing. */
  readonly would_suffice: string | null;
  /** Allowed actions that none of its roles gives: an own policy gave them, or an earlier role. */
  readonly beyond_roles: readonly string[];
  readonly notes: readonly string[];
}

export interface RoleRow {
  readonly role: string;
  /** Null: on everything. */
  readonly scope: string | null;
  readonly from: readonly string[];
  /** The number of the role's actions beyond the baseline, and those used in the period. */
  readonly actions: number;
  readonly used: readonly string[];
  readonly unused_groups: readonly string[];
}

export interface BindingRow {
  readonly role: string;
  readonly scope: string | null;
  readonly member: string;
  /** How many of the principals above have the role by it. */
  readonly holders: number;
}

export interface LifecycleRow {
  readonly time: string;
  readonly what: string;
  readonly who: string;
  /** Null: it happened without an administrator, for example an expiry. */
  readonly by: string | null;
}

export interface LeaverRow extends LifecycleRow {
  /** The last allowed request. Null: none in the period. */
  readonly last_allowed: string | null;
  /** True: let in later, and no record gave the right back. */
  readonly let_in_after: boolean;
}

export interface TokenRow {
  readonly name: string;
  readonly id: string;
  readonly roles: readonly string[];
  readonly scope: string | null;
  readonly networks: readonly string[];
  readonly status: 'live' | 'revoked' | 'expired';
  readonly created: string;
  readonly age_days: number;
  /** When its newest secret was made: at its creation, or at the last rotation. */
  readonly secret_since: string | null;
  readonly secret_age_days: number | null;
  readonly live_secrets: number;
  readonly expires: string | null;
  readonly last_used: string | null;
  readonly rotations_in_period: number;
  readonly remarks: readonly string[];
}

export interface PolicyRow {
  readonly revision: number;
  readonly at: string;
  readonly by: string;
  readonly why: string;
  readonly files: readonly string[];
  /** Unified, against the previous set. Empty for the first one in force. */
  readonly diff: string;
}

/** A rule as lictor.yaml has it when the report is made. */
export interface ApprovalRuleRow {
  readonly name: string;
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly approvers: readonly string[];
}

/** What the records of the period say about one approval. Null: no record of the period says it. */
export interface ApprovalRow {
  readonly id: string;
  /** The first request that waited for it. */
  readonly requested: string | null;
  readonly requested_by: string | null;
  readonly action: string | null;
  readonly resource: string | null;
  /** With rejected attempts to decide, in time order. */
  readonly decisions: readonly { readonly time: string; readonly outcome: string; readonly by: string }[];
  /** When the request ran, and the status of its answer. */
  readonly used: string | null;
  readonly status: number | null;
}

export interface ReasonRow {
  readonly reason: string;
  readonly count: number;
}

export interface DenialRow extends ReasonRow {
  /** Null: no known principal. */
  readonly principal: string | null;
  readonly first: string;
  readonly last: string;
  readonly actions: readonly string[];
  /** For `lictor explain`. */
  readonly example: string | null;
}

export interface LockRow {
  readonly target: string;
  readonly why: string;
  readonly by: string;
  readonly since: string;
  readonly until: string | null;
}

export interface EventRow {
  readonly time: string;
  readonly action: string;
  readonly principal: string | null;
  /** The principal, and the person that its environment asserts. */
  readonly by: string | null;
  readonly resource: string | null;
  readonly outcome: string | null;
  readonly gap_ms: number | null;
}

export interface LedgerState {
  /** Null: it could not be verified, and `why` has the reason. */
  readonly report: Report | null;
  readonly why: string | null;
  readonly key_from: 'gateway' | 'none';
}

export interface RouteRow {
  readonly method: string;
  readonly path: string;
  readonly way: string;
  readonly action: string;
  readonly rights: Readonly<Record<string, Right>>;
}

export interface Boundary {
  readonly listen: readonly string[];
  readonly tls: {
    readonly by: 'gateway' | 'proxy in front' | 'none';
    readonly protocols: readonly string[];
    readonly ciphers: string | null;
    readonly strict_transport_security: boolean;
    readonly certificate: CertificateRow | null;
    readonly client_authority: CertificateRow | null;
    readonly revocation_list: boolean;
  };
  readonly trusted_proxies: readonly string[];
  readonly limits: readonly { readonly for: string; readonly per_second: number | null; readonly burst: number | null; readonly concurrency: number | null }[];
  readonly forwarded_headers: readonly string[];
  readonly upstream: {
    readonly servers: readonly string[];
    readonly credential: string;
    /** The time of its file's last change. Null: no file. */
    readonly credential_since: string | null;
    readonly own_authorities: boolean;
  };
}

export interface CertificateRow {
  readonly subject: string;
  readonly issuer: string;
  readonly valid_to: string;
  readonly days_left: number;
  readonly key: string;
  readonly sha256: string;
}
