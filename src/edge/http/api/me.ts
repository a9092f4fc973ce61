// GET me: the authenticated principal, its rights on this API, and what a change needs.
import { z } from 'zod';
import type { ActionName } from '../../../contract/operation.ts';
import { EVERY_RECORD } from '../../../contract/record-reader.ts';
import { apiRoute, type CallContext, READ_RECORDS } from './api-route.ts';
import { authorizeReading } from './reading.ts';
import { csrfToken } from './writes.ts';

/** The rights of this API, in the order of `me`. */
export const API_ACTIONS: readonly ActionName[] = ['ledger.read', 'access.read', 'access.write', 'policies.write', 'gateway.read'];

const right = z.strictObject({
  allowed: z.boolean(),
  own_objects_only: z.boolean().describe('The right is about the objects in the scopes of your roles'),
  reason: z.string().nullable().describe('The code of the denial; null: allowed'),
  detail: z.string().nullable().describe('Which role has it'),
});

export const me = apiRoute({
  method: 'GET',
  path: '/me',
  summary: 'Show the authenticated principal and its rights on this API',
  needs: 'credential',
  answer: z.strictObject({
    principal: z.string(),
    principal_kind: z.enum(['user', 'service', 'worker', 'run', 'agent']),
    idp: z.string().nullable(),
    roles: z.array(z.string()),
    credential_id: z.string(),
    carrier: z.string(),
    scopes: z.array(z.string()).nullable(),
    expires_at: z.string().nullable(),
    logged_in_at: z.string().nullable().describe('When the person proved the identity; null: no session, or unknown'),
    csrf_token: z.string().nullable().describe('For changes in this session; null: no session'),
    rights: z.record(z.string(), right).describe('By action'),
  }),
  async handle(call) {
    const { principal, credential } = call.authorization;
    const { sessionId } = credential;
    const session = sessionId === null ? undefined : await call.parts.store.sessions.byId(sessionId);
    return {
      ok: true,
      body: {
        principal: principal.id,
        principal_kind: principal.kind,
        idp: principal.idp,
        roles: [...principal.roles],
        credential_id: credential.id,
        carrier: credential.carrier,
        scopes: credential.scopes === undefined ? null : [...credential.scopes],
        expires_at: textOf(credential.expiresAtMs),
        logged_in_at: textOf(session?.authenticatedMs ?? null),
        csrf_token: sessionId === null ? null : csrfToken(sessionId, call.parts),
        rights: await rightsOf(call),
      },
    };
  },
});

async function rightsOf({ inputs, parts }: CallContext): Promise<Record<string, z.output<typeof right>>> {
  const decided = await Promise.all(API_ACTIONS.map(async (action) => [action, await rightOf(action, inputs, parts)] as const));
  return Object.fromEntries(decided);
}

async function rightOf(action: ActionName, inputs: CallContext['inputs'], { decider }: CallContext['parts']): Promise<z.output<typeof right>> {
  const isReading = action === READ_RECORDS;
  const { authorization, reader } = isReading
    ? await authorizeReading(inputs, decider)
    : { authorization: await decider.authorizeOwn(inputs, action), reader: EVERY_RECORD };
  if (authorization.ok) return { allowed: true, own_objects_only: !reader.everything, reason: null, detail: null };
  return { allowed: false, own_objects_only: false, reason: authorization.reason, detail: authorization.detail ?? null };
}

function textOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
