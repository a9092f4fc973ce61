import { afterEach, describe, expect, it } from 'vitest';
import type { RelayParts } from './parts.ts';
import { EVENTS_OUT, GOOD, openTestRelay, type TestClient, type TestRelay, UPGRADE, until } from './relay.fixture.ts';

let relay: TestRelay;
afterEach(() => relay.close());

async function opened(inputs: object): Promise<TestClient> {
  const client = await relay.connect({ inputs: { ...inputs, token: GOOD } });
  await until(() => relay.prefect.frames.length > 0, 'the socket to Prefect');
  return client;
}

describe('a revoked credential (WS-03)', () => {
  it('ends its open sockets with 1008 and a record; others stay', async () => {
    relay = await openTestRelay({ tickMs: 60_000 });
    relay.allowed.set('lct_other', { expiresAtMs: null });
    const byHeader = await opened(EVENTS_OUT);
    const byFrame = await relay.connect({ inputs: EVENTS_OUT, protocols: ['prefect'] });
    byFrame.socket.send(`{"type":"auth","token":"${GOOD}"}`);
    await byFrame.next();
    const other = await relay.connect({ inputs: { ...EVENTS_OUT, token: 'lct_other' } });
    await until(() => relay.prefect.frames.length === 3, 'three sockets at Prefect');
    relay.allowed.delete(GOOD);
    await relay.relay.recheck();
    expect((await byHeader.closed).code).toBe(1008);
    expect((await byFrame.closed).code).toBe(1008);
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    expect(relay.records.slice(3)).toMatchObject([
      { reason: 'credential-unknown', decision: 'deny', path: '/api/events/out', request_id: null },
      { reason: 'credential-unknown', decision: 'deny', request_id: null },
    ]);
  });

  it('is noticed by the change number alone', async () => {
    relay = await openTestRelay({ tickMs: 10 });
    const client = await opened(EVENTS_OUT);
    relay.allowed.delete(GOOD);
    relay.state.changeNumber += 1;
    expect((await client.closed).code).toBe(1008);
  });

  it('opens nothing when it goes while the decision is being made', async () => {
    relay = await openTestRelay();
    const client = await opened(EVENTS_OUT);
    relay.allowed.delete(GOOD);
    const late = relay.connect({ inputs: { ...EVENTS_OUT, token: GOOD } }).then(
      () => 'open',
      () => 'refused',
    );
    await relay.relay.recheck();
    expect((await client.closed).code).toBe(1008);
    expect(await late).toBe('refused');
  });

  it('opens nothing when it goes between the 101 and the first frame', async () => {
    relay = await openTestRelay({ tickMs: 60_000 });
    const client = await relay.connect({ inputs: { ...EVENTS_OUT, token: GOOD }, protocols: ['prefect'] });
    relay.allowed.delete(GOOD);
    await relay.relay.recheck();
    client.socket.send('{"type":"auth","token":null}');
    expect((await client.closed).code).toBe(1008);
    expect(relay.prefect.requests).toEqual([]);
  });

  it('ends with 1012 at its expiry, on which clients come back with a fresh credential; one that was prolonged stays', async () => {
    relay = await openTestRelay({ tickMs: 10 });
    const soon = relay.state.now + 1000;
    relay.allowed.set(GOOD, { expiresAtMs: soon });
    const client = await opened(EVENTS_OUT);
    relay.allowed.set(GOOD, { expiresAtMs: soon + 1000 });
    relay.state.now = soon;
    await relay.relay.recheck();
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    relay.state.now = soon + 1000;
    expect(await client.closed).toMatchObject({ code: 1012, reason: expect.stringContaining('credential-expired') });
    expect(relay.records.at(-1)).toMatchObject({ decision: 'deny', reason: 'credential-expired', status: 401 });
  });

  it('ends with 1008 when it is gone by the time that it would expire', async () => {
    relay = await openTestRelay({ tickMs: 10 });
    relay.allowed.set(GOOD, { expiresAtMs: relay.state.now + 1000 });
    const client = await opened(EVENTS_OUT);
    relay.allowed.delete(GOOD);
    relay.state.now += 1000;
    expect((await client.closed).code).toBe(1008);
  });

  it('closes with 1012 what cannot be decided again', async () => {
    relay = await openTestRelay({ tickMs: 60_000 });
    const client = await opened(EVENTS_OUT);
    relay.state.outage = true;
    await relay.relay.recheck();
    expect((await client.closed).code).toBe(1012);
    relay.state.outage = false;
  });

  it('closes with 1012 also where the decision says that it cannot be made', async () => {
    let undecided = false;
    const principal = { id: 'token:etl', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
    const credential = { id: 'tok_1', carrier: 'x-lictor-token', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
    const outage = { ok: false, reason: 'gateway-unavailable', principal: null, credential: null, credentialId: null, decisions: [] } as const;
    const allowed = { ok: true, principal, credential, decisions: [], restrictions: [], entities: [] } as const;
    relay = await openTestRelay({ tickMs: 60_000 }, { decider: { revision: 7, authorize: async () => (undecided ? outage : allowed) } });
    const client = await opened(EVENTS_OUT);
    undecided = true;
    await relay.relay.recheck();
    expect((await client.closed).code).toBe(1012);
  });
});

it('a decision that was made before a change of security is made again, before the 101', async () => {
  let asked = 0;
  const principal = { id: 'token:etl', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: 'tok_1', carrier: 'x-lictor-token', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
  const authorize: RelayParts['decider']['authorize'] = async () => {
    asked += 1;
    if (asked > 1) return { ok: false, reason: 'credential-revoked', principal: null, credential: null, credentialId: 'tok_1', decisions: [] };
    await relay.relay.recheck();
    return { ok: true, principal, credential, decisions: [], restrictions: [], entities: [] };
  };
  relay = await openTestRelay({ tickMs: 60_000 }, { decider: { revision: 7, authorize } });
  expect(await relay.plain({ ...EVENTS_OUT, token: GOOD }, UPGRADE)).toMatchObject({ status: 401, body: { code: 'credential-revoked' } });
  expect(asked).toBe(2);
});
