// The steps before any outgoing connection: decide, count, resolve the name once, record the intent, connect to one of its addresses.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authorization } from '../../authorization/decide/decider.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { countOf } from '../tunnels/recheck.ts';
import { type ForwardCore, messageOf, recordEnd, recordIntent, recordRefusal, type Session } from './core.ts';
import { dial } from './dial.ts';
import { recheckOne } from './recheck.ts';
import type { Visit } from './visit.ts';

export type Admitted = { readonly ok: true; readonly session: Session; readonly upstream: Socket } | { readonly ok: false; readonly reason: ReasonCode };

/** Every answer has its record: a refusal at once, an allowed connection when `session` ends (`recordEnd`). */
export async function admit(core: ForwardCore, visit: Visit, client: Duplex): Promise<Admitted> {
  const refuse = async (reason: ReasonCode, authorization: Authorization | null): Promise<Admitted> => {
    await recordRefusal(core, visit, reason, authorization);
    return { ok: false, reason };
  };
  const { generation } = core;
  const authorization = await decide(core, visit);
  if (authorization === null) return refuse('gateway-unavailable', null);
  if (!authorization.ok) return refuse(authorization.reason, authorization);
  if (countOf(core.sessions, authorization.principal.id) >= core.limits.perPrincipal) return refuse('rate-limited', authorization);
  const session: Session = { visit, client, authorization, intended: false };
  core.sessions.add(session);
  const opened = await open(core, session, generation).catch((error: unknown): Admitted => {
    core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'a connection of the forward proxy failed');
    client.destroy();
    return { ok: false, reason: 'gateway-unavailable' };
  });
  if (!opened.ok) core.sessions.delete(session);
  return opened;
}

async function open(core: ForwardCore, session: Session, decidedIn: number): Promise<Admitted> {
  const { visit, client, authorization } = session;
  const resolved = await core.resolve(visit.destination.host, authorization.principal.id);
  if (!resolved.ok) {
    await recordRefusal(core, visit, resolved.reason, authorization);
    return resolved;
  }
  // Decided before a security change, and not among the connections that were decided again.
  if (core.generation !== decidedIn) await recheckOne(core, session);
  // The recheck has recorded its refusal.
  if (!core.sessions.has(session)) return { ok: false, reason: 'gateway-unavailable' };
  if (!(await recordIntent(core, session))) return { ok: false, reason: 'ledger-unavailable' };
  const upstream = client.destroyed ? undefined : await connect(core, session, resolved.addresses);
  if (upstream !== undefined) return { ok: true, session, upstream };
  await recordEnd(core, session, { status: client.destroyed ? CLIENT_GONE : 503, reason: 'host-unreachable', bytes: 0 });
  return { ok: false, reason: 'host-unreachable' };
}

/** The status of nginx's log. */
const CLIENT_GONE = 499;

async function connect(core: ForwardCore, { visit, client }: Session, addresses: readonly string[]): Promise<Socket | undefined> {
  const upstream = await dial({ network: core.parts.network, addresses, port: visit.destination.port, timeoutMs: core.limits.connectMs });
  if (upstream === undefined || !client.destroyed) return upstream;
  upstream.destroy();
  return undefined;
}

/** Null: no decision was possible. It is never an allow. */
async function decide(core: ForwardCore, visit: Visit): Promise<Authorization | null> {
  try {
    const authorization = await core.parts.connects.authorize(visit.inputs, visit.destination);
    return !authorization.ok && authorization.reason === 'gateway-unavailable' ? null : authorization;
  } catch (error) {
    core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'a connection of the forward proxy could not be decided');
    return null;
  }
}
