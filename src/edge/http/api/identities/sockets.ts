// GET sockets: the open sockets and tunnels. DELETE sockets/{id}: closes one; the client may connect again.
import { z } from 'zod';
import type { OpenSocket } from '../../../../contract/open-socket.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { apiRoute } from '../api-route.ts';
import { recordOrThrow, refusing } from './changes.ts';
import { list, next, PAGE, text } from './shapes.ts';

const socket = z.strictObject({
  id: z.string().describe('`request_id` of its record'),
  kind: z.enum(['prefect', 'service', 'forward']),
  target: z.string().describe('The path, or host and port'),
  principal: z.string(),
  on_behalf_of: list,
  credential_id: z.string(),
  session_id: text,
  address: z.string(),
  user_agent: text,
  since: z.string(),
  worker: text.describe('The name that a worker announced'),
});

export const sockets = apiRoute({
  method: 'GET',
  path: '/sockets',
  summary: 'List the open sockets and tunnels',
  needs: { action: 'access.read' },
  query: z.strictObject({ principal: z.string().max(1000).optional(), ...PAGE }),
  answer: z.strictObject({ sockets: z.array(socket).readonly(), next, open: z.number().describe('All of them') }),
  async handle({ query: { principal, ...query }, parts }) {
    const open = parts.sockets.list().filter((each) => principal === undefined || each.principal === principal);
    const page = pageOf(open, query, ({ id }) => id);
    return { ok: true, body: { sockets: page.items.map(socketJson), next: page.next, open: open.length } };
  },
});

export const closeSocket = apiRoute({
  method: 'DELETE',
  path: '/sockets/{id}',
  summary: 'Close an open socket; its client may connect again',
  needs: { action: 'access.write' },
  params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{1,64}$/) }),
  answer: z.strictObject({ closed: z.string() }),
  handle: ({ params: { id }, parts, record }) =>
    refusing(async () => {
      const notThere = { ok: false, code: 'not-found', detail: 'There is no such socket: it may have closed.' } as const;
      if (!parts.sockets.list().some((each) => each.id === id)) return notThere;
      await recordOrThrow(record, { action: 'socket.close', resource_type: 'Socket', resource_id: id });
      return parts.sockets.close(id) ? { ok: true, body: { closed: id } } : notThere;
    }),
});

function socketJson({ onBehalfOf, credentialId, sessionId, userAgent, sinceMs, ...rest }: OpenSocket): z.input<typeof socket> {
  const since = new Date(sinceMs).toISOString();
  return { ...rest, on_behalf_of: onBehalfOf, credential_id: credentialId, session_id: sessionId, user_agent: userAgent, since };
}
