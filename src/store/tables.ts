// The store's tables as Kysely sees them. Times are epoch milliseconds, lists are JSON text, ids are text: the same in SQLite and Postgres.
import type { LockKind } from '../contract/lock.ts';
import type { AgentRunTable, AgentUseTable, ApprovalTable, AuthorizationCodeTable, TaintTable } from './agent-tables.ts';
import type { LeaseTable } from './leases.ts';
import type { DutyTable, NodeTable, PublishedRevisionTable, SharedKeyTable } from './node-tables.ts';
import type { EnforcementTable, ObservationTable } from './observations.ts';
import type { RestoreTable } from './restores.ts';
import type { ScimGroupTable, ScimMemberTable, ScimUserTable } from './scim-tables.ts';
import type { FormerSecretTable, TokenSecretTable, TokenTable } from './token-tables.ts';

export interface Tables {
  readonly change_number: { readonly id: 1; readonly number: number; readonly reason: string };
  readonly tokens: TokenTable;
  readonly token_secrets: TokenSecretTable;
  readonly former_secrets: FormerSecretTable;
  readonly accounts: AccountTable;
  readonly sessions: SessionTable;
  readonly login_attempts: LoginAttemptTable;
  readonly identities: IdentityTable;
  readonly former_names: FormerNameTable;
  readonly idp_tokens: IdpTokenTable;
  readonly marks: MarkTable;
  readonly locks: LockTable;
  readonly access_tokens: AccessTokenTable;
  readonly ledger_records: LedgerRecordTable;
  readonly ledger_statements: LedgerStatementTable;
  readonly makers: MakerTable;
  readonly policy_sets: PolicySetTable;
  readonly client_grants: ClientGrantTable;
  readonly refresh_tokens: RefreshTokenTable;
  readonly grant_tokens: GrantTokenTable;
  readonly device_codes: DeviceCodeTable;
  readonly authorization_codes: AuthorizationCodeTable;
  readonly run_tokens: RunTokenTable;
  readonly known_flows: KnownFlowTable;
  readonly leases: LeaseTable;
  readonly cache_generations: CacheGenerationTable;
  readonly agent_uses: AgentUseTable;
  readonly agent_runs: AgentRunTable;
  readonly approvals: ApprovalTable;
  readonly taints: TaintTable;
  readonly scim_users: ScimUserTable;
  readonly scim_groups: ScimGroupTable;
  readonly scim_members: ScimMemberTable;
  readonly observations: ObservationTable;
  readonly enforcements: EnforcementTable;
  readonly restores: RestoreTable;
  readonly published_revision: PublishedRevisionTable;
  readonly nodes: NodeTable;
  readonly shared_keys: SharedKeyTable;
  readonly duties: DutyTable;
}

interface CacheGenerationTable {
  readonly service: string;
  readonly generation: number;
}

interface KnownFlowTable {
  readonly principal: string;
  /** Prefect's id. */
  readonly flow: string;
  readonly expires_ms: number;
}

interface MakerTable {
  /** Resource type of the catalogue. */
  readonly type: string;
  /** Prefect's id; a work pool's name. */
  readonly id: string;
  readonly principal: string;
  readonly made_ms: number;
}

interface AccountTable {
  readonly id: string;
  readonly name: string;
  readonly roles: string;
  /** JSON; null: the roles hold on everything. */
  readonly scope: string | null;
  /** argon2id in PHC notation. */
  readonly password: string;
  readonly created_ms: number;
  readonly removed_ms: number | null;
  /** An account that ends by itself; null: it does not. */
  readonly expires_ms: number | null;
  /** The last login with its password; null: none. */
  readonly login_ms: number | null;
  /** When a restore put it on hold; null: it is not on hold. */
  readonly held_ms: number | null;
}

interface SessionTable {
  /** SHA-256 of the cookie's value, hexadecimal: the store cannot give a session away. */
  readonly id: string;
  /** The owner: a built-in account, or an identity of a provider. The other is null. */
  readonly account_id: string | null;
  readonly identity_id: string | null;
  /** The provider's own name for its session (`sid`, SessionIndex). */
  readonly idp_session: string | null;
  /** When the provider must be asked again; null: never. */
  readonly refresh_after_ms: number | null;
  /** When the person proved the identity; null: not known. */
  readonly authenticated_ms: number | null;
  readonly created_ms: number;
  readonly last_seen_ms: number;
  /** The client's address at that time; null: no request since the login. */
  readonly last_seen_from: string | null;
  readonly expires_ms: number;
}

interface LoginAttemptTable {
  readonly id: string;
  readonly return_to: string;
  /** The provider that the browser was sent to; null: none yet. */
  readonly idp: string | null;
  /** What only this attempt's answer may be checked with (nonce, verifier), sealed. */
  readonly sealed: string | null;
  readonly created_ms: number;
  /** Who made it (`guesserKey` of the address); null: before that was noted. */
  readonly guesser: string | null;
}

