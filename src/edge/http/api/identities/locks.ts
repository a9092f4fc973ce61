// Locks: list, set, remove. A person cannot lock themselves out, so an administrator remains.
import { z } from 'zod';
import { type Lock, type LockTarget, lockText } from '../../../../contract/lock.ts';
import { lockOnAddress, lockOnPrincipal } from '../../../../identity/authn/locks.ts';
import { lockJson } from '../../../../identity/manage/lock-json.ts';
import { checkTarget, heldTarget, isWhy, LONGEST_WHY, parseTarget, TARGET_HELP } from '../../../../identity/manage/lock-target.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { duration, recordOrThrow, refusing, takeEffect } from './changes.ts';
import { list, lock, next, PAGE, text } from './shapes.ts';

export const locks = apiRoute({
  method: 'GET',
  path: '/locks',
  summary: 'List the locks that hold',
  needs: { action: 'access.read' },
  query: z.strictObject(PAGE),
  answer: z.strictObject({ locks: z.array(lock).readonly(), next }),
  async handle({ query, parts }) {
    const all = (await parts.store.locks.list()).map((each) => lockJson(each, parts.config));
    const page = pageOf(all, query, ({ what }) => what);
    return { ok: true, body: { locks: page.items, next: page.next } };
  },
});

const what = z.string().min(1).max(1000).describe(TARGET_HELP);

const newLock = z.strictObject({
  what,
  why: z.string().refine(isWhy, `one line of at most ${LONGEST_WHY} characters.`).default(''),
  for: duration.optional().describe('How long it holds: 1h, 30d; left out: until it is removed'),
});

export const setLock = apiRoute({
  method: 'POST',
  path: '/locks',
  summary: 'Lock out a principal, session, provider or network at once',
  needs: { action: 'access.write' },
  body: newLock,
  answer: z.strictObject({ locked: list.describe('All names of a person are locked'), note: text }),
  handle: ({ body, ...call }) =>
    refusing(async () => {
      const { store, config, clock } = call.parts;
      const target = parseTarget(body.what);
      const { note, ofAccounts } = await checkTarget(target, { store, config });
      const expiresMs = body.for === undefined ? null : clock() + body.for;
      const wanted = { ...target, ofAccounts, why: body.why, by: call.authorization.principal.id, expiresMs };
      if (await locksOut(wanted, call)) return { ok: false, code: 'own-access' };
      await recordOrThrow(call.record, { action: 'lock.create', resource_type: 'Lock', resource_id: lockText(target) });
      const locked = await store.locks.put(wanted);
      await takeEffect(call.parts);
      return { ok: true, body: { locked: locked.map((value) => lockText({ kind: target.kind, value })), note } };
    }),
});

export const removeLock = apiRoute({
  method: 'DELETE',
  path: '/locks',
  summary: 'Remove a lock',
  needs: { action: 'access.write' },
  query: z.strictObject({ what }),
  answer: z.strictObject({ unlocked: list }),
  handle: ({ query, parts, record }) =>
    refusing(async () => {
      const { store, config } = parts;
      const target = parseTarget(query.what);
      const found = await heldTarget(target, { store, config });
      const held = await store.locks.heldOn(found);
      if (held.length === 0) return { ok: false, code: 'not-found', detail: 'There is no such lock: it may have ended.' };
      for (const each of held) await recordOrThrow(record, { action: 'lock.remove', resource_type: 'Lock', resource_id: lockText(each) });
      const removed = await store.locks.remove(found);
      await takeEffect(parts);
      return { ok: true, body: { unlocked: removed.map((value) => lockText({ kind: target.kind, value })) } };
    }),
});

/** Asks what every request asks: whether the lock matches the person, the session or the address of this request. */
async function locksOut(wanted: Omit<Lock, 'createdMs'>, { authorization, inputs, parts }: CallContext): Promise<boolean> {
  const wantedLocks = (await namesOf(wanted, parts)).map((value) => ({ ...wanted, value, createdMs: parts.clock() }));
  const alone = { list: async () => wantedLocks };
  const { principal, credential } = authorization;
  const onPrincipal = await lockOnPrincipal({ locks: alone, config: parts.config }, principal, credential);
  return onPrincipal !== undefined || (await lockOnAddress(alone, inputs.address)) !== undefined;
}

/** A lock on a former name of a person also locks the present one. */
async function namesOf({ kind, value }: LockTarget, { store }: CallContext['parts']): Promise<readonly string[]> {
  const at = value.lastIndexOf('@');
  if (kind !== 'principal' || at < 0) return [value];
  const idp = value.slice(at + 1);
  return [value, ...(await store.identities.namesOf(idp, value.slice(0, at))).map((name) => `${name}@${idp}`)];
}
