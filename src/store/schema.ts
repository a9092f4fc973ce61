// The tables of the store. What each column holds stands in tables.ts.
import { AGENT_SCHEMA } from './agent-schema.ts';
import { NODE_SCHEMA } from './node-tables.ts';
import { SCIM_SCHEMA } from './scim-schema.ts';

/** One statement each, for SQLite; postgres-schema.ts says what differs in Postgres. */
export const SCHEMA: readonly string[] = [
  `create table change_number (
    id integer primary key not null,
    number bigint not null,
    reason text not null
  )`,
  `insert into change_number (id, number, reason) values (1, 1, 'store created')`,
  `create table tokens (
    id text primary key not null,
    name text not null,
    roles text not null,
    cidrs text not null,
    created_ms bigint not null,
    lifetime_ms bigint,
    revoked_ms bigint,
    last_used_ms bigint,
    last_used_from text,
    scope text,
    held_ms bigint
  )`,
  `create unique index tokens_live_name on tokens (name) where revoked_ms is null`,
  `create table token_secrets (
    hash text primary key not null,
    token_id text not null references tokens (id),
    created_ms bigint not null,
    expires_ms bigint,
    last_used_ms bigint,
    last_used_from text
  )`,
  `create index token_secrets_by_token on token_secrets (token_id)`,
  `create table former_secrets (
    hash text primary key not null,
    token_id text not null references tokens (id)
  )`,
  `create table accounts (
    id text primary key not null,
    name text not null,
    roles text not null,
    password text not null,
    created_ms bigint not null,
    removed_ms bigint,
    expires_ms bigint,
    login_ms bigint,
    scope text,
    held_ms bigint
  )`,
  `create unique index accounts_live_name on accounts (name) where removed_ms is null`,
  `create table identities (
    id text primary key not null,
    idp text not null,
    subject text not null,
    name text not null,
    kind text not null,
    "groups" text not null,
    claims text not null,
    created_ms bigint not null,
    seen_ms bigint not null,
    word text,
    refused_ms bigint,
    scim_user text
  )`,
  `create index identities_by_scim_user on identities (scim_user)`,
  `create unique index identities_by_name on identities (idp, name)`,
  `create unique index identities_by_subject on identities (idp, subject)`,
  `create table former_names (
    idp text not null,
    name text not null,
    subject text not null,
    constraint former_names_key primary key (idp, name)
  )`,
  `create table sessions (
    id text primary key not null,
    account_id text references accounts (id),
    identity_id text references identities (id),
    idp_session text,
    refresh_after_ms bigint,
    authenticated_ms bigint,
    created_ms bigint not null,
    last_seen_ms bigint not null,
    last_seen_from text,
    expires_ms bigint not null,
    constraint sessions_one_owner check ((account_id is null) <> (identity_id is null))
  )`,
  `create index sessions_by_account on sessions (account_id)`,
  `create index sessions_by_identity on sessions (identity_id)`,
  `create table login_attempts (
    id text primary key not null,
    return_to text not null,
    created_ms bigint not null,
    idp text,
    sealed text,
    guesser text
  )`,
  `create index login_attempts_by_age on login_attempts (created_ms)`,
  `create index login_attempts_by_guesser on login_attempts (guesser, created_ms)`,
  `create table idp_tokens (
    owner text primary key not null,
    sealed text not null,
    updated_ms bigint not null
  )`,
  `create table marks (
    kind text not null,
    id text not null,
    expires_ms bigint not null,
    constraint marks_key primary key (kind, id)
  )`,
  `create index marks_by_age on marks (expires_ms)`,
  `create table locks (
    kind text not null,
    value text not null,
    why text not null,
    locked_by text not null,
    created_ms bigint not null,
    expires_ms bigint,
    of_accounts integer default 0 not null,
    constraint locks_key primary key (kind, value)
  )`,
  `create table access_tokens (
    id text primary key not null,
    hash text not null,
    audience text,
    idp text,
    subject text,
    name text,
    kind text,
    "groups" text,
    claims text,
    trust text,
    proof text,
    chain text,
    created_ms bigint not null,
    expires_ms bigint not null,
    revoked_ms bigint
  )`,
  `create index access_tokens_by_age on access_tokens (expires_ms)`,
  `create index access_tokens_by_name on access_tokens (idp, name)`,
  `create table makers (
    type text not null,
    id text not null,
    principal text not null,
    made_ms bigint not null,
    constraint makers_key primary key (type, id)
  )`,
  `create index makers_by_principal on makers (principal, type, made_ms)`,
  `create table policy_sets (
    revision bigint primary key not null,
    files text not null,
    applied_by text not null,
    why text not null,
    created_ms bigint not null
  )`,
  `create table client_grants (
    id text primary key not null,
    client_id text not null,
    scopes text not null,
    audience text not null,
    account_id text references accounts (id),
    identity_id text,
    session_id text,
    refresh_after_ms bigint,
    created_ms bigint not null,
    seen_ms bigint not null,
    expires_ms bigint not null,
    ended_ms bigint,
    constraint client_grants_one_owner check ((account_id is null) <> (identity_id is null))
  )`,
  `create index client_grants_by_account_id on client_grants (account_id)`,
  `create index client_grants_by_identity_id on client_grants (identity_id)`,
  `create index client_grants_by_session_id on client_grants (session_id)`,
  `create table refresh_tokens (
    hash text primary key not null,
    grant_id text not null references client_grants (id),
    created_ms bigint not null,
    used_ms bigint
  )`,
  `create index refresh_tokens_by_grant on refresh_tokens (grant_id)`,
  `create table grant_tokens (
    id text primary key not null,
    hash text not null,
    grant_id text not null references client_grants (id),
    created_ms bigint not null,
    expires_ms bigint not null
  )`,
  `create index grant_tokens_by_grant on grant_tokens (grant_id)`,
  `create table device_codes (
    id text primary key not null,
    hash text not null,
    user_hash text not null,
    client_id text not null,
    scopes text not null,
    audience text not null,
    openid integer not null,
    address text not null,
    user_agent text not null,
    created_ms bigint not null,
    expires_ms bigint not null,
    interval_ms bigint not null,
    polled_ms bigint,
    state text not null,
    grant_id text,
    guesser text
  )`,
  `create index device_codes_by_guesser on device_codes (guesser, created_ms)`,
  `create unique index device_codes_by_user on device_codes (user_hash)`,
  `create table authorization_codes (
    id text primary key not null,
    hash text not null,
    grant_id text not null references client_grants (id),
    redirect_uri text not null,
    challenge text not null,
    openid integer not null,
    nonce text,
    grant_expires_ms bigint not null,
    expires_ms bigint not null,
    used_ms bigint
  )`,
  `create index authorization_codes_by_grant on authorization_codes (grant_id)`,
  `create table run_tokens (
    hash text primary key not null,
    id text not null,
    flow_run_id text not null,
    deployment_id text,
    pool text not null,
    state_id text not null,
    worker text not null,
    binding text not null,
    credential_id text not null,
    identity text,
    on_behalf_of text not null,
    minted_ms bigint not null,
    live_ms bigint,
    ended_ms bigint,
    expires_ms bigint not null
  )`,
  `create index run_tokens_by_run on run_tokens (flow_run_id)`,
  `create index run_tokens_by_worker on run_tokens (worker)`,
  `create table known_flows (
    principal text not null,
    flow text not null,
    expires_ms bigint not null,
    constraint known_flows_key primary key (principal, flow)
  )`,
  `create index known_flows_by_age on known_flows (expires_ms)`,
  `create table leases (
    id text primary key not null,
    principal text not null,
    flow_run text,
    expires_ms bigint not null
  )`,
  `create index leases_by_age on leases (expires_ms)`,
  `create index leases_by_principal on leases (principal, expires_ms)`,
  `create table cache_generations (
    service text primary key not null,
    generation bigint not null
  )`,
  `create table observations (
    name text primary key not null,
    begun_ms bigint not null
  )`,
  `create table enforcements (
    subject text primary key not null,
    enforced_by text not null,
    created_ms bigint not null
  )`,
  `create table restores (
    epoch bigint primary key not null,
    backup_id text not null,
    made_ms bigint not null,
    restored_ms bigint not null
  )`,
  `create table ledger_records (
    node text not null,
    seq bigint not null,
    hash text not null,
    body text not null,
    constraint ledger_records_key primary key (node, seq)
  )`,
  `create table ledger_statements (
    node text primary key not null,
    statement text not null,
    signature text not null,
    start_statement text,
    start_signature text
  )`,
  ...AGENT_SCHEMA,
  ...SCIM_SCHEMA,
  ...NODE_SCHEMA,
];

/** In the order of their creation: a row refers only to rows of earlier tables. */
export const SCHEMA_TABLES: readonly string[] = SCHEMA.flatMap((statement) => /^create table (\w+)/.exec(statement)?.[1] ?? []);

/** Those of a backup. The ledger of each node has all records. */
export const STORE_TABLES: readonly string[] = SCHEMA_TABLES.filter((table) => !table.startsWith('ledger_'));
