// The tables of agents and approvals. What each column holds stands in agent-tables.ts.

/** One statement each. */
export const AGENT_SCHEMA: readonly string[] = [
  `create table agent_uses (
    agent text not null,
    kind text not null,
    at_ms bigint not null,
    amount bigint not null,
    constraint agent_uses_key primary key (agent, kind, at_ms)
  )`,
  `create table agent_runs (
    agent text not null,
    id text not null,
    root text not null,
    own integer not null,
    at_ms bigint not null,
    ended_ms bigint,
    reserved integer not null,
    constraint agent_runs_key primary key (agent, id)
  )`,
  `create index agent_runs_by_root on agent_runs (agent, root)`,
  `create table approvals (
    id text primary key not null,
    binding text not null,
    rule text not null,
    requested_by text not null,
    on_behalf_of text not null,
    counted_for text not null,
    credential_id text not null,
    sponsor text,
    approvers text not null,
    action text not null,
    resource_type text not null,
    resource_id text,
    resource_name text,
    shown_arguments text not null,
    arguments_hash text not null,
    revision bigint not null,
    life_ms bigint not null,
    state text not null,
    created_ms bigint not null,
    expires_ms bigint not null,
    decided_by text,
    reason text not null
  )`,
  `create index approvals_by_binding on approvals (binding, expires_ms)`,
  `create index approvals_by_requester on approvals (counted_for, expires_ms)`,
  `create index approvals_by_age on approvals (expires_ms)`,
  `create table taints (
    requester text primary key not null,
    until_ms bigint not null
  )`,
];
