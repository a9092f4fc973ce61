// Service tokens, access tokens and run tokens, and what their holders own in Prefect.
import { bigint, bigintOrNull, key, reference, table, text, textOrNull } from './table.ts';

export const TOKEN_TABLES = {
  tokens: table(
    {
      id: key(),
      name: text(),
      roles: text(),
      /** JSON; null: the roles hold on everything. */
      scope: textOrNull(),
      cidrs: text(),
      created_ms: bigint(),
      /** How long a fresh secret lives; null: for ever. Rotation gives the same again. */
      lifetime_ms: bigintOrNull(),
      revoked_ms: bigintOrNull(),
      last_used_ms: bigintOrNull(),
      /** The client's address at that time. */
      last_used_from: textOrNull(),
      /** When a restore put it on hold; null: it is not on hold. */
      held_ms: bigintOrNull(),
    },
    'create unique index tokens_live_name on tokens (name) where revoked_ms is null',
  ),
  token_secrets: table(
    {
      /** SHA-256 of the whole token text, hexadecimal. */
      hash: key(),
      token_id: reference('tokens'),
      created_ms: bigint(),
      expires_ms: bigintOrNull(),
      last_used_ms: bigintOrNull(),
      last_used_from: textOrNull(),
    },
    'create index token_secrets_by_token on token_secrets (token_id)',
  ),
  /** Secrets that a rotation has removed: valid nowhere, and named in records. */
  former_secrets: table({
    hash: key(),
    token_id: reference('tokens'),
  }),
  access_tokens: table(
    {
      id: key(),
      /** SHA-256 of the whole token text, hexadecimal. */
      hash: text(),
      /** Null: valid at every part of the gateway. */
      audience: textOrNull(),
      /** From here to `proof`: the proven identity. All of them are null when the token has a chain. */
      idp: textOrNull(),
      subject: textOrNull(),
      name: textOrNull(),
      kind: textOrNull<'user' | 'service'>(),
      groups: textOrNull(),
      /** JSON object of texts. */
      claims: textOrNull(),
      trust: textOrNull(),
      proof: textOrNull(),
      /** JSON; null: the holder acts for no other principal. */
      chain: textOrNull(),
      created_ms: bigint(),
      expires_ms: bigint(),
      revoked_ms: bigintOrNull(),
    },
    'create index access_tokens_by_age on access_tokens (expires_ms)',
    'create index access_tokens_by_name on access_tokens (idp, name)',
  ),
  run_tokens: table(
    {
      /** SHA-256 of the whole token text, hexadecimal: the text itself is nowhere. */
      hash: key(),
      id: text(),
      flow_run_id: text(),
      deployment_id: textOrNull(),
      pool: text(),
      /** Id of the SCHEDULED state that the worker was given the run in. */
      state_id: text(),
      /** The worker: its principal, what it is bound by, and what proved it when it began the run. */
      worker: text(),
      binding: text(),
      credential_id: text(),
      /** JSON; null: Lictor looks up a service token or a login each time. */
      identity: textOrNull(),
      /** JSON list, nearest first. */
      on_behalf_of: text(),
      minted_ms: bigint(),
      live_ms: bigintOrNull(),
      ended_ms: bigintOrNull(),
      /** The end, unless it is renewed. */
      expires_ms: bigint(),
    },
    'create index run_tokens_by_run on run_tokens (flow_run_id)',
    'create index run_tokens_by_worker on run_tokens (worker)',
  ),
  known_flows: table(
    {
      principal: text(),
      /** Prefect's id. */
      flow: text(),
      expires_ms: bigint(),
    },
    'constraint known_flows_key primary key (principal, flow)',
    'create index known_flows_by_age on known_flows (expires_ms)',
  ),
  leases: table(
    {
      /** Prefect's id. */
      id: key(),
      principal: text(),
      flow_run: textOrNull(),
      expires_ms: bigint(),
    },
    'create index leases_by_age on leases (expires_ms)',
    'create index leases_by_principal on leases (principal, expires_ms)',
  ),
  makers: table(
    {
      /** Resource type of the catalogue. */
      type: text(),
      /** Prefect's id; a work pool's name. */
      id: text(),
      principal: text(),
      made_ms: bigint(),
    },
    'constraint makers_key primary key (type, id)',
    'create index makers_by_principal on makers (principal, type, made_ms)',
  ),
};
