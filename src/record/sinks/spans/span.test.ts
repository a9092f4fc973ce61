import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { accessLine, END_MS, FLOW_RUN } from '../../ledger/lines.fixture.ts';
import { spansOf } from './span.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const ID = '0199c0de00007000800000000000000a';
const routes = createCatalogue();

const spans = (more: Readonly<Record<string, string | number>> = {}, share = 1, id = ID) =>
  spansOf(Buffer.from(accessLine(id, more)), { routes, basePath: '', share });

describe('the spans of a request', () => {
  it('are its time at the edge, and Prefect’s part of it below', () => {
    const [edge, prefect] = spans();
    expect(edge).toMatchObject({
      traceId: ID,
      name: 'flow_runs.read',
      kind: 2,
      startTimeUnixNano: `${END_MS - 250}000000`,
      endTimeUnixNano: `${END_MS}000000`,
    });
    expect(edge).not.toHaveProperty('parentSpanId');
    expect(edge?.['attributes']).toContainEqual({ key: 'prefect.flow_run.id', value: { stringValue: FLOW_RUN } });
    expect(prefect).toMatchObject({ traceId: ID, parentSpanId: edge?.['spanId'], name: 'prefect', kind: 3, startTimeUnixNano: `${END_MS - 200}000000` });
  });

  it('are children of the client’s span, whatever the share of others is', () => {
    expect(spans({ trace: `00-${TRACE}-${PARENT}-01` }, 0)).toMatchObject([{ traceId: TRACE, parentSpanId: PARENT }, { traceId: TRACE }]);
  });

  it.each([
    ['the client has not sampled it', { trace: `00-${TRACE}-${PARENT}-00` }, 1],
    ['no share is taken', {}, 0],
    ['its trace is none and no share is taken', { trace: `00-${'0'.repeat(32)}-${PARENT}-01` }, 0],
    ['its trace is of another version', { trace: `ff-${TRACE}-${PARENT}-01` }, 0],
    ['the line cannot be read', { request_id: '' }, 1],
  ])('are none where %s', (_why, more, share) => {
    expect(spans(more, share)).toEqual([]);
  });

  it('are about the share that is asked for', () => {
    const taken = Array.from({ length: 2_000 }, (_none, index) => spans({}, 0.25, `0199c0de0000700080000000${String(index).padStart(8, '0')}`).length);
    expect(taken.filter((count) => count > 0).length).toBeGreaterThan(400);
    expect(taken.filter((count) => count > 0).length).toBeLessThan(600);
  });

  it('say an error where this side failed, and not where a client did', () => {
    for (const status of [503, 9]) expect(spans({ status })[0]).toMatchObject({ status: { code: 2 } });
    expect(spans({ status: 403 })[0]).not.toHaveProperty('status');
  });
});
