import { describe, expect, it } from 'vitest';
import { outcomeOf, prefectWith } from './mediator.fixture.ts';

const DEPLOYMENT = '11111111-1111-4111-8111-111111111111';
const RUN = '22222222-2222-4222-8222-222222222222';
const FLOW = '33333333-3333-4333-8333-333333333333';
const CREATE = `POST /api/deployments/${DEPLOYMENT}/create_flow_run`;
const BULK = `POST /api/deployments/${DEPLOYMENT}/create_flow_run/bulk`;
const config = { publicUrl: { origin: 'https://gate', basePath: '' }, forwardHeaders: [], ledger: { failClosed: true }, startedByTag: true, traces: null };
const present = { [`GET /api/flow_runs/${RUN}`]: { id: RUN, tags: ['team-a', 'started-by:alice@local'] } };

/** What Prefect got. */
async function sent(route: string, body: unknown, wanted = true): Promise<unknown> {
  const options = { prefect: prefectWith(present, { status: 201, body: Buffer.from(JSON.stringify({ id: RUN })) }), parts: wanted ? { config } : {} };
  const { gate, result } = await outcomeOf('admin', route, body, options);
  expect(result).toBeLessThan(300);
  return gate.last();
}
const FORGED = ['x', 'started-by:bob@local', ' Started-By:carol'];

describe('the tag started-by', () => {
  it.each([
    [CREATE, {}, ['started-by:admin-one']],
    [CREATE, { tags: ['x'] }, ['x', 'started-by:admin-one']],
    [CREATE, { tags: FORGED }, ['x', 'started-by:admin-one']],
    ['POST /api/flow_runs/', { flow_id: FLOW, tags: FORGED }, ['x', 'started-by:admin-one']],
  ])('is on a run of %s with %j', async (route, body, tags) => {
    const got = await sent(route, body);
    expect(got).toMatchObject({ tags: tags.map((tag) => (tag.startsWith('started-by:') ? expect.stringMatching(/^started-by:\S+$/) : tag)) });
    expect(JSON.stringify(got)).not.toMatch(/bob|carol/i);
  });

  it('is on each of many', async () => {
    const got = await sent(BULK, [{ tags: FORGED }, {}]);
    expect(got).toMatchObject([{ tags: ['x', expect.stringMatching(/^started-by:/)] }, { tags: [expect.stringMatching(/^started-by:/)] }]);
  });

  it('cannot come by a deployment, whose tags its runs inherit', async () => {
    expect(await sent('POST /api/deployments/', { name: 'd', flow_id: FLOW, tags: FORGED })).toMatchObject({ tags: ['x'] });
    expect(await sent(`PATCH /api/deployments/${DEPLOYMENT}`, { tags: FORGED })).toMatchObject({ tags: ['x'] });
  });

  it.each([
    [{ tags: [] }, ['started-by:alice@local']],
    [{ tags: FORGED }, ['x', 'started-by:alice@local']],
  ])('stays on a run whose tags are changed to %j', async (body, tags) => {
    expect(await sent(`PATCH /api/flow_runs/${RUN}`, body)).toEqual({ tags });
  });

  it('is no matter to a change of something else', async () => {
    expect(await sent(`PATCH /api/flow_runs/${RUN}`, { name: 'n' })).toEqual({ name: 'n' });
  });

  it('twin: where it is not wanted, such tags are anybody’s', async () => {
    expect(await sent(CREATE, { tags: FORGED }, false)).toMatchObject({ tags: FORGED });
    expect(await sent(`PATCH /api/flow_runs/${RUN}`, { tags: FORGED }, false)).toEqual({ tags: FORGED });
  });
});