interface IdentityTable {
  readonly id: string;
  readonly idp: string;
  readonly subject: string;
  readonly name: string;
  readonly kind: 'user' | 'service';
  readonly groups: string;
  /** JSON object of texts. */
  readonly claims: string;
  readonly created_ms: number;
  readonly seen_ms: number;
  /** The provider that asserted it (`wordOf`); null: stored before this column. */
  readonly word: string | null;
  /** When the provider refused to confirm the person after it last asserted it; null: it did not. */
  readonly refused_ms: number | null;
  /** The user that the provider provisioned for this person (SCIM); null: none. */
  readonly scim_user: string | null;
}

/** A former name of a subject. No other subject gets it until an administrator forgets it. */
interface FormerNameTable {
  readonly idp: string;
  readonly name: string;
  readonly subject: string;
}

interface IdpTokenTable {
  /** Id of the session or grant that they belong to. */
  readonly owner: string;
  readonly sealed: string;
  readonly updated_ms: number;
}

interface MarkTable {
  readonly kind: string;
  /** SHA-256 of what was used, hexadecimal. */
  readonly id: string;
  readonly expires_ms: number;
}

interface LockTable {
  readonly kind: LockKind;
  readonly value: string;
  /** 1: set on people of the built-in accounts, whatever their provider is called. */
  readonly of_accounts: number;
  readonly why: string;
  readonly locked_by: string;
  readonly created_ms: number;
  readonly expires_ms: number | null;
}

interface AccessTokenTable {
  readonly id: string;
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  /** Null: valid at every part of the gateway. */
  readonly audience: string | null;
  /** From here to `proof`: the proven identity. All of them are null when the token has a chain. */
  readonly idp: string | null;
  readonly subject: string | null;
  readonly name: string | null;
  readonly kind: 'user' | 'service' | null;
  readonly groups: string | null;
  /** JSON object of texts. */
  readonly claims: string | null;
  readonly trust: string | null;
  readonly proof: string | null;
  /** JSON; null: the holder acts for no other principal. */
  readonly chain: string | null;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly revoked_ms: number | null;
}

interface PolicySetTable {
  readonly revision: number;
  /** JSON object: file name -> text. */
  readonly files: string;
  readonly applied_by: string;
  readonly why: string;
  readonly created_ms: number;
}

interface ClientGrantTable {
  readonly id: string;
  readonly client_id: string;
  readonly scopes: string;
  readonly audience: string;
  readonly account_id: string | null;
  readonly identity_id: string | null;
  readonly session_id: string | null;
  readonly refresh_after_ms: number | null;
  readonly created_ms: number;
  readonly seen_ms: number;
  readonly expires_ms: number;
  readonly ended_ms: number | null;
}

interface RefreshTokenTable {
  /** SHA-256 of the whole token text, hexadecimal. */
  readonly hash: string;
  readonly grant_id: string;
  readonly created_ms: number;
  /** When it was exchanged. A second use ends its grant. */
  readonly used_ms: number | null;
}

interface GrantTokenTable {
  readonly id: string;
  readonly hash: string;
  readonly grant_id: string;
  readonly created_ms: number;
  readonly expires_ms: number;
}

interface DeviceCodeTable {
  readonly id: string;
  readonly hash: string;
  readonly user_hash: string;
  readonly client_id: string;
  readonly scopes: string;
  readonly audience: string;
  readonly openid: number;
  readonly address: string;
  readonly user_agent: string;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly interval_ms: number;
  readonly polled_ms: number | null;
  readonly state: 'pending' | 'approved' | 'denied' | 'used';
  readonly grant_id: string | null;
  /** Who made it (`guesserKey` of the address); null: before that was noted. */
  readonly guesser: string | null;
}

interface RunTokenTable {
  /** SHA-256 of the whole token text, hexadecimal: the text itself is nowhere. */
  readonly hash: string;
  readonly id: string;
  readonly flow_run_id: string;
  readonly deployment_id: string | null;
  readonly pool: string;
  /** Id of the SCHEDULED state that the worker was given the run in. */
  readonly state_id: string;
  /** The worker: its principal, what it is bound by, and what proved it when it began the run. */
  readonly worker: string;
  readonly binding: string;
  readonly credential_id: string;
  /** JSON; null: Lictor looks up a service token or a login each time. */
  readonly identity: string | null;
  /** JSON list, nearest first. */
  readonly on_behalf_of: string;
  readonly minted_ms: number;
  readonly live_ms: number | null;
  readonly ended_ms: number | null;
  /** The end, unless it is renewed. */
  readonly expires_ms: number;
}

/** The records of all nodes' ledgers, until every node has them and retention deletes them. */
interface LedgerRecordTable {
  readonly node: string;
  readonly seq: number;
  /** As in the record. */
  readonly hash: string;
  /** JSON: the record, and the events of Prefect that it covers. */
  readonly body: string;
}

/** The last head that each node signed. The records up to it are there. */
interface LedgerStatementTable {
  readonly node: string;
  readonly statement: string;
  readonly signature: string;
  /** The head of another node, which names where this chain begins. Null: only its own node deleted records. */
  readonly start_statement: string | null;
  readonly start_signature: string | null;
}
