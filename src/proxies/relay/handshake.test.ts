import { afterEach, describe, expect, it } from 'vitest';
import { createFromEdge } from '../../authorization/decide/from-edge.ts';
import { INPUT } from '../../contract/names.ts';
import { EVENTS_IN, EVENTS_OUT, GOOD, openTestRelay, SECRET, type TestClient, type TestRelay, UPGRADE, until } from './relay.fixture.ts';

let relay: TestRelay;
afterEach(() => relay.close());

const SOCKETS = [
  EVENTS_IN,
  EVENTS_OUT,
  { operation: 'socket:logs-out', path: '/api/logs/out' },
  { operation: 'socket:task-runs-scheduled', path: '/api/task_runs/subscriptions/scheduled' },
  { operation: 'socket:worker-connect', path: '/api/work_pools/pool-a/workers/connect' },
];

const auth = (token: string | null) => JSON.stringify({ type: 'auth', token });
const upgradeOnly = (inputs: Parameters<TestRelay['plain']>[0], headers = {}) => relay.plain(inputs, { ...UPGRADE, ...headers });

async function byFrame(token: string | null, inputs: object = EVENTS_IN): Promise<TestClient> {
  const client = await relay.connect({ inputs, protocols: ['prefect'] });
  client.socket.send(auth(token));
  return client;
}

describe('a connection that is not from the edge', () => {
  it.each([{}, { 'x-lictor-edge': 'another' }])('is closed before anything is read of it: %j', async (shown) => {
    relay = await openTestRelay({}, { fromEdge: createFromEdge('the-secret') });
    const inputs = { ...EVENTS_IN, authorization: GOOD };
    await expect(relay.plain(inputs, shown)).rejects.toThrowError(/socket hang up|ECONNRESET/);
    await expect(upgradeOnly(inputs, shown)).rejects.toThrowError(/socket hang up|ECONNRESET/);
    expect(relay.records).toEqual([]);
    const client = await relay.connect({ inputs, headers: { 'x-lictor-edge': 'the-secret' } });
    await until(() => relay.prefect.requests.length === 1, 'the socket at Prefect');
    client.socket.close();
  });
});

describe('a credential in a header', () => {
  it.each(SOCKETS)('opens $path; Prefect sees the gateway, not the client', async (socket) => {
    relay = await openTestRelay();
    const client = await relay.connect({
      inputs: { ...socket, authorization: GOOD },
      protocols: ['prefect'],
      headers: { cookie: 'lictor=x', 'user-agent': 'prefect/3.9.1' },
    });
    client.socket.send(auth('whatever-the-client-has'));
    expect(await client.next()).toBe('{"type":"auth_success"}');
    client.socket.send('hello');
    await until(() => relay.prefect.frames.length === 2, 'the frame at Prefect');
    expect(relay.prefect.frames).toEqual([auth(SECRET), 'hello']);
    const [seen] = relay.prefect.requests;
    expect(seen?.url).toBe(socket.path);
    expect(seen?.headers['user-agent']).toBe('prefect/3.9.1');
    expect(Object.keys(seen?.headers ?? {}).filter((name) => name.startsWith('x-lictor') || name === 'cookie' || name === 'authorization')).toEqual([]);
    expect(client.received.join()).not.toContain(SECRET);
    expect(relay.records).toMatchObject([
      { status: 101, decision: 'allow', path_taken: 'relay', principal: 'token:etl', request_id: 'req-1', path: socket.path },
    ]);
  });

  it.each(SOCKETS)('refuses $path before the upgrade when the credential is wrong', async (socket) => {
    relay = await openTestRelay();
    const answer = await upgradeOnly({ ...socket, authorization: 'lct_wrong' });
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': 'req-1',
      'www-authenticate': expect.stringContaining('Bearer'),
    });
    expect(answer.body).toMatchObject({ code: 'credential-unknown', request_id: 'req-1' });
    expect(relay.prefect.requests).toEqual([]);
    expect(relay.records).toMatchObject([{ status: 401, decision: 'deny', reason: 'credential-unknown' }]);
  });

  it('answers 403 without a challenge when policy says no', async () => {
    relay = await openTestRelay();
    const answer = await upgradeOnly({ token: 'lct_forbidden' });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(relay.prefect.requests).toEqual([]);
  });

  it('sends no auth frame to a client without the sub-protocol (3.6.13 on /events/in)', async () => {
    relay = await openTestRelay();
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD } });
    client.socket.send('event-1');
    await until(() => relay.prefect.frames.length === 2, 'the event');
    expect(relay.prefect.frames).toEqual([auth(SECRET), 'event-1']);
    expect(client.received).toEqual([]);
  });

  it('closes 1008 when the first frame is no auth frame', async () => {
    relay = await openTestRelay();
    const client = await relay.connect({ inputs: { token: GOOD }, protocols: ['prefect'] });
    client.socket.send('{"type":"filter"}');
    expect(await client.closed).toEqual({ code: 1008, reason: "Expected 'auth' message" });
    expect(relay.prefect.requests).toEqual([]);
  });

  it('refuses a path that is not the one of its operation', async () => {
    relay = await openTestRelay();
    expect((await upgradeOnly({ ...EVENTS_OUT, path: '/api/admin/settings', token: GOOD })).body).toMatchObject({ code: 'action-unknown' });
    expect((await upgradeOnly({ operation: 'read_settings', path: '/api/admin/settings', token: GOOD })).status).toBe(403);
  });
});

