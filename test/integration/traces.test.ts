// Spans at a collector that parses with OpenTelemetry's own definitions; the client's traceparent at Prefect.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, startOtlpCollector } from '../env/collectors.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const FLOW = '/api/flows/0199c0de-0000-7000-8000-00000000000a';
const PARENT = '00f067aa0ba902b7';

let upstream: Recorder;
let gateway: Gateway;
let token: Token;
let collector: Collector;

beforeAll(async () => {
  upstream = await startRecorder();
  const port = await freePort();
  collector = await startOtlpCollector(port);
  gateway = await startGateway({ upstream, config: { traces: { url: `http://127.0.0.1:${port}`, sample: '100%' } } });
  token = await gateway.token('reader', ['viewer']);
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([collector?.stop(), upstream?.close()]);
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: string;
}

/** As the parser of protobuf writes them: ids in base64. */
function spans(): readonly Span[] {
  const bodies = collector.received().map(({ body }) => body as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] });
  return bodies.flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
const of = (trace: string): readonly Span[] => spans().filter(({ traceId }) => traceId === base64(trace));

describe('traces', () => {
  it('of a client go through: to Prefect as they came, with the gateway’s span below the client’s', async () => {
    const traceparent = `00-${TRACE}-${PARENT}-01`;
    await gateway.fetch(FLOW, { token: token.secret, headers: { traceparent } });
    expect(upstream.seen().at(-1)?.headers['traceparent']).toBe(traceparent);
    await waitFor(() => of(TRACE).length === 2, { what: 'the spans of a client’s trace' });
    const [edge, prefect] = of(TRACE);
    expect(edge).toMatchObject({ name: 'flows.read', kind: 'SPAN_KIND_SERVER', parentSpanId: base64(PARENT) });
    expect(prefect).toMatchObject({ name: 'prefect', kind: 'SPAN_KIND_CLIENT', parentSpanId: edge?.spanId });
  });

  it('begin here where there is none, under the request id; none where a client has not sampled it', async () => {
    const unsampled = 'a'.repeat(32);
    await gateway.fetch(FLOW, { token: token.secret, headers: { traceparent: `00-${unsampled}-${PARENT}-00` } });
    await gateway.fetch(FLOW, { token: token.secret, headers: { traceparent: 'x"}\\' } });
    const answer = await gateway.fetch('/api/flow_runs/filter', {
      method: 'POST',
      token: token.secret,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const id = answer.headers.get('x-request-id') ?? '';
    const reads = () => spans().filter(({ name }) => name === 'flows.read').length;
    await waitFor(() => of(id).length > 0 && reads() >= 2, { what: 'the spans of both requests' });
    expect(of(unsampled)).toEqual([]);
    expect(reads()).toBe(2);
  });

  it('go on in the run that a request creates: its label names the span of that request', async () => {
    const maker = await gateway.token('maker', ['deployer']);
    const headers = { 'content-type': 'application/json', traceparent: `00-${'c'.repeat(32)}-${PARENT}-01` };
    const body = JSON.stringify({ flow_id: FLOW.slice(-36), state: { type: 'SCHEDULED' } });
    await gateway.fetch('/api/flow_runs/', { method: 'POST', token: maker.secret, headers, body });
    const sent = upstream.seen().find(({ method, target }) => method === 'POST' && target === '/api/flow_runs/');
    const { labels } = JSON.parse(sent?.body.toString() ?? '{}') as { labels: Record<string, string> };
    await waitFor(() => of('c'.repeat(32)).some(({ kind }) => kind === 'SPAN_KIND_SERVER'), { what: 'the span of the creation' });
    const [edge] = of('c'.repeat(32)).filter(({ kind }) => kind === 'SPAN_KIND_SERVER');
    expect(labels['__OTEL_TRACEPARENT']).toBe(`00-${'c'.repeat(32)}-${Buffer.from(edge?.spanId ?? '', 'base64').toString('hex')}-01`);
  });
});
