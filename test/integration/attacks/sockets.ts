// research rows WS: the five sockets, which carry the same rights as HTTP and have no second guard.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../env/browser-session.ts';
import { jsonLines } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { authFrame, openSocket } from '../../env/socket.ts';
import { expectNothingUpstream } from './harness.ts';
import { harness } from './one-gateway.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const SOCKETS = [
  '/api/events/in',
  '/api/events/out',
  '/api/logs/out',
  '/api/task_runs/subscriptions/scheduled',
  '/api/work_pools/any/workers/connect',
] as const;

describe.each(SOCKETS)('%s', (path) => {
  it('WS-01: without a credential and without the sub-protocol it is 401 before 101', async () => {
    expect(await openSocket(harness.gateway.url, path, { protocols: [] }).ended).toMatchObject({ status: 401 });
    expectNothingUpstream(harness);
  });

  it('WS-01: with a wrong header it is 401, or 1008 without a good first frame', async () => {
    const end = await openSocket(harness.gateway.url, path, { headers: bearer('wrong'), first: authFrame(null) }).ended;
    expect(end.status === 401 || end.code === 1008, JSON.stringify(end)).toBe(true);
    expectNothingUpstream(harness);
  });

  it.each([
    ['none', null],
    ['wrong', 'lct_wrong'],
    ['the auth string shape with a wrong token', 'any:lct_wrong'],
  ])('WS-04: a first frame with token %s closes with 1008', async (_what, token) => {
    const end = await openSocket(harness.gateway.url, path, { first: authFrame(token) }).ended;
    expect(end).toMatchObject({ code: 1008, status: null });
    expect(end.frames.filter((frame) => frame.includes('auth_success'))).toEqual([]);
    expectNothingUpstream(harness);
  });

  it("WS-04: the gateway's own upstream secret is not a credential", async () => {
    const end = await openSocket(harness.gateway.url, path, { first: authFrame(harness.recorder.authString) }).ended;
    expect(end.code).toBe(1008);
    expectNothingUpstream(harness);
  });

  it('WS-04: a first frame that is no auth frame closes with 1008', async () => {
    const end = await openSocket(harness.gateway.url, path, { first: { type: 'filter', filter: {} } }).ended;
    expect(end.code).toBe(1008);
    expectNothingUpstream(harness);
  });

  it.each([
    ['in the first frame', (token: string) => ({ first: authFrame(`any:${token}`) })],
    ['in the header', (token: string) => ({ headers: bearer(token), first: authFrame(null) })],
    ['in X-Lictor-Token', (token: string) => ({ headers: { 'x-lictor-token': token }, first: authFrame(null) })],
  ])('WS-04 twin: a good token %s opens it; the upstream secret goes up, never down', async (_where, options) => {
    const socket = openSocket(harness.gateway.url, path, options(harness.admin));
    await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'auth_success' });
    // Where Prefect is slow the gateway greets before it is there.
    await waitFor(() => harness.recorder.firstFrames().length > 0, { what: 'the first frame upstream' });
    expect(harness.recorder.firstFrames().map((frame) => JSON.parse(frame))).toEqual([authFrame(harness.recorder.authString)]);
    expect(JSON.stringify(harness.recorder.seen())).not.toContain(harness.admin);
    socket.close();
    const end = await socket.ended;
    expect(JSON.stringify(end.frames)).not.toContain(harness.recorder.authString);
  });
});

