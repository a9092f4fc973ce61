// The tables of SCIM. What each column holds stands in scim-tables.ts.

/** One statement each. */
export const SCIM_SCHEMA: readonly string[] = [
  `create table scim_users (
    id text primary key not null,
    idp text not null,
    user_name text not null,
    user_key text not null,
    external_id text,
    active integer,
    attributes text not null,
    created_ms bigint not null,
    modified_ms bigint not null,
    deleted_ms bigint
  )`,
  `create unique index scim_users_live_name on scim_users (idp, user_key) where deleted_ms is null`,
  `create index scim_users_by_name on scim_users (idp, user_key)`,
  `create index scim_users_by_external_id on scim_users (idp, external_id)`,
  `create index scim_users_by_age on scim_users (idp, created_ms, id)`,
  `create table scim_groups (
    id text primary key not null,
    idp text not null,
    display_name text not null,
    name_key text not null,
    external_id text,
    created_ms bigint not null,
    modified_ms bigint not null
  )`,
  `create unique index scim_groups_by_name on scim_groups (idp, name_key)`,
  `create index scim_groups_by_age on scim_groups (idp, created_ms, id)`,
  `create table scim_members (
    group_id text not null,
    user_id text not null,
    constraint scim_members_key primary key (group_id, user_id)
  )`,
  `create index scim_members_by_user on scim_members (user_id)`,
];
