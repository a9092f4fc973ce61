import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { Principal } from '../../contract/principal.ts';
import { everywhere, type Grant, NOWHERE } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import { createEventTagGuard } from './event-tags.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
const CHILD = '0199c0de-0000-7000-8000-000000000002';
const DEPLOYMENT = '0199c0de-0000-7000-8000-00000000000d';
const FLOW = '0199c0de-0000-7000-8000-00000000000f';

/** A Prefect with a run of team-a, whose deployment is team-b's as well and whose flow says team-f; and a run below it. */
function world(guarded: readonly string[]) {
  const asked: string[] = [];
  const state = { nowMs: 0, guarded, reads: 0 };
  const lookup = async (path: string): Promise<JsonValue | null> => {
    asked.push(path);
    if (path === `/api/flow_runs/${RUN}`) return { id: RUN, flow_id: FLOW, deployment_id: DEPLOYMENT, tags: ['team-a'] };
    if (path === `/api/flow_runs/${CHILD}`) return { id: CHILD, flow_id: FLOW, deployment_id: null, tags: ['team-c'] };
    if (path === `/api/deployments/${DEPLOYMENT}`) return { id: DEPLOYMENT, name: 'prod', flow_id: FLOW, tags: ['team-b'] };
    return path === `/api/flows/${FLOW}` ? { id: FLOW, name: 'etl', tags: ['team-f'] } : null;
  };
  const guard = createEventTagGuard({
    policy: sharedEngine({ actions: collectActions(OPERATIONS), revision: 7 }),
    entities: createEntities({ lookup, lasting: lookup, makerOf: async () => null }),
    guarded: async () => {
      state.reads += 1;
      return new Set(state.guarded);
    },
    lookup,
    steady: () => state.nowMs,
  });
  const refused = (event: JsonValue, principal: Principal) => guard([event], { principal, address: '10.0.0.1', carrier: 'authorization' });
  return { asked, state, refused: async (event: JsonValue, principal: Principal) => (await refused(event, principal))[0] };
}

const TEAMS = ['team-a', 'team-b', 'team-c', 'team-f', 'team-z'];

function sender(grants: readonly Grant[], kind: Principal['kind'] = 'worker'): Principal {
  return { id: 'token:w', kind, idp: null, roles: [], grants, groups: [], attributes: kind === 'run' ? { flow_run_id: RUN } : {}, onBehalfOf: [] };
}
const run = sender(everywhere(['run']), 'run');
const ofTeam = (...tags: string[]) => sender([{ role: 'worker', scope: { ...NOWHERE, tags } }]);

/** `recorded`: the tags of the task run in it. */
function event({ related = [], recorded, of = [RUN] }: { related?: readonly string[]; recorded?: readonly string[]; of?: readonly string[] }): JsonValue {
  return {
    id: '0199c0de-0000-4000-8000-000000000009',
    event: 'prefect.task-run.Running',
    resource: { 'prefect.resource.id': 'prefect.task-run.0199c0de-0000-4000-8000-00000000000a' },
    related: [
      ...of.map((id) => ({ 'prefect.resource.id': `prefect.flow-run.${id}`, 'prefect.resource.role': 'flow-run' })),
      ...related.map((tag) => ({ 'prefect.resource.id': `prefect.tag.${tag}`, 'prefect.resource.role': 'tag' })),
    ],
    ...(recorded !== undefined && { payload: { task_run: { tags: [...recorded] } } }),
  };
}

describe('a guarded tag in an event', () => {
  it.each([
    ['a run', run],
    ['a worker of team-x', ofTeam('team-x')],
  ])("may be the flow run's own, its deployment's, or in what it is related to its flow's: %s", async (_who, principal) => {
    const { refused } = world(TEAMS);
    expect(await refused(event({ related: ['team-a', 'team-b', 'team-f', 'free'], recorded: ['team-a', 'team-b', 'free'] }), principal)).toBeNull();
    expect(await refused(event({ related: ['team-z'] }), principal)).toBe('team-z');
    expect(await refused(event({ recorded: ['team-z'] }), principal)).toBe('team-z');
    // The flow is everybody's: a task run does not get its tags.
    expect(await refused(event({ recorded: ['team-f'] }), principal)).toBe('team-f');
  });

  it('is added by a chain only if each of its principals holds it', async () => {
    const { refused } = world(TEAMS);
    const chain = (sponsor: Principal): Principal => ({ ...sender(everywhere(['worker'])), limitedBy: [sponsor] });
    expect(await refused(event({ related: ['team-z'] }), chain(ofTeam('team-x')))).toBe('team-z');
    expect(await refused(event({ related: ['team-z'] }), chain(ofTeam('team-z')))).toBeNull();
    expect(await refused(event({ related: ['team-z'] }), chain(sender(everywhere(['worker']))))).toBeNull();
  });

  it('may be that of a run which the event names besides', async () => {
    const { refused } = world(TEAMS);
    expect(await refused(event({ recorded: ['team-c'], of: [RUN, CHILD] }), run)).toBeNull();
    expect(await refused(event({ recorded: ['team-c'] }), run)).toBe('team-c');
  });

  it("may be one of the sender's scope, of a run its own, also where the event names no run", async () => {
    const { refused } = world(TEAMS);
    expect(await refused(event({ recorded: ['team-z'], of: [] }), ofTeam('team-y', 'team-z'))).toBeNull();
    expect(await refused(event({ recorded: ['team-z'], of: [] }), ofTeam('team-y'))).toBe('team-z');
    expect(await refused(event({ recorded: ['team-a', 'team-b'], of: [] }), run)).toBeNull();
    expect(await refused(event({ recorded: ['team-z'], of: [] }), run)).toBe('team-z');
  });

  it('is not given by a role that may not say events, whatever that holds on', async () => {
    const { refused } = world(TEAMS);
    const mixed = (role: string) => sender([...everywhere([role]), { role: 'worker', scope: { ...NOWHERE, tags: ['team-y'] } }]);
    expect(await refused(event({ recorded: ['team-z'] }), mixed('viewer'))).toBe('team-z');
    expect(await refused(event({ recorded: ['team-z'] }), mixed('operator'))).toBe('team-z');
    expect(await refused(event({ recorded: ['team-z'] }), mixed('worker'))).toBeNull();
  });

  it('costs nothing for a role that holds on everything, and no look at Prefect where there is none', async () => {
    const { refused, asked, state } = world(TEAMS);
    expect(await refused(event({ recorded: ['team-z'] }), sender(everywhere(['worker'])))).toBeNull();
    expect(state.reads).toBe(0);
    expect(await refused(event({ recorded: ['free'], related: ['free'] }), run)).toBeNull();
    expect(asked).toEqual([]);
  });

  it('is one a second after some scope has named it, and the scopes are read once a second', async () => {
    const { refused, state } = world([]);
    expect(await refused(event({ recorded: ['team-z'] }), run)).toBeNull();
    state.guarded = TEAMS;
    for (let each = 0; each < 3; each += 1) await refused(event({ recorded: ['team-z'] }), run);
    expect(state.reads).toBe(1);
    state.nowMs += 1000;
    expect(await refused(event({ recorded: ['team-z'] }), run)).toBe('team-z');
  });
});