describe('a browser session', () => {
  it('opens a socket from the own origin', async () => {
    relay = await openTestRelay();
    const client = await relay.connect({ inputs: { ...EVENTS_OUT, session: GOOD, sameOrigin: true }, protocols: ['prefect'] });
    client.socket.send(auth(null));
    expect(await client.next()).toBe('{"type":"auth_success"}');
  });

  it('is refused from a foreign origin (WS-02)', async () => {
    relay = await openTestRelay();
    const answer = await upgradeOnly({ ...EVENTS_OUT, session: GOOD });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ code: 'origin-foreign' });
    expect(relay.prefect.requests).toEqual([]);
    expect(relay.records).toMatchObject([{ reason: 'origin-foreign', status: 403 }]);
  });

  it('is not verified for a foreign page, which cannot extend it', async () => {
    let asked = 0;
    const authorize = async () => {
      asked += 1;
      return { ok: false, reason: 'session-expired', principal: null, credential: null, credentialId: null, decisions: [] } as const;
    };
    relay = await openTestRelay({}, { decider: { revision: 7, authorize } });
    expect((await upgradeOnly({ ...EVENTS_OUT, session: GOOD })).body).toMatchObject({ code: 'origin-foreign' });
    expect(asked).toBe(0);
    expect((await upgradeOnly({ ...EVENTS_OUT, session: GOOD, sameOrigin: true })).body).toMatchObject({ code: 'session-expired' });
  });
});

describe('a client certificate', () => {
  const principal = { id: 'svc@ca', kind: 'service', idp: 'ca', roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;
  const credential = { id: 'cert:1', carrier: 'certificate', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
  const authorize = async () => ({ ok: true, principal, credential, decisions: [], restrictions: [], entities: [] }) as const;

  it('opens no socket for a page of another origin, and one for a program', async () => {
    relay = await openTestRelay({}, { decider: { revision: 7, authorize } });
    const refused = await upgradeOnly({ ...EVENTS_OUT, certificate: 'PEM' }, { [INPUT.sameOrigin]: '0' });
    expect(refused).toMatchObject({ status: 403, body: { code: 'origin-foreign' } });
    expect(relay.prefect.requests).toEqual([]);
    const client = await relay.connect({ inputs: { ...EVENTS_OUT, certificate: 'PEM' } });
    await until(() => relay.prefect.requests.length === 1, 'the socket at Prefect');
    client.socket.close();
  });
});

describe('no credential (WS-01)', () => {
  it.each(SOCKETS)('is 401 on $path without the sub-protocol', async (socket) => {
    relay = await openTestRelay();
    const answer = await upgradeOnly(socket);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'credential-missing' });
    expect((await upgradeOnly(socket, { 'sec-websocket-protocol': 'prefect2, graphql' })).status).toBe(401);
    expect(relay.prefect.requests).toEqual([]);
  });

  it.each(SOCKETS)('is 1008 on $path when no frame comes in time', async (socket) => {
    relay = await openTestRelay({ firstFrameMs: 50 });
    const client = await relay.connect({ inputs: socket, protocols: ['prefect'] });
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining('PREFECT_API_AUTH_STRING') });
    await until(() => relay.records.length === 1, 'the record');
    expect(relay.records).toMatchObject([{ reason: 'credential-missing', decision: 'deny', status: 401 }]);
    expect(relay.prefect.requests).toEqual([]);
  });
});

