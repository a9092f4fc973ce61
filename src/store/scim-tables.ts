// The tables of SCIM: users and groups that identity providers provision, and who is in which group.

export interface ScimUserTable {
  readonly id: string;
  readonly idp: string;
  readonly user_name: string;
  /** `user_name` in lower case: SCIM compares it without case. */
  readonly user_key: string;
  readonly external_id: string | null;
  /** 1: active. Null: the provider removed the attribute, which counts as inactive. */
  readonly active: number | null;
  /** JSON object of the other attributes. */
  readonly attributes: string;
  readonly created_ms: number;
  readonly modified_ms: number;
  /** A deleted user stays, so that the person stays out until the provider creates the user again. */
  readonly deleted_ms: number | null;
}

export interface ScimGroupTable {
  readonly id: string;
  readonly idp: string;
  readonly display_name: string;
  /** `display_name` in lower case. */
  readonly name_key: string;
  readonly external_id: string | null;
  readonly created_ms: number;
  readonly modified_ms: number;
}

export interface ScimMemberTable {
  readonly group_id: string;
  readonly user_id: string;
}