describe('rights on sockets', () => {
  it.each(['/api/events/in', '/api/events/out', '/api/logs/out'])(
    'WS-04: an API key alone sends null on %s, and is told which setting to use',
    async (path) => {
      const end = await openSocket(harness.gateway.url, path, { first: authFrame(null) }).ended;
      expect(end).toMatchObject({ code: 1008, reason: expect.stringContaining('PREFECT_API_AUTH_STRING=any:TOKEN') });
      expectNothingUpstream(harness);
    },
  );

  it('WS-01: a frame above the bound ends the socket, and none of it reaches Prefect; one below it passes', async () => {
    const event = (bytes: number) => ({
      ...{ id: crypto.randomUUID(), occurred: '2026-03-01T12:00:00Z', event: 'order.created', resource: { 'prefect.resource.id': 'order.1' } },
      payload: { text: 'x'.repeat(bytes) },
    });
    const socket = openSocket(harness.gateway.url, '/api/events/in', { headers: bearer(harness.admin), first: authFrame(null) });
    await waitFor(() => socket.frames().length > 0, { what: 'auth_success' });
    socket.send(event(1_500_000));
    await waitFor(() => harness.recorder.laterFrames().length === 1, { what: 'the event of the largest size that stock clients send', timeoutMs: 30_000 });
    socket.send(event(2_200_000));
    expect((await socket.ended).code).toBe(1009);
    expect(harness.recorder.laterFrames()).toHaveLength(1);
  });

  it('WS-01: a viewer may watch events but not send them', async () => {
    const end = await openSocket(harness.gateway.url, '/api/events/in', { headers: bearer(harness.viewer), first: authFrame(null) }).ended;
    expect(end.status === 403 || end.code === 1008, JSON.stringify(end)).toBe(true);
    expectNothingUpstream(harness);
    const out = openSocket(harness.gateway.url, '/api/events/out', { headers: bearer(harness.viewer), first: authFrame(null) });
    await waitFor(() => out.frames().some((frame) => frame.includes('auth_success')), { what: 'auth_success for a viewer' });
    out.close();
  });
});

describe('WS-02: the browser', () => {
  let session: Session;
  beforeAll(async () => {
    session = await harness.gateway.login(await harness.gateway.account('ws', 'admin'));
  });

  it.each(['https://evil.example', 'http://localhost.evil.example', 'http://localhost', 'null', 'http://127.0.0.1:1'])(
    'WS-02: cookie and Origin %s is refused with 403',
    async (origin) => {
      for (const path of SOCKETS) {
        expect(await openSocket(harness.gateway.url, path, { headers: { cookie: session.cookie, origin } }).ended, path).toMatchObject({ status: 403 });
      }
      expectNothingUpstream(harness);
    },
  );

  it('WS-02: a cookie without any Origin is refused', async () => {
    const end = await openSocket(harness.gateway.url, '/api/events/out', { headers: { cookie: session.cookie } }).ended;
    expect(end.status === 403 || end.code === 1008, JSON.stringify(end)).toBe(true);
    expectNothingUpstream(harness);
  });
});

describe('WS-03: revocation', () => {
  it('WS-03: an open socket closes with 1008 when its token is revoked, and the ledger says so', async () => {
    const { secret } = await harness.gateway.token('ws-03', ['viewer']);
    const socket = openSocket(harness.gateway.url, '/api/events/out', { headers: bearer(secret), first: authFrame(null) });
    await waitFor(() => socket.frames().length > 0, { what: 'the socket to stream' });
    await harness.gateway.lictorOk('token', 'revoke', 'ws-03');
    // The command returns when its change holds: the socket is being closed by then, and that is written down.
    const ended = { decision: 'deny', reason: 'credential-revoked', action: 'events.stream', path: '/api/events/out', path_taken: 'relay', status: 401 };
    const refusals = jsonLines(await harness.gateway.lictorOk('audit', '--decision', 'deny', '--json'));
    expect(refusals).toContainEqual(expect.objectContaining(ended));
    expect(await socket.ended).toMatchObject({ code: 1008 });
    const opened = jsonLines(await harness.gateway.lictorOk('audit', '--principal', 'token:ws-03', '--json'));
    expect(opened).toContainEqual(expect.objectContaining({ decision: 'allow', status: 101, path: '/api/events/out', path_taken: 'relay' }));
  });

  it('WS-03 twin: the socket of another token stays open', async () => {
    await harness.gateway.token('ws-03-b', ['viewer']);
    const socket = openSocket(harness.gateway.url, '/api/events/out', { headers: bearer(harness.viewer), first: authFrame(null) });
    await waitFor(() => socket.frames().length > 0, { what: 'the socket to stream' });
    await harness.gateway.lictorOk('token', 'revoke', 'ws-03-b');
    const outcome = await Promise.race([socket.ended, harness.gateway.fetch('/api/work_pools/p', { token: harness.viewer })]);
    expect(outcome).toBeInstanceOf(Response);
    socket.close();
  });
});
