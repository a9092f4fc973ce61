// What the authorization server stores: grants of clients, their tokens, and the codes that begin grants.
import { bigint, bigintOrNull, integer, key, reference, referenceOrNull, table, text, textOrNull } from './table.ts';

export const GRANT_TABLES = {
  client_grants: table(
    {
      id: key(),
      client_id: text(),
      scopes: text(),
      audience: text(),
      account_id: referenceOrNull('accounts'),
      identity_id: textOrNull(),
      session_id: textOrNull(),
      refresh_after_ms: bigintOrNull(),
      created_ms: bigint(),
      seen_ms: bigint(),
      expires_ms: bigint(),
      ended_ms: bigintOrNull(),
    },
    'constraint client_grants_one_owner check ((account_id is null) <> (identity_id is null))',
    'create index client_grants_by_account_id on client_grants (account_id)',
    'create index client_grants_by_identity_id on client_grants (identity_id)',
    'create index client_grants_by_session_id on client_grants (session_id)',
  ),
  refresh_tokens: table(
    {
      /** SHA-256 of the whole token text, hexadecimal. */
      hash: key(),
      grant_id: reference('client_grants'),
      created_ms: bigint(),
      /** When it was exchanged. A second use ends its grant. */
      used_ms: bigintOrNull(),
    },
    'create index refresh_tokens_by_grant on refresh_tokens (grant_id)',
  ),
  grant_tokens: table(
    {
      id: key(),
      hash: text(),
      grant_id: reference('client_grants'),
      created_ms: bigint(),
      expires_ms: bigint(),
    },
    'create index grant_tokens_by_grant on grant_tokens (grant_id)',
  ),
  device_codes: table(
    {
      id: key(),
      hash: text(),
      user_hash: text(),
      client_id: text(),
      scopes: text(),
      audience: text(),
      openid: integer(),
      address: text(),
      user_agent: text(),
      created_ms: bigint(),
      expires_ms: bigint(),
      interval_ms: bigint(),
      polled_ms: bigintOrNull(),
      state: text<'pending' | 'approved' | 'denied' | 'used'>(),
      grant_id: textOrNull(),
      /** Who made it (`guesserKey` of the address); null: before that was noted. */
      guesser: textOrNull(),
    },
    'create index device_codes_by_guesser on device_codes (guesser, created_ms)',
    'create unique index device_codes_by_user on device_codes (user_hash)',
  ),
  authorization_codes: table(
    {
      id: key(),
      /** SHA-256 of the whole code, hexadecimal. */
      hash: text(),
      grant_id: reference('client_grants'),
      redirect_uri: text(),
      /** SHA-256 of the client's verifier, base64url (RFC 7636). */
      challenge: text(),
      openid: integer(),
      nonce: textOrNull(),
      /** The end of the grant once the code is redeemed. */
      grant_expires_ms: bigint(),
      expires_ms: bigint(),
      used_ms: bigintOrNull(),
    },
    'create index authorization_codes_by_grant on authorization_codes (grant_id)',
  ),
};
