// Added latency: the same thing done to the stub upstream directly and through the gateway, round by round.
import type { Progress } from '../demo/progress.ts';
import { clientHeaders } from './direct.ts';
import type { BenchGateway } from './gateway.ts';
import { differences, spread } from './numbers.ts';
import type { Added } from './result.ts';
import { interleaved } from './rounds.ts';
import { sendEvents } from './socket.ts';
import { type Load, wrk } from './wrk.ts';

export interface AddedParts {
  readonly gateway: BenchGateway;
  readonly upstreamPort: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly progress: Progress;
}

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const BODY = JSON.stringify({ state: { type: 'RUNNING', name: 'Running', message: null, data: null }, force: false });

/** One client that sets a run's state again and again: authenticated, decided twice, recorded durably before it is forwarded. */
export async function measureMediated(parts: AddedParts): Promise<Added> {
  const { gateway, upstreamPort, seconds } = parts;
  const load = (port: number): Load => ({
    url: `http://127.0.0.1:${port}`,
    method: 'POST',
    path: '/api/flow_runs/{id}/set_state',
    objects: 1,
    headers: { ...clientHeaders(gateway), 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` },
    body: BODY,
    connections: 1,
  });
  return added(parts, 'The mediated path (set_state)', { direct: () => wrk(load(upstreamPort), seconds), gateway: () => wrk(load(gateway.port), seconds) });
}

/** One event at a time on an open `/api/events/in`, from client to upstream. */
export function measureSocket(parts: AddedParts, arrivals: Parameters<typeof sendEvents>[1]): Promise<Added> {
  const { gateway, upstreamPort } = parts;
  const measure = (port: number) => () => sendEvents({ url: `ws://127.0.0.1:${port}`, host: `localhost:${gateway.port}`, token: gateway.token }, arrivals);
  return added(parts, 'One socket message through the relay', { direct: measure(upstreamPort), gateway: measure(gateway.port) });
}

async function added(
  parts: AddedParts,
  what: string,
  measure: { readonly direct: () => Promise<Latency>; readonly gateway: () => Promise<Latency> },
): Promise<Added> {
  const contenders = [
    { name: 'direct', measure: measure.direct },
    { name: 'gateway', measure: measure.gateway },
  ];
  for (const contender of contenders) await contender.measure();
  const measured = await interleaved(contenders, parts.rounds, parts.progress, what);
  const of = (name: string, which: keyof Latency): readonly number[] => (measured.get(name) ?? []).map((one) => one[which]);
  const both = (name: string) => ({ p50Ms: spread(of(name, 'p50Ms')), p99Ms: spread(of(name, 'p99Ms')) });
  const more = (which: keyof Latency) => differences(of('gateway', which), of('direct', which));
  return { direct: both('direct'), gateway: both('gateway'), added: { p50Ms: more('p50Ms'), p99Ms: more('p99Ms') } };
}
