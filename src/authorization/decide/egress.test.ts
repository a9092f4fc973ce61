// The run that calls a service or goes out: what says whose it is comes from its deployment, and not from itself.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../contract/json/tree.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere } from '../../contract/scope.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { createObjectCache } from '../../prefect/client/object-cache.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { runOf } from './egress.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const DEPLOYMENT = '0199c0de-0000-7000-8000-00000000000d';
const principal: Principal = {
  ...{ id: `run:${RUN}`, kind: 'run', idp: null, roles: ['run'], grants: everywhere(['run']) },
  ...{ groups: [], attributes: { flow_run_id: RUN }, onBehalfOf: [] },
};

/** A Prefect with this run and this deployment, behind the cache that decisions have. */
function world(run: JsonObject, deployment: JsonObject | Error | null) {
  const asked: string[] = [];
  let nowMs = 0;
  const answers = async (path: string) => {
    asked.push(path);
    if (path === `/api/flow_runs/${RUN}`) return { id: RUN, deployment_id: DEPLOYMENT, work_pool_name: 'etl', ...run };
    if (path !== `/api/deployments/${DEPLOYMENT}`) return null;
    if (deployment instanceof Error) throw deployment;
    return deployment === null ? null : { id: DEPLOYMENT, name: 'prod', ...deployment };
  };
  const { lookup } = createObjectCache(answers, () => nowMs);
  const entities = createEntities({ lookup, lasting: lookup, makerOf: async () => null });
  return { asked, entities, tags: async () => (await runOf(entities, principal))?.tags, later: (ms: number) => (nowMs += ms) };
}

describe('the tags of a run that calls', () => {
  it.each<[string, JsonObject, JsonObject | null, readonly string[]]>([
    ['are those of its deployment that it has', { tags: ['team-a', 'nightly'] }, { tags: ['team-a', 'nightly', 'cold'] }, ['team-a', 'nightly']],
    ['are without those that it has given itself', { tags: ['team-b', 'team-a'] }, { tags: ['team-b'] }, ['team-b']],
    ['are none where it has let go of them', { tags: [] }, { tags: ['team-a'] }, []],
    ['are none without a deployment', { tags: ['team-a'], deployment_id: null }, { tags: ['team-a'] }, []],
    ['are none when the deployment is gone', { tags: ['team-a'] }, null, []],
    ['are compared to the letter', { tags: ['Team-A', 'team-a '] }, { tags: ['team-a'] }, []],
  ])('%s', async (_what, run, deployment, wanted) => {
    expect(await world(run, deployment).tags()).toEqual(wanted);
  });

  it('of what stands around it nothing else is changed, and Prefect is asked once for calls of some seconds', async () => {
    const { entities, asked, later } = world({ tags: ['team-a', 'mine'] }, { tags: ['team-a'] });
    for (let call = 0; call < 3; call += 1) {
      expect(await runOf(entities, principal)).toMatchObject({ id: RUN, type: 'FlowRun', tags: ['team-a'], workPool: 'etl' });
      later(500);
    }
    expect(asked).toEqual([`/api/flow_runs/${RUN}`, `/api/deployments/${DEPLOYMENT}`]);
    // For decisions on objects of Prefect it stays what it says itself.
    expect(await entities.find({ type: 'FlowRun', id: RUN })).toMatchObject({ tags: ['team-a', 'mine'] });
  });

  it('without the deployment to be had is an outage, and no run without tags', async () => {
    const away = new UpstreamError('upstream-unavailable', { forwarded: false });
    await expect(world({ tags: ['team-a'] }, away).tags()).rejects.toThrow(UpstreamError);
  });

  it('is nothing for who is no run', async () => {
    const { entities, asked } = world({}, null);
    expect(await runOf(entities, { ...principal, kind: 'service' })).toBeNull();
    expect(asked).toEqual([]);
  });
});
