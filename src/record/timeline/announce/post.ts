// One batch of events to Prefect.
import type { Upstream } from '../../../prefect/client/upstream.ts';
import type { Announcement } from './memory.ts';

/** `later`: Prefect is away or busy. Otherwise the number of events that Prefect rejected for good. */
export type Posted = 'later' | { readonly refused: number };

/** A retry would be rejected too. Any other status may be temporary, for example a credential in rotation or a starting Prefect. */
const REFUSED: ReadonlySet<number> = new Set([400, 409, 413, 422]);

/** Prefect rejects a whole batch for one event, so each event is then sent alone. Prefect recognises accepted events by their ids. */
export async function post(upstream: Pick<Upstream, 'request'>, events: readonly Announcement[], signal: AbortSignal): Promise<Posted> {
  const status = await statusOf(upstream, events, signal);
  if (status !== undefined && status < 300) return { refused: 0 };
  if (status === undefined || !REFUSED.has(status)) return 'later';
  if (events.length === 1) return { refused: 1 };
  let refused = 0;
  for (const event of events) {
    const one = await post(upstream, [event], signal);
    if (one === 'later') return one;
    refused += one.refused;
  }
  return { refused };
}

/** Undefined: no answer. */
async function statusOf(upstream: Pick<Upstream, 'request'>, events: readonly Announcement[], signal: AbortSignal): Promise<number | undefined> {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'lictor-announcements' };
    return (await upstream.request({ method: 'POST', path: '/api/events', headers, body: Buffer.from(JSON.stringify(events)), signal })).status;
  } catch {
    return undefined;
  }
}
