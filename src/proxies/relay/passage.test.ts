// A socket of a scoped principal.
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { authFrame } from '../../../test/env/socket.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { NOWHERE, type Restriction } from '../../contract/scope.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { RelayCore } from './core.ts';
import type { RelayParts } from './parts.ts';
import { createDelivery } from './passage.ts';
import { EVENTS_IN, EVENTS_OUT, GOOD, openTestRelay, type TestRelay } from './relay.fixture.ts';
import type { Session } from './session.ts';

const A = '11111111-0000-4000-8000-000000000000';
const B = '22222222-0000-4000-8000-000000000000';
const scope = { ...NOWHERE, tags: ['team-a'] };

let relay: TestRelay | undefined;
afterEach(() => relay?.close());

/** Prefect knows the run A, which is covered. */
function scopedParts(
  lookup: Lookup = async (path) => (path.endsWith('/history') ? [{ id: A }] : []),
  restrictions: readonly Restriction[] = [{ principalId: 'token:a', scopes: [scope] }],
): Partial<RelayParts> {
  return {
    decider: {
      revision: 7,
      authorize: async () => ({
        ok: true,
        principal: { id: 'token:a', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] },
        credential: { id: 't', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] },
        decisions: [],
        restrictions,
        entities: [],
      }),
    },
    scopeFilterOf: ({ restrictions: all }) => (all.length === 0 ? null : { restrictions: all, lookup, createdBy: async () => [] }),
  };
}

/** Until `revoke`. */
function revocable(parts: Partial<RelayParts>) {
  const gone = { ok: false, reason: 'credential-revoked', principal: null, credential: null, credentialId: null, decisions: [] } as const;
  let revoked = false;
  const allowed = parts.decider?.authorize;
  const decider: RelayParts['decider'] = { revision: 7, authorize: async (...asked) => (revoked || allowed === undefined ? gone : await allowed(...asked)) };
  return {
    parts: { ...parts, decider },
    revoke: () => {
      revoked = true;
    },
  };
}

/** `filter`: what the client asks for on a stream. */
async function open(inputs: typeof EVENTS_OUT, parts = scopedParts(), filter: unknown = {}) {
  relay = await openTestRelay({}, parts);
  const client = await relay.connect({ inputs: { ...inputs, authorization: `Bearer ${GOOD}` }, protocols: ['prefect'] });
  client.socket.send(JSON.stringify(authFrame(null)));
  await expect.poll(() => client.received.length).toBe(1);
  await expect.poll(() => relay?.prefect.sockets.length).toBe(1);
  if (inputs === EVENTS_OUT) client.socket.send(typeof filter === 'string' ? filter : JSON.stringify({ type: 'filter', filter }));
  if (inputs === EVENTS_OUT && Object.keys(Object(filter)).length === 0) await expect.poll(() => relay?.prefect.frames.length).toBe(2);
  return { relay, client };
}

const event = (run: string, id = run) => ({ id, event: 'x.y', resource: { 'prefect.resource.id': `prefect.flow-run.${run}` }, related: [] });
const frame = (run: string) => JSON.stringify({ type: 'event', event: event(run) });

