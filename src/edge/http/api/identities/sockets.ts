// GET sockets: the open sockets and tunnels. GET sockets/stream: the same, live. DELETE sockets/{id}: closes one; the client may connect again.
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { OpenSocket } from '../../../../contract/open-socket.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { apiRoute, type CallContext } from '../api-route.ts';
import { liveEvents } from '../live-events.ts';
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

const OF = { principal: z.string().max(1000).optional().describe('Of this principal alone') };

export const sockets = apiRoute({
  method: 'GET',
  path: '/sockets',
  summary: 'List the open sockets and tunnels',
  needs: { action: 'access.read' },
  query: z.strictObject({ ...OF, ...PAGE }),
  answer: z.strictObject({ sockets: z.array(socket).readonly(), next, open: z.number().describe('All of them') }),
  async handle({ query: { principal, ...query }, parts }) {
    const open = openOf(parts, principal);
    const page = pageOf(open, query, ({ id }) => id);
    return { ok: true, body: { sockets: page.items.map(socketJson), next: page.next, open: open.length } };
  },
});

/** More are counted, not shown: those that are open the longest come first. */
const MOST_LIVE = 500;
/** A look at thousands of sockets takes milliseconds. */
const LOOK_MS = 1_000;

export const liveSockets = apiRoute({
  method: 'GET',
  path: '/sockets/stream',
  summary: 'Follow the open sockets: server-sent events named sockets, with the whole list at each change',
  needs: { action: 'access.read' },
  query: z.strictObject(OF),
  answer: z.unknown(),
  mediaType: 'text/event-stream',
  async handle({ query: { principal }, ...context }) {
    const { streams, decider } = context.parts;
    const give = streams.take(context.authorization.principal.id);
    if (give === undefined) return { ok: false, code: 'rate-limited', detail: 'Too many streams are open: close one.' };
    let before = '';
    const events = liveEvents(context.parts, {
      everyMs: LOOK_MS,
      async look() {
        const open = openOf(context.parts, principal);
        const now = JSON.stringify({ open: open.length, sockets: open.slice(0, MOST_LIVE).map(socketJson) });
        if (now === before) return '';
        before = now;
        return `event: sockets\ndata: ${now}\n\n`;
      },
      async recheck() {
        const answer = await decider.authorizeOwn(context.inputs, 'access.read');
        return answer.ok ? null : answer.reason;
      },
    });
    const source = Readable.from(events).once('close', give);
    return { ok: true, send: (reply) => reply.type('text/event-stream').send(source) };
  },
});

function openOf({ sockets: all }: CallContext['parts'], principal: string | undefined): readonly OpenSocket[] {
  return all.list().filter((each) => principal === undefined || each.principal === principal);
}

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
