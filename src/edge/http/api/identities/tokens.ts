// Service tokens: list, create, rotate, revoke. A secret is in the answer that creates it, and nowhere else.
import { z } from 'zod';
import { wireScope } from '../../../../config/sections/roles.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import { parseNetwork } from '../../../../identity/authn/service-token/networks.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import {
  clientEnvironment,
  createServiceToken,
  DEFAULT_OVERLAP_MS,
  rightsProblem,
  rotateServiceToken,
  TOKEN_NAME,
  type TokenChange,
  type TokenParts,
} from '../../../../identity/manage/service-tokens.ts';
import { type TokenState, tokenJson } from '../../../../identity/manage/token-json.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { duration, recordOrThrow, refusing, takeEffect } from './changes.ts';
import { next, PAGE, token } from './shapes.ts';

const STATES = ['live', 'unconfirmed', 'expired', 'revoked'] as const;

export const tokens = apiRoute({
  method: 'GET',
  path: '/tokens',
  summary: 'List the service tokens, without their secrets',
  needs: { action: 'access.read' },
  query: z.strictObject({
    state: z
      .enum([...STATES, 'current', 'any'])
      .default('live')
      .describe('current: all but revoked'),
    used: z.enum(['yes', 'no', 'any']).default('any').describe('no: those that were never used'),
    ...PAGE,
  }),
  answer: z.strictObject({ tokens: z.array(token).readonly(), next }),
  async handle({ query: { state, used, ...query }, parts: { store, config, clock } }) {
    const now = { agents: config.agents, nowMs: clock() };
    const all = (await store.tokens.list()).map((each) => tokenJson(each, now)).filter((each) => isOf(each.state, state));
    const asked = all.filter(({ last_used_at: last }) => used === 'any' || (used === 'no') === (last === null));
    const page = pageOf(asked, query, ({ name, id }) => `${name} ${id}`);
    return { ok: true, body: { tokens: page.items, next: page.next } };
  },
});

function isOf(state: TokenState, asked: TokenState | 'current' | 'any'): boolean {
  return asked === 'any' || asked === state || (asked === 'current' && state !== 'revoked');
}

const NAME = z.string().regex(TOKEN_NAME, 'letters, digits, dot, dash and underscore, at most 64.');
const network = z
  .string()
  .max(64)
  .refine((written) => parseNetwork(written) !== undefined, 'write a network or an address: 10.0.0.0/8 or 192.0.2.7.');

const newToken = z.strictObject({
  name: NAME,
  roles: z.array(z.enum(BUILT_IN_ROLES)).max(BUILT_IN_ROLES.length).default([]).describe('None for an agent: its roles are in lictor.yaml'),
  scope: wireScope.nullable().default(null).describe('On what the roles hold, as in lictor.yaml; null: on everything'),
  cidrs: z.array(network).max(50).default([]).describe('Where it may be used from; none: anywhere'),
  expires: duration.nullable().default(null).describe('When it ends: 24h, 90d; null: never'),
});

const secretOnce = z.strictObject({
  token,
  secret: z.string().describe('Shown in this answer alone'),
  environment: z.record(z.string(), z.string()).describe('For stock clients of Prefect'),
});

export const createToken = apiRoute({
  method: 'POST',
  path: '/tokens',
  summary: 'Create a service token; the answer has its secret, once',
  needs: { action: 'access.write' },
  body: newToken,
  answer: secretOnce,
  handle: ({ body: { expires: lifetimeMs, ...rights }, ...call }) =>
    refusing(async () => {
      const problem = rightsProblem(rights, call.parts.config);
      if (problem !== undefined) return { ok: false, code: 'request-invalid', detail: PROBLEMS[problem] };
      const secret = await createServiceToken(tokenParts(call), { ...rights, roles: [...new Set(rights.roles)], lifetimeMs });
      return await withSecret(rights.name, secret, call);
    }),
});

const PROBLEMS = {
  'role-needed': 'roles: one is needed, because lictor.yaml has no agent of this name with credential: token.',
  'roles-of-agent': 'This name is an agent: its roles and their scopes are in lictor.yaml. Leave roles and scope out.',
} as const;

const ONE = z.strictObject({ name: NAME });

export const rotateToken = apiRoute({
  method: 'POST',
  path: '/tokens/{name}/rotate',
  summary: 'Issue a new secret; the former one is valid for the overlap',
  needs: { action: 'access.write' },
  params: ONE,
  body: z.strictObject({
    overlap: z
      .union([z.literal('0s').transform(() => 0), duration])
      .default(DEFAULT_OVERLAP_MS)
      .describe('0s ends the former secret at once; default: 24h'),
  }),
  answer: secretOnce,
  handle: ({ params: { name }, body: { overlap: overlapMs }, ...call }) =>
    refusing(async () => {
      const stored = await call.parts.store.tokens.byName(name);
      const secret = stored === undefined ? undefined : await rotateServiceToken(tokenParts(call), { token: stored, overlapMs });
      if (secret === undefined) return NOT_THERE;
      await takeEffect(call.parts);
      return await withSecret(name, secret, call);
    }),
});

export const revokeToken = apiRoute({
  method: 'DELETE',
  path: '/tokens/{name}',
  summary: 'Revoke a service token: its next request is denied, its sockets close',
  needs: { action: 'access.write' },
  params: ONE,
  answer: z.strictObject({ revoked: z.string() }),
  handle: ({ params: { name }, parts, record }) =>
    refusing(async () => {
      const stored = await parts.store.tokens.byName(name);
      if (stored === undefined) return NOT_THERE;
      await recordOrThrow(record, { action: 'token.revoke', resource_type: 'ServiceToken', resource_id: name });
      if (!(await parts.store.tokens.revoke(stored.id))) return NOT_THERE;
      await takeEffect(parts);
      return { ok: true, body: { revoked: name } };
    }),
});

const NOT_THERE = { ok: false, code: 'not-found', detail: 'There is no live token of this name.' } as const;

function tokenParts({ parts: { store, config, clock }, record }: CallContext): TokenParts {
  const change = ({ action, name, grants }: TokenChange) => recordOrThrow(record, { action, resource_type: 'ServiceToken', resource_id: name, grants });
  return { store, config, clock, record: change };
}

async function withSecret(name: string, secret: string, { parts: { store, config, clock } }: CallContext): Promise<Result<z.input<typeof secretOnce>>> {
  const stored = await store.tokens.byName(name);
  if (stored === undefined) return NOT_THERE;
  const shown = tokenJson(stored, { agents: config.agents, nowMs: clock() });
  return { ok: true, body: { token: shown, secret, environment: clientEnvironment(secret, config) } };
}
