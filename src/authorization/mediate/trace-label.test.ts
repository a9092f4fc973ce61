import { describe, expect, it } from 'vitest';
import { spanIdOf } from '../../record/sinks/spans/context.ts';
import { json, type Options, startMediator } from './mediator.fixture.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const PATH = `/api/deployments/${RUN}/create_flow_run`;
const ID = '0199c0dec0dec0dec0dec0dec0dec0de';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

async function labelOf({ share = 1, labels = {}, traceparent }: { share?: number | null; labels?: object; traceparent?: string } = {}) {
  const config = { publicUrl: { origin: 'https://gate', basePath: '' }, forwardHeaders: [], ledger: { failClosed: true }, startedByTag: false };
  const options: Options = {
    prefect: () => ({ status: 201, body: json({ id: RUN }) }),
    parts: { config: { ...config, traces: share === null ? null : { share } } },
  };
  const gate = startMediator(options);
  const headers = traceparent === undefined ? {} : { traceparent };
  await gate.send({ role: 'operator', path: PATH, body: { state: { type: 'SCHEDULED' }, labels }, headers, inputs: { requestId: ID } });
  return (gate.last() as { labels: Record<string, unknown> }).labels['__OTEL_TRACEPARENT'];
}

describe('the trace of a run that is created', () => {
  it('goes on below the span of its creation, under the request id', async () => {
    expect(await labelOf()).toBe(`00-${ID}-${spanIdOf(ID)}-01`);
  });

  it('is the client’s, where it is in one', async () => {
    expect(await labelOf({ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` })).toBe(`00-${TRACE}-${spanIdOf(ID)}-01`);
  });

  it('is the one that the client has said for the run itself: a run that starts another', async () => {
    const own = `00-${TRACE}-00f067aa0ba902b7-01`;
    expect(await labelOf({ labels: { __OTEL_TRACEPARENT: own } })).toBe(own);
  });

  it.each<[string, Parameters<typeof labelOf>[0]]>([
    ['there are no traces', { share: null }],
    ['it is not sampled', { share: 0 }],
    ['the client has not sampled it', { traceparent: `00-${TRACE}-00f067aa0ba902b7-00` }],
  ])('is not said where %s: stock Prefect begins one of its own', async (_what, setting) => expect(await labelOf(setting)).toBeUndefined());
});