describe('a token in the first frame (WS-04)', () => {
  it.each(SOCKETS)('opens $path', async (socket) => {
    relay = await openTestRelay();
    const client = await byFrame(GOOD, socket);
    expect(await client.next()).toBe('{"type":"auth_success"}');
    client.socket.send('filter');
    await until(() => relay.prefect.frames.length === 2, 'the frame at Prefect');
    expect(relay.prefect.frames).toEqual([auth(SECRET), 'filter']);
    expect(relay.records).toMatchObject([{ status: 101, decision: 'allow' }]);
  });

  it.each(SOCKETS)('closes $path with 1008 when it is wrong', async (socket) => {
    relay = await openTestRelay();
    const client = await byFrame('lct_wrong', socket);
    const { code, reason } = await client.closed;
    expect(code).toBe(1008);
    expect(reason).not.toContain('lct_wrong');
    await until(() => relay.records.length === 1, 'the record');
    expect(relay.records).toMatchObject([{ reason: 'credential-unknown' }]);
    expect(relay.prefect.requests).toEqual([]);
    expect(relay.warnings.join()).not.toContain('lct_wrong');
  });

  it.each([auth(null), '{"type":"auth"}', '{"type":"auth","token":""}'])('names the setting when the client has none to send: %s', async (frame) => {
    relay = await openTestRelay();
    const client = await relay.connect({ protocols: ['prefect'] });
    client.socket.send(frame);
    const { code, reason } = await client.closed;
    expect(code).toBe(1008);
    expect(reason).toContain('PREFECT_API_AUTH_STRING');
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    await until(() => relay.records.length === 1, 'the record');
    expect(relay.records).toMatchObject([{ reason: 'socket-token-missing' }]);
  });

  it.each(['not json', '[]', 'null', '{"type":"filter"}', '{"type":"auth","token":7}'])(
    'closes 1008 on a first frame that is no auth frame: %s',
    async (frame) => {
      relay = await openTestRelay();
      const client = await relay.connect({ protocols: ['prefect'] });
      client.socket.send(frame);
      expect(await client.closed).toMatchObject({ code: 1008 });
      expect(relay.prefect.requests).toEqual([]);
    },
  );

  it('closes 1008 on more than 64 KiB without collecting it', async () => {
    relay = await openTestRelay();
    const client = await relay.connect({ protocols: ['prefect'] });
    client.socket.send(auth('x'.repeat(1024 * 1024)));
    expect(await client.closed).toMatchObject({ code: 1008 });
    expect(relay.prefect.requests).toEqual([]);
  });

  it('answers the ping that stock clients send before they authenticate', async () => {
    relay = await openTestRelay();
    const client = await relay.connect({ protocols: ['prefect'] });
    const pong = new Promise<string>((resolve) => client.socket.once('pong', (data) => resolve(data.toString())));
    client.socket.ping('there?');
    expect(await pong).toBe('there?');
    expect(relay.prefect.requests).toEqual([]);
  });
});

