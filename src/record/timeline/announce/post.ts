// One batch of announcements to Prefect.
import type { Upstream } from '../../../prefect/client/upstream.ts';
import type { Announcement } from './memory.ts';

/** `later`: Prefect is away or busy. Else how many it did not want, and would not want the next time. */
export type Posted = 'later' | { readonly refused: number };

/** It would be refused again. Everything else may pass: a new credential is on its way, Prefect is starting. */
const REFUSED: ReadonlySet<number> = new Set([400, 409, 413, 422]);

/** Prefect refuses a batch for one of its events: then each is sent by itself. What was taken already it has by its id. */
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

/** Undefined: no answer. The gateway's health says so. */
async function statusOf(upstream: Pick<Upstream, 'request'>, events: readonly Announcement[], signal: AbortSignal): Promise<number | undefined> {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'lictor-announcements' };
    return (await upstream.request({ method: 'POST', path: '/api/events', headers, body: Buffer.from(JSON.stringify(events)), signal })).status;
  } catch {
    return undefined;
  }
}
