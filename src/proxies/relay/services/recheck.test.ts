// An open socket of a service that is decided again.
import { expect, it } from 'vitest';
import { bareService } from '../../../config/service.fixture.ts';
import type { ServiceSocketCore, Session } from './core.ts';
import { recheckOne } from './recheck.ts';

const ROUTES = [{ pattern: '/*', methods: ['GET'] }] as const;
const LIVE = bareService('live', ROUTES, { sockets: true, servers: [{ origin: 'http://127.0.0.1:1', weight: 1, backup: false }] });
const MOVED = bareService('live', ROUTES, { sockets: true, servers: [{ origin: 'http://127.0.0.1:2', weight: 1, backup: false }] });

/** Why the socket ends; undefined: it goes on. */
async function endingAfter(services: readonly (typeof LIVE)[], authorize: () => Promise<unknown>): Promise<unknown> {
  const parts = { runtime: () => ({ config: { services }, services: { calls: { authorize } } }), log: { warn: () => undefined }, clock: Date.now };
  const ending = new AbortController();
  const session = { visit: { inputs: { requestId: 'r' } }, call: { service: 'live' }, service: LIVE, ending, authorization: {} };
  await recheckOne({ parts } as unknown as ServiceSocketCore, session as unknown as Session);
  return ending.signal.aborted ? ending.signal.reason : undefined;
}

it('continues while it is allowed and its service is unchanged', async () => {
  expect(await endingAfter([LIVE], async () => ({ ok: true }))).toBeUndefined();
});

it('ends if its service has another address, or is removed', async () => {
  expect(await endingAfter([MOVED], async () => ({ ok: true }))).toBe('service-changed');
  expect(await endingAfter([], async () => ({ ok: true }))).toBe('service-changed');
});

it('ends if no decision is possible', async () => {
  expect(await endingAfter([LIVE], () => Promise.reject(new Error('away')))).toBe('gateway-unavailable');
});