describe('a request that asks for no socket', () => {
  it('is 401 without a credential, 400 with one', async () => {
    relay = await openTestRelay();
    expect(await relay.plain(EVENTS_IN)).toMatchObject({ status: 401, body: { code: 'credential-missing' } });
    expect(await relay.plain({ ...EVENTS_IN, token: GOOD })).toMatchObject({ status: 400, body: { code: 'not-a-socket' } });
    expect(await relay.plain({ ...EVENTS_IN, token: GOOD }, { connection: 'upgrade', upgrade: 'h2c' })).toMatchObject({
      status: 400,
      body: { code: 'not-a-socket' },
    });
  });

  it('is JSON 400 when the handshake is malformed', async () => {
    relay = await openTestRelay();
    expect(await upgradeOnly({ token: GOOD }, { 'sec-websocket-key': 'short' })).toMatchObject({ status: 400, body: { code: 'request-invalid' } });
  });
});

describe('an outage', () => {
  it('delays an upgrade while no decision is possible, and then decides it', async () => {
    relay = await openTestRelay();
    relay.state.outage = true;
    const connecting = relay.connect({ inputs: { token: GOOD } });
    await until(() => relay.warnings.length > 0, 'the first failed decision');
    relay.state.outage = false;
    await connecting;
    expect(relay.records).toMatchObject([{ status: 101 }]);
  });

  it('ends with 503 that stock clients wait for, or with 1012, never open', async () => {
    relay = await openTestRelay({ decisionHoldMs: 0 });
    relay.state.outage = true;
    expect(await upgradeOnly({ ...EVENTS_OUT, token: GOOD })).toMatchObject({ status: 503, headers: { 'retry-after': '5', 'prefect-maintenance': 'true' } });
    expect(await (await byFrame(GOOD, EVENTS_OUT)).closed).toMatchObject({ code: 1012 });
    expect(relay.prefect.requests).toEqual([]);
  });

  // After a status, or a code that reads as a refusal, stock clients drop the events that they have not sent yet.
  it.each([
    ['no decision is possible', { outage: true }, 'gateway-unavailable'],
    ['the ledger cannot be written', { ledgerBroken: true }, 'ledger-unavailable'],
  ])('ends a socket of events, before its handshake has succeeded, with 1001 if %s', async (_what, broken, code) => {
    relay = await openTestRelay({ decisionHoldMs: 0, recordHoldMs: 0 });
    Object.assign(relay.state, broken);
    const ended = { code: 1001, reason: expect.stringContaining(code) };
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD }, protocols: ['prefect'] });
    client.socket.on('pong', () => client.received.push('pong'));
    client.socket.ping();
    expect(await client.closed).toMatchObject(ended);
    const other = await byFrame(GOOD);
    expect(await other.closed).toMatchObject(ended);
    expect([client.received, other.received, relay.prefect.requests]).toEqual([[], [], []]);
  });

  it('of the ledger delays a socket that writes, and then it opens', async () => {
    relay = await openTestRelay();
    relay.state.ledgerBroken = true;
    const connecting = relay.connect({ inputs: { ...EVENTS_IN, token: GOOD } });
    const other = await byFrame(GOOD);
    await until(() => relay.warnings.length === 2, 'both records to fail');
    expect([relay.prefect.requests, other.received]).toEqual([[], []]);
    relay.state.ledgerBroken = false;
    await connecting;
    expect(await other.next()).toContain('auth_success');
    expect(relay.records).toMatchObject([{ status: 101 }, { status: 101 }]);
  });

  it('of the ledger opens no socket that writes, but one that reads', async () => {
    relay = await openTestRelay({ recordHoldMs: 0 });
    relay.state.ledgerBroken = true;
    const channel = { operation: 'socket:worker-connect', path: '/api/work_pools/pool-a/workers/connect' };
    expect(await upgradeOnly({ ...channel, token: GOOD })).toMatchObject({ status: 503, body: { code: 'ledger-unavailable' } });
    expect(await (await byFrame(GOOD, channel)).closed).toMatchObject({ code: 1012 });
    await relay.connect({ inputs: { ...EVENTS_OUT, token: GOOD } });
  });
});

