// What the mediator itself looks at, whatever the decision before the body has said.
import { expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, outcomeOf, prefectWith, startMediator } from './mediator.fixture.ts';

it('a change by a session from a page of another origin goes no further, although the decision before the body allows it', async () => {
  const principal = { id: 'bob@corp', kind: 'user', idp: 'corp', roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: 'session:1', carrier: 'session', expiresAtMs: null, sessionId: 's1', alsoPresented: [] } as const;
  const allow = async () => ({ ok: true, principal, credential, decisions: [], restrictions: [], entities: [] }) as const;
  const decider = { revision: 7, readsParameters: false, authorize: allow, authorizeNow: allow, precheck: allow, authorizeOwn: allow };
  const path = `/api/deployments/${DEPLOYMENT}/create_flow_run`;
  const sent = { role: 'operator', path, body: {} };
  const foreign = startMediator({ parts: { decider } });
  expect(codeOf(await foreign.send({ ...sent, inputs: { token: '', session: 's' } }))).toBe('origin-foreign');
  expect(foreign.forwarded).toEqual([]);
  const own = startMediator({ parts: { decider }, prefect: prefectWith({}, { status: 201 }) });
  expect((await own.send({ ...sent, inputs: { token: '', session: 's', sameOrigin: true } })).status).toBe(201);
});

it('a foreign object is answered at the end of a step of time; what is allowed at once', async () => {
  const paused: number[] = [];
  const pause = async (ms: number) => void paused.push(ms);
  const options = { scope: { tags: ['team-a'] }, parts: { pause } };
  const objects = (tag: string) => ({
    [`GET /api/deployments/${DEPLOYMENT}`]: { id: DEPLOYMENT, name: 'x', tags: [tag], flow_id: DEPLOYMENT },
    [`GET /api/flows/${DEPLOYMENT}`]: { id: DEPLOYMENT, name: 'etl' },
  });
  const run = (tag: string) =>
    outcomeOf('operator', `POST /api/deployments/${DEPLOYMENT}/create_flow_run`, {}, { ...options, prefect: prefectWith(objects(tag), { status: 201 }) });
  expect((await run('team-a')).result).toBe(201);
  expect(paused).toEqual([]);
  expect((await run('team-b')).response.status).toBe(404);
  expect(paused).toHaveLength(1);
});