describe('the socket of a scoped principal', () => {
  it('forwards only the visible part of /events/out, in order', async () => {
    const {
      relay: { prefect },
      client,
    } = await open(EVENTS_OUT);
    for (const run of [B, A, B, A]) prefect.sockets[0]?.send(frame(run));
    await expect.poll(() => client.received.slice(1)).toEqual([frame(A), frame(A)]);
  });

  it('forwards only what every principal of a chain sees', async () => {
    const knows: Lookup = async (path, body) => {
      if (!path.endsWith('/history')) return [];
      const filter = JSON.stringify(body ?? null);
      return [A, B].filter((id) => !filter.includes('team-x') || id === B).map((id) => ({ id }));
    };
    const own = { principalId: 'token:a', scopes: [scope] };
    const sponsors = { principalId: 'alice@corp', scopes: [{ ...NOWHERE, tags: ['team-x'] }] };
    const restrictions = [own];
    const { relay: both, client } = await open(EVENTS_OUT, scopedParts(knows, restrictions));
    for (const run of [A, B]) both.prefect.sockets[0]?.send(frame(run));
    await expect.poll(() => client.received.slice(1)).toEqual([frame(A), frame(B)]);
    // The sponsor's rights become narrower: what was visible a moment ago is hidden at once.
    restrictions.push(sponsors);
    await both.relay.recheck();
    for (const run of [A, B]) both.prefect.sockets[0]?.send(frame(run));
    await expect.poll(() => client.received.slice(3)).toEqual([frame(B)]);
  });

  it('is asked by what its events show: neither by what is hidden in them, nor by a filter that cannot be read', async () => {
    const maker = { 'prefect.resource.id': `prefect.automation.${B}`, 'prefect.resource.role': 'creator', 'prefect.resource.name': 'secret' };
    const createdBy = JSON.stringify({ type: 'event', event: { ...event(A), related: [maker] } });
    const byMaker = { related: { labels: { 'prefect.resource.name': ['s*'] } } };
    const first = await open(EVENTS_OUT, scopedParts(), byMaker);
    await expect.poll(() => first.relay.prefect.frames.length).toBe(2);
    // Prefect goes by the first filter alone.
    first.client.socket.send(JSON.stringify({ type: 'filter', filter: {} }));
    await expect.poll(() => first.relay.prefect.frames.length).toBe(3);
    first.relay.prefect.sockets[0]?.send(createdBy);
    first.relay.prefect.sockets[0]?.close(1000);
    await first.client.closed;
    expect(first.client.received.slice(1)).toEqual([]);
    await first.relay.close();
    const unread = '{"type":"filter","filter":{},"filter":{"text":{"query":"secret"}}}';
    const tooComplex = { event: { prefix: Array.from({ length: 50_000 }, () => 'x') } };
    for (const filter of [{ text: { query: 'secret' } }, unread, tooComplex]) {
      const { relay, client } = await open(EVENTS_OUT, scopedParts(), filter);
      expect((await client.closed).code).toBe(1008);
      expect(relay.prefect.frames).toHaveLength(1);
      await relay.close();
    }
  });

  it('is closed with 1012 if Prefect does not answer about the owner of a frame', async () => {
    const {
      relay: { prefect },
      client,
    } = await open(
      EVENTS_OUT,
      scopedParts(() => Promise.reject(new Error('away'))),
    );
    prefect.sockets[0]?.send(frame(A));
    expect(await client.closed).toMatchObject({ code: 1012 });
    expect(client.received).toHaveLength(1);
  });

  it('forwards own events to Prefect; a foreign one is dropped and recorded, and the socket stays', async () => {
    const {
      relay: { prefect, records },
      client,
    } = await open(EVENTS_IN);
    for (const [run, id] of [
      [B, B],
      [A, A],
    ] as const)
      client.socket.send(JSON.stringify(event(run, id)));
    await expect.poll(() => prefect.frames.slice(1).map((text) => JSON.parse(text))).toEqual([event(A)]);
    await expect.poll(() => records.map(({ reason }) => reason)).toContain('event-foreign-run');
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('drops and records an event with a guarded tag that is not its own to give, and carries the next one', async () => {
    const eventTags: RelayParts['eventTags'] = async (events, { principal }) =>
      events.map((said) => (principal.id === 'token:a' && JSON.stringify(said).includes('"prefect.tag.team-z"') ? 'team-z' : null));
    const {
      relay: { prefect, records, warnings },
      client,
    } = await open(EVENTS_IN, { ...scopedParts(), eventTags });
    const tagged = { ...event(A, B), related: [{ 'prefect.resource.id': 'prefect.tag.team-z', 'prefect.resource.role': 'tag' }] };
    for (const said of [tagged, event(A)]) client.socket.send(JSON.stringify(said));
    await expect.poll(() => prefect.frames.slice(1).map((text) => JSON.parse(text))).toEqual([event(A)]);
    await expect.poll(() => records.map(({ reason }) => reason)).toContain('tag-guarded');
    expect(warnings.join()).toContain('team-z');
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('of a run, whose role holds on everything, is held against guarded tags as it comes in', async () => {
    const parts = scopedParts();
    const allowed = parts.decider?.authorize;
    const decider: RelayParts['decider'] = {
      revision: 7,
      authorize: async (...asked) => {
        const answer = await allowed?.(...asked);
        if (answer?.ok !== true) throw new Error('no answer');
        return { ...answer, principal: { ...answer.principal, id: `run:${A}`, kind: 'run', attributes: { flow_run_id: A } }, restrictions: [] };
      },
    };
    const eventTags: RelayParts['eventTags'] = async (events, { principal }) =>
      events.map((said) => (principal.kind === 'run' && JSON.stringify(said).includes(B) ? 'team-z' : null));
    const {
      relay: { prefect, records },
      client,
    } = await open(EVENTS_IN, { ...parts, decider, eventTags, recordLineage: async () => undefined });
    for (const id of [B, A]) client.socket.send(JSON.stringify(event(A, id)));
    await expect.poll(() => prefect.frames.slice(1).map((text) => JSON.parse(text))).toEqual([event(A)]);
    await expect.poll(() => records.map(({ reason }) => reason)).toContain('tag-guarded');
  });

  it('forwards the frames from before its close, however long Prefect takes', async () => {
    const answers: (() => void)[] = [];
    const slow = async (path: string): Promise<JsonValue> => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return path.endsWith('/history') ? [{ id: A }] : [];
    };
    const {
      relay: { prefect },
      client,
    } = await open(EVENTS_IN, scopedParts(slow));
    client.socket.send(JSON.stringify(event(A)));
    client.socket.close();
    await client.closed;
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    expect(prefect.frames).toHaveLength(1);
    await expect
      .poll(() => {
        for (const answer of answers.splice(0)) answer();
        return prefect.frames.length;
      })
      .toBe(2);
    await expect.poll(() => prefect.sockets[0]?.readyState).toBe(client.socket.CLOSED);
  });

  it.each([
    ['forwards the frames from before its close also if Prefect fails at first', false, 2],
    ['forwards none of them if its right has ended meanwhile', true, 1],
  ])('%s', async (_what, isRevoked, frames) => {
    const failures: ((error: Error) => void)[] = [];
    let fails = true;
    const failing = async (path: string): Promise<JsonValue> => {
      if (fails) await new Promise((_, reject) => failures.push(reject));
      return path.endsWith('/history') ? [{ id: A }] : [];
    };
    const { parts, revoke } = revocable(scopedParts(failing));
    const {
      relay: { prefect },
      client,
    } = await open(EVENTS_IN, parts);
    client.socket.send(JSON.stringify(event(A)));
    await expect.poll(() => failures.length).toBeGreaterThan(0);
    client.socket.close();
    await client.closed;
    if (isRevoked) revoke();
    fails = false;
    for (const fail of failures) fail(new Error('Prefect does not answer'));
    await expect.poll(() => prefect.sockets[0]?.readyState, { timeout: 4000 }).toBe(client.socket.CLOSED);
    expect(prefect.frames.length).toBe(frames);
  });

  it('forwards no waiting frame after its right has ended', async () => {
    const answers: (() => void)[] = [];
    const slow = async (path: string): Promise<JsonValue> => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return path.endsWith('/history') ? [{ id: A }] : [];
    };
    const { parts, revoke } = revocable(scopedParts(slow));
    const {
      relay: { prefect, relay },
      client,
    } = await open(EVENTS_IN, parts);
    client.socket.send(JSON.stringify(event(A)));
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    revoke();
    await relay.recheck();
    expect((await client.closed).code).toBe(1008);
    await expect
      .poll(() => {
        for (const answer of answers.splice(0)) answer();
        return prefect.sockets[0]?.readyState;
      })
      .toBe(client.socket.CLOSED);
    expect(prefect.frames).toHaveLength(1);
  });

  it('is refused if its frames do not name their objects, and if there is no scope filter', async () => {
    relay = await openTestRelay({}, scopedParts());
    const tasks = { operation: 'socket:task-runs-scheduled', path: '/api/task_runs/subscriptions/scheduled' };
    expect(await relay.plain({ ...tasks, authorization: `Bearer ${GOOD}` }, UPGRADE)).toMatchObject({ status: 403, body: { code: 'scope-not-filterable' } });
    await relay.close();
    const { scopeFilterOf: _, ...blind } = scopedParts();
    relay = await openTestRelay({}, blind);
    expect(await relay.plain({ ...EVENTS_OUT, authorization: `Bearer ${GOOD}` }, UPGRADE)).toMatchObject({
      status: 403,
      body: { code: 'scope-not-filterable' },
    });
  });
});

describe('a socket of a principal whose requests are checked one by one', () => {
  const mustMediate: RelayParts['mustMediate'] = (principal, { operationId }) => principal.id === 'token:etl' && operationId === 'socket:events-in';

  it('is refused before anything reaches Prefect, and recorded', async () => {
    relay = await openTestRelay({}, { mustMediate });
    expect(await relay.plain({ ...EVENTS_IN, token: GOOD }, UPGRADE)).toMatchObject({ status: 403, body: { code: 'socket-unchecked' } });
    expect(relay.prefect.requests).toEqual([]);
    expect(relay.records).toMatchObject([{ decision: 'deny', reason: 'socket-unchecked' }]);
  });

  it('passes on other operations, and of other principals', async () => {
    relay = await openTestRelay({}, { mustMediate: (principal, operation) => mustMediate({ ...principal, id: 'token:other' }, operation) });
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD }, protocols: ['prefect'] });
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

it('a stream whose filter is refused delivers nothing, and ends', async () => {
  const [sent, closed]: [unknown[], number[]] = [[], []];
  const decided = await scopedParts().decider?.authorize({} as never, []);
  const core = { parts: { ...scopedParts(), steady: () => 0 }, limits: { highWaterBytes: 1 << 20 }, log: { warn: () => undefined } };
  const session = {
    visit: { operation: { operationId: EVENTS_OUT.operation } },
    authorization: decided,
    client: { close: (code: number) => void closed.push(code) },
    asked: { ok: false, refusal: { code: 'filter-hidden' } },
  };
  const source = { pause: () => undefined, resume: () => undefined };
  const delivery = createDelivery(core as unknown as RelayCore, session as unknown as Session, source as unknown as WebSocket);
  delivery.pass({ kind: 'text', data: Buffer.from(frame(A)) }, (passed) => sent.push(passed));
  await delivery.idle();
  expect([sent, closed]).toEqual([[], [1008]]);
});

const UPGRADE = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
