// The shapes that the routes about identities share.
import { z } from 'zod';
import { LOCK_KINDS } from '../../../../contract/lock.ts';
import type { ClientLogin } from '../../../../identity/manage/client-logins.ts';
import type { LockJson } from '../../../../identity/manage/lock-json.ts';
import { KNOWN_BY, PRINCIPAL_KINDS, type PrincipalJson } from '../../../../identity/manage/principals.ts';
import type { SessionJson } from '../../../../identity/manage/sessions.ts';
import type { TokenJson } from '../../../../identity/manage/token-json.ts';

export const text = z.string().nullable();
export const list = z.array(z.string()).readonly();

const MOST = 500;

/** The query of every list. */
export const PAGE = {
  limit: z.coerce.number().int().min(1).max(MOST).default(100).describe(`At most ${MOST}`),
  cursor: z.string().max(1000).optional().describe('`next` of the page before'),
};

export const next = z.string().nullable().describe('The value of `cursor` for the next page; null: this is the last one');

export const roleOrigin = z
  .strictObject({ role: z.string(), scope: text.describe('null: on everything'), from: list.describe('The account, the token, or the lines of lictor.yaml') })
  .meta({ id: 'RoleOrigin' });

export const principal = z
  .strictObject({
    id: z.string(),
    kind: z.enum(PRINCIPAL_KINDS),
    idp: text,
    known_by: z.enum(KNOWN_BY),
    roles: z.array(roleOrigin).readonly(),
    groups: list,
    created_at: text,
    last_seen_at: text,
    last_seen_from: text.describe("The client's address"),
    locked: z.boolean(),
    refused: z.boolean().describe('The identity provider does not confirm the person'),
  })
  .meta({ id: 'Principal' }) satisfies z.ZodType<PrincipalJson>;

export const token = z
  .strictObject({
    name: z.string(),
    id: z.string(),
    principal: z.string(),
    role: z.string(),
    roles: list,
    scope: text,
    cidrs: list,
    state: z.enum(['live', 'unconfirmed', 'expired', 'revoked']),
    created_at: z.string(),
    age_days: z.number(),
    expires_at: text,
    last_used_at: text.describe('null: never'),
    last_used_from: text.describe("The client's address"),
    revoked_at: text,
    live_secrets: z.number(),
    overlap_until: text.describe('Until then, the secret from before the last rotation is valid too'),
    secrets: z
      .array(z.strictObject({ created_at: z.string(), expires_at: text, last_used_at: text, last_used_from: text }))
      .readonly()
      .describe('Those that are valid, the newest first'),
  })
  .meta({ id: 'ServiceToken' }) satisfies z.ZodType<TokenJson>;

export const session = z
  .strictObject({
    id: z.string(),
    principal: z.string(),
    created_at: z.string(),
    last_seen_at: z.string(),
    last_seen_from: text,
    expires_at: z.string(),
    current: z.boolean().describe('The session of this request'),
  })
  .meta({ id: 'Session' }) satisfies z.ZodType<SessionJson & { readonly current: boolean }>;

export const clientLogin = z
  .strictObject({
    id: z.string(),
    principal: z.string(),
    client: z.string(),
    audience: z.string(),
    scopes: list,
    created_at: z.string(),
    last_used_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'ClientLogin' }) satisfies z.ZodType<ClientLogin>;

export const lock = z
  .strictObject({
    what: z.string(),
    kind: z.enum(LOCK_KINDS),
    value: z.string(),
    why: z.string(),
    by: z.string(),
    created_at: z.string(),
    expires_at: text,
    note: text,
  })
  .meta({ id: 'Lock' }) satisfies z.ZodType<LockJson>;
