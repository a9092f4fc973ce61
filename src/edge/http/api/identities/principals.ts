// GET principals, principals/detail and groups: who Lictor knows, how, and with which roles.
import { z } from 'zod';
import { findPrincipal } from '../../../../authorization/explain/principal.ts';
import { clientLogins } from '../../../../identity/manage/client-logins.ts';
import { groupsJson } from '../../../../identity/manage/groups.ts';
import { lockJson } from '../../../../identity/manage/lock-json.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { PRINCIPAL_KINDS, principalPage } from '../../../../identity/manage/principals.ts';
import { tokenJson } from '../../../../identity/manage/token-json.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { refusing } from './changes.ts';
import { sessionsOf } from './sessions.ts';
import { clientLogin, list, lock, next, PAGE, principal, roleOrigin, session, text, token } from './shapes.ts';

const TEXT = z.string().max(200).default('').describe('A part of the name or of a group, in any case');

export const principals = apiRoute({
  method: 'GET',
  path: '/principals',
  summary: 'List people, service tokens or agents',
  needs: { action: 'access.read' },
  query: z.strictObject({ kind: z.enum(PRINCIPAL_KINDS).default('user'), q: TEXT, ...PAGE }),
  answer: z.strictObject({ principals: z.array(principal).readonly(), next }),
  async handle({ query: { q, ...query }, parts }) {
    const page = await principalPage(parts, { ...query, text: q });
    return { ok: true, body: { principals: page.items, next: page.next } };
  },
});

const group = z.strictObject({
  id: z.string(),
  name: z.string(),
  idp: z.string(),
  known_by: z.enum(['scim', 'login', 'configuration']),
  people: z.number().describe('Known people in it'),
  roles: z.array(roleOrigin).readonly(),
});

export const groups = apiRoute({
  method: 'GET',
  path: '/groups',
  summary: 'List groups of identity providers with their roles',
  needs: { action: 'access.read' },
  query: z.strictObject({ q: TEXT, ...PAGE }),
  answer: z.strictObject({ groups: z.array(group).readonly(), next }),
  async handle({ query: { q, ...query }, parts }) {
    const all = (await groupsJson(parts.store.identities, parts.config)).filter(({ id }) => id.toLowerCase().includes(q.toLowerCase()));
    const page = pageOf(all, query, ({ id }) => id);
    return { ok: true, body: { groups: page.items, next: page.next } };
  },
});

const detail = z.strictObject({
  id: z.string(),
  kind: z.string(),
  idp: text,
  groups: list,
  roles: z.array(roleOrigin).readonly(),
  refused_as: text.describe('The reason for which every request is refused; null: none'),
  notes: list,
  locks: z.array(lock).readonly(),
  tokens: z.array(token).readonly(),
  sessions: z.array(session).readonly(),
  logins: z.array(clientLogin).readonly(),
});

export const principalDetail = apiRoute({
  method: 'GET',
  path: '/principals/detail',
  summary: 'Show one principal with its tokens, sessions, logins and locks',
  needs: { action: 'access.read' },
  query: z.strictObject({ id: z.string().min(1).max(1000).describe('alice@corp, token:NAME or agent:NAME') }),
  answer: detail,
  handle: ({ query: { id }, ...call }) => refusing(async () => ({ ok: true, body: await detailOf(id, call) })),
});

async function detailOf(id: string, call: CallContext): Promise<z.input<typeof detail>> {
  const { store, config, clock } = call.parts;
  const found = await findPrincipal(id, { config, store: async () => store, nowMs: clock() });
  const { kind, idp, groups: inGroups } = found.principal;
  const now = { agents: config.agents, nowMs: clock() };
  return {
    ...{ id, kind, idp, groups: inGroups, roles: found.roles, refused_as: found.refusedAs, notes: found.notes },
    locks: (await store.locks.list()).filter((each) => each.value === id || (each.kind === 'idp' && each.value === idp)).map((each) => lockJson(each, config)),
    tokens: (await store.tokens.list()).map((each) => tokenJson(each, now)).filter((each) => each.principal === id && each.state !== 'revoked'),
    sessions: await sessionsOf(id, call),
    logins: (await clientLogins(store, config)).filter((each) => each.principal === id),
  };
}
