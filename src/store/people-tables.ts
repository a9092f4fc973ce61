// Accounts, people of identity providers, and their logins.
import type { LockKind } from '../contract/lock.ts';
import { bigint, bigintOrNull, column, key, referenceOrNull, table, text, textOrNull } from './table.ts';

export const PEOPLE_TABLES = {
  accounts: table(
    {
      id: key(),
      name: text(),
      roles: text(),
      /** JSON; null: the roles hold on everything. */
      scope: textOrNull(),
      /** argon2id in PHC notation. */
      password: text(),
      created_ms: bigint(),
      removed_ms: bigintOrNull(),
      /** An account that ends by itself; null: it does not. */
      expires_ms: bigintOrNull(),
      /** The last login with its password; null: none. */
      login_ms: bigintOrNull(),
      /** When a restore put it on hold; null: it is not on hold. */
      held_ms: bigintOrNull(),
    },
    'create unique index accounts_live_name on accounts (name) where removed_ms is null',
  ),
  identities: table(
    {
      id: key(),
      idp: text(),
      subject: text(),
      name: text(),
      kind: text<'user' | 'service'>(),
      groups: text(),
      /** JSON object of texts. */
      claims: text(),
      created_ms: bigint(),
      seen_ms: bigint(),
      /** The provider that asserted it (`wordOf`); null: stored before this column. */
      word: textOrNull(),
      /** When the provider refused to confirm the person after it last asserted it; null: it did not. */
      refused_ms: bigintOrNull(),
      /** The user that the provider provisioned for this person (SCIM); null: none. */
      scim_user: textOrNull(),
    },
    'create index identities_by_scim_user on identities (scim_user)',
    'create unique index identities_by_name on identities (idp, name)',
    'create unique index identities_by_subject on identities (idp, subject)',
  ),
  /** A former name of a subject. No other subject gets it until an administrator forgets it. */
  former_names: table(
    {
      idp: text(),
      name: text(),
      subject: text(),
    },
    'constraint former_names_key primary key (idp, name)',
  ),
  sessions: table(
    {
      /** SHA-256 of the cookie's value, hexadecimal: the store cannot give a session away. */
      id: key(),
      /** The owner: a built-in account, or an identity of a provider. The other is null. */
      account_id: referenceOrNull('accounts'),
      identity_id: referenceOrNull('identities'),
      /** The provider's own name for its session (`sid`, SessionIndex). */
      idp_session: textOrNull(),
      /** When the provider must be asked again; null: never. */
      refresh_after_ms: bigintOrNull(),
      /** When the person proved the identity; null: not known. */
      authenticated_ms: bigintOrNull(),
      created_ms: bigint(),
      last_seen_ms: bigint(),
      /** The client's address at that time; null: no request since the login. */
      last_seen_from: textOrNull(),
      expires_ms: bigint(),
    },
    'constraint sessions_one_owner check ((account_id is null) <> (identity_id is null))',
    'create index sessions_by_account on sessions (account_id)',
    'create index sessions_by_identity on sessions (identity_id)',
  ),
  login_attempts: table(
    {
      id: key(),
      return_to: text(),
      /** The provider that the browser was sent to; null: none yet. */
      idp: textOrNull(),
      /** What only this attempt's answer may be checked with (nonce, verifier), sealed. */
      sealed: textOrNull(),
      created_ms: bigint(),
      /** Who made it (`guesserKey` of the address); null: before that was noted. */
      guesser: textOrNull(),
    },
    'create index login_attempts_by_age on login_attempts (created_ms)',
    'create index login_attempts_by_guesser on login_attempts (guesser, created_ms)',
  ),
  idp_tokens: table({
    /** Id of the session or grant that they belong to. */
    owner: key(),
    sealed: text(),
    updated_ms: bigint(),
  }),
  marks: table(
    {
      kind: text(),
      /** SHA-256 of what was used, hexadecimal. */
      id: text(),
      expires_ms: bigint(),
    },
    'constraint marks_key primary key (kind, id)',
    'create index marks_by_age on marks (expires_ms)',
  ),
  locks: table(
    {
      kind: text<LockKind>(),
      value: text(),
      /** 1: set on people of the built-in accounts, whatever their provider is called. */
      of_accounts: column<number>('integer default 0 not null'),
      why: text(),
      locked_by: text(),
      created_ms: bigint(),
      expires_ms: bigintOrNull(),
    },
    'constraint locks_key primary key (kind, value)',
  ),
  observations: table({
    /** `*`, or a role whose binding in lictor.yaml says `observe`. */
    name: key(),
    begun_ms: bigint(),
  }),
  enforcements: table({
    subject: key(),
    enforced_by: text(),
    created_ms: bigint(),
  }),
};
