// For tests: an answer, and a probe that returns it.
import type { Probe, ProbeAnswer, ProbeRequest } from './http-probe.ts';

export const AT_MS = Date.parse('2026-01-01T00:00:00.000Z');

export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ProbeAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    ok: true,
    status,
    headers: { 'content-type': 'application/json', date: new Date(AT_MS).toUTCString(), ...headers },
    body: text,
    atMs: AT_MS,
    setCookies: [],
    localAddress: '127.0.0.1',
  };
}

export const PAGE = answer(200, '<!doctype html><title>UI</title>', { 'content-type': 'text/html', server: 'balancer/1' });
export const REFUSED: Probe = { ok: false, error: 'ECONNREFUSED' };

/** The same answer to every request, or by the request. */
export function answering(by: Probe | ((request: ProbeRequest) => Probe)): (request: ProbeRequest) => Promise<Probe> {
  return async (request) => (typeof by === 'function' ? by(request) : by);
}
