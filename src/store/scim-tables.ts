// SCIM: users and groups that identity providers provision, and who is in which group.
import { bigint, bigintOrNull, integerOrNull, key, table, text, textOrNull } from './table.ts';

export const SCIM_TABLES = {
  scim_users: table(
    {
      id: key(),
      idp: text(),
      user_name: text(),
      /** `user_name` in lower case: SCIM compares it without case. */
      user_key: text(),
      external_id: textOrNull(),
      /** 1: active. Null: the provider removed the attribute, which counts as inactive. */
      active: integerOrNull(),
      /** JSON object of the other attributes. */
      attributes: text(),
      created_ms: bigint(),
      modified_ms: bigint(),
      /** A deleted user stays, so that the person stays out until the provider creates the user again. */
      deleted_ms: bigintOrNull(),
    },
    'create unique index scim_users_live_name on scim_users (idp, user_key) where deleted_ms is null',
    'create index scim_users_by_name on scim_users (idp, user_key)',
    'create index scim_users_by_external_id on scim_users (idp, external_id)',
    'create index scim_users_by_age on scim_users (idp, created_ms, id)',
  ),
  scim_groups: table(
    {
      id: key(),
      idp: text(),
      display_name: text(),
      /** `display_name` in lower case. */
      name_key: text(),
      external_id: textOrNull(),
      created_ms: bigint(),
      modified_ms: bigint(),
    },
    'create unique index scim_groups_by_name on scim_groups (idp, name_key)',
    'create index scim_groups_by_age on scim_groups (idp, created_ms, id)',
  ),
  scim_members: table(
    {
      group_id: text(),
      user_id: text(),
    },
    'constraint scim_members_key primary key (group_id, user_id)',
    'create index scim_members_by_user on scim_members (user_id)',
  ),
};
