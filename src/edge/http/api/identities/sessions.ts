// Browser sessions and logins of clients: all of them for those with the right, and for every person the own ones.
import { z } from 'zod';
import { idpOfAccount } from '../../../../identity/authn/accounts/principal.ts';
import { type ClientLogin, clientLogins } from '../../../../identity/manage/client-logins.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { sessionsJson } from '../../../../identity/manage/sessions.ts';
import type { StoredSession } from '../../../../store/sessions.ts';
import { apiRoute, type CallContext, type Result } from '../api-route.ts';
import { recordOrThrow, refusing, takeEffect } from './changes.ts';
import { clientLogin, next, PAGE, session } from './shapes.ts';

type Session = z.output<typeof session>;

/** More sessions of one person are not shown. */
const MOST_OF_ONE = 200;

export const sessions = apiRoute({
  method: 'GET',
  path: '/sessions',
  summary: 'List the browser sessions, newest first',
  needs: { action: 'access.read' },
  query: z.strictObject(PAGE),
  answer: z.strictObject({ sessions: z.array(session).readonly(), next }),
  async handle({ query: { limit, cursor }, ...call }) {
    const after = afterCursor(cursor);
    if (after === 'invalid') return { ok: false, code: 'request-invalid', detail: 'cursor: take `next` of the page before.' };
    const stored = await call.parts.store.sessions.page({ most: limit, ...(after !== undefined && { after }) });
    const last = stored.length === limit ? stored.at(-1) : undefined;
    return { ok: true, body: { sessions: shown(stored, call), next: last === undefined ? null : `${last.createdMs}.${last.id}` } };
  },
});

export const logins = apiRoute({
  method: 'GET',
  path: '/logins',
  summary: 'List the logins of the command line and of OAuth clients',
  needs: { action: 'access.read' },
  query: z.strictObject(PAGE),
  answer: z.strictObject({ logins: z.array(clientLogin).readonly(), next }),
  async handle({ query, parts }) {
    const page = pageOf(await clientLogins(parts.store, parts.config), query, ({ id }) => id);
    return { ok: true, body: { logins: page.items, next: page.next } };
  },
});

export const mySessions = apiRoute({
  method: 'GET',
  path: '/me/sessions',
  summary: 'List your own browser sessions and logins of clients',
  needs: 'credential',
  answer: z.strictObject({ sessions: z.array(session).readonly(), logins: z.array(clientLogin).readonly() }),
  async handle(call) {
    const { id } = call.authorization.principal;
    return { ok: true, body: { sessions: await sessionsOf(id, call), logins: await loginsOf(id, call) } };
  },
});

const ID = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/) });
const ended = z.strictObject({ ended: z.string() });

export const endSession = apiRoute({
  method: 'DELETE',
  path: '/sessions/{id}',
  summary: 'End a browser session, or the login of a client',
  needs: { action: 'access.write' },
  params: ID,
  answer: ended,
  handle: ({ params: { id }, ...call }) => end(id, call),
});

export const endMySession = apiRoute({
  method: 'DELETE',
  path: '/me/sessions/{id}',
  summary: 'End a browser session or a login of a client of your own',
  needs: 'credential',
  refusalsAs: { action: 'session.end', resourceType: 'Session' },
  params: ID,
  answer: ended,
  async handle({ params: { id }, ...call }) {
    const { id: owner } = call.authorization.principal;
    const own = [...(await sessionsOf(owner, call)), ...(await loginsOf(owner, call))];
    // The same answer as for an id that does not exist.
    return own.some((each) => each.id === id) ? await end(id, call) : NOT_THERE;
  },
});

const NOT_THERE = { ok: false, code: 'not-found', detail: 'There is no such session: it may have ended.' } as const;

function end(id: string, { parts, record }: CallContext): Promise<Result<{ ended: string }>> {
  const { sessions: browsers, clientGrants } = parts.store;
  return refusing(async () => {
    const isSession = (await browsers.byId(id)) !== undefined;
    if (!isSession && (await clientGrants.byId(id))?.endedMs !== null) return NOT_THERE;
    const change = isSession ? { action: 'session.end', resource_type: 'Session' } : { action: 'token.revoke', resource_type: 'Login' };
    await recordOrThrow(record, { ...change, resource_id: id });
    if (!(isSession ? await browsers.end(id) : await clientGrants.end(id))) return NOT_THERE;
    await takeEffect(parts);
    return { ok: true, body: { ended: id } };
  });
}

/** Of one principal. */
export async function sessionsOf(principal: string, call: CallContext): Promise<readonly Session[]> {
  const { store, config } = call.parts;
  const at = principal.lastIndexOf('@');
  const [name, idp] = [principal.slice(0, at), principal.slice(at + 1)];
  if (at <= 0) return [];
  const account = await store.accounts.byName(name);
  const isAccount = account !== undefined && idpOfAccount(account, config) === idp;
  const owner = isAccount ? account.id : (await store.identities.standingOf(idp, name))?.identityId;
  return owner === undefined ? [] : shown(await store.sessions.page({ owners: [owner], most: MOST_OF_ONE }), call);
}

async function loginsOf(principal: string, { parts }: CallContext): Promise<readonly ClientLogin[]> {
  return (await clientLogins(parts.store, parts.config)).filter((login) => login.principal === principal);
}

function shown(stored: readonly StoredSession[], { parts, authorization }: CallContext): readonly Session[] {
  const { sessionId } = authorization.credential;
  return sessionsJson(stored, { config: parts.config, nowMs: parts.clock() }).map((each) => ({ ...each, current: each.id === sessionId }));
}

/** Undefined: from the start. */
function afterCursor(cursor: string | undefined): { readonly createdMs: number; readonly id: string } | 'invalid' | undefined {
  if (cursor === undefined) return undefined;
  const [, createdMs, id] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(cursor) ?? [];
  return createdMs === undefined || id === undefined ? 'invalid' : { createdMs: Number(createdMs), id };
}