describe('a Prefect before 3.6.14, which takes sockets without the sub-protocol and answers nothing', () => {
  it('gets the frames of /events/in as they are, and no credential of the gateway', async () => {
    relay = await openTestRelay();
    Object.assign(relay.prefect, { offersProtocol: false, onAuth: () => undefined });
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD } });
    client.socket.send('event');
    await until(() => relay.prefect.frames.length > 0, 'the event');
    expect(relay.prefect.frames).toEqual(['event']);
    expect(relay.prefect.requests.at(-1)?.headers['sec-websocket-protocol']).toBeUndefined();
  });

  it('gets no such frames on any other socket', async () => {
    relay = await openTestRelay({ upstreamHoldMs: 300 });
    Object.assign(relay.prefect, { offersProtocol: false, onAuth: () => undefined });
    const client = await relay.connect({ inputs: { ...EVENTS_OUT, token: GOOD } });
    expect((await client.closed).code).toBe(1012);
    expect(relay.prefect.frames.filter((frame) => !frame.includes('auth'))).toEqual([]);
  });
});

describe('sockets that wait for their first frame', () => {
  it('are bounded per address: one more gets its 101 when a place is free', async () => {
    relay = await openTestRelay({ waitingPerAddress: 2 });
    const first = await relay.connect({ protocols: ['prefect'] });
    await relay.connect({ protocols: ['prefect'] });
    let opened = false;
    const third = relay.connect({ protocols: ['prefect'] }).then((client) => {
      opened = true;
      return client;
    });
    await relay.connect({ inputs: { address: '192.0.2.8' }, protocols: ['prefect'] });
    expect(opened).toBe(false);
    first.socket.send(auth(GOOD));
    await first.next();
    expect((await third).socket.readyState).toBe(1);
  });

  it('that leave while they wait cause no record and no warning', async () => {
    relay = await openTestRelay({ waitingPerAddress: 1, firstFrameMs: 30_000 });
    const first = await relay.connect({ protocols: ['prefect'] });
    const gone = await relay.raw();
    await relay.connect({ protocols: ['prefect'] }).then((beyond) => beyond.closed);
    gone.destroy();
    first.socket.send(auth(GOOD));
    await first.next();
    await relay.connect({ protocols: ['prefect'] });
    expect(relay.records.map(({ reason }) => reason)).toEqual(['sockets-waiting', 'policy-permits']);
    expect(relay.warnings.filter((warning) => warning.includes('before it was opened'))).toEqual([]);
  });

  it('and send it while they wait are open when their turn comes', async () => {
    relay = await openTestRelay({ waitingPerAddress: 1, firstFrameMs: 30_000 });
    const first = await relay.connect({ protocols: ['prefect'] });
    const frame = Buffer.from(auth(GOOD));
    const early = await relay.raw(Buffer.concat([Buffer.from([0x81, 0x80 | frame.length, 0, 0, 0, 0]), frame]));
    await relay.connect({ protocols: ['prefect'] }).then((beyond) => beyond.closed);
    first.socket.send(auth(GOOD));
    await first.next();
    let answer = '';
    early.on('data', (data) => (answer += data.toString('latin1')));
    await until(() => answer.includes('auth_success'), 'the answer to an early frame');
    early.destroy();
  });

  it('are closed with 1001 if no place becomes free, and at once if the queue is full', async () => {
    relay = await openTestRelay({ waitingPerAddress: 1, firstFrameMs: 1000 });
    // Its decision cannot be made: it keeps the one place.
    relay.state.outage = true;
    await byFrame(GOOD);
    await until(() => relay.warnings.length > 0, 'the first failed decision');
    const inLine = relay.connect({ protocols: ['prefect'] });
    const beyond = await relay.connect({ protocols: ['prefect'] });
    const full = { code: 1001, reason: expect.stringContaining('PREFECT_CLIENT_CUSTOM_HEADERS') };
    expect(await beyond.closed).toMatchObject(full);
    expect(await (await inLine).closed).toMatchObject(full);
    await until(() => relay.records.filter(({ reason }) => reason === 'sockets-waiting').length === 2, 'both records');
    expect(relay.records.at(-1)).toMatchObject({ decision: 'deny', status: 503 });
    relay.state.outage = false;
  });
});
