import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authFrame, openSocket } from '../../../test/env/socket.ts';
import { openTestSidecar, type TestSidecar } from './gateway.fixture.ts';

let test: TestSidecar;
beforeEach(async () => {
  test = await openTestSidecar();
});
afterEach(() => test.close());

const PATH = '/api/events/in';
const header = () => ({ authorization: `Bearer ${test.sidecar.secret}` });
const SUCCESS = '{"type":"auth_success"}';

describe('a socket of the started process', () => {
  it.each([
    ['by the first frame', () => ({ first: authFrame(`lictor:${test.sidecar.secret}`) })],
    ['by the header', () => ({ headers: header(), first: authFrame(null) })],
    ['by both', () => ({ headers: header(), first: authFrame(`lictor:${test.sidecar.secret}`) })],
  ])('%s is joined with one to the gateway, with the credential in its header', async (_how, options) => {
    const socket = openSocket(test.sidecar.url, `${PATH}?x=1`, options());
    await expect.poll(() => socket.frames()).toEqual([SUCCESS]);
    socket.send('hello');
    await expect.poll(() => socket.frames()).toEqual([SUCCESS, 'echo hello']);
    const [upstream] = test.gateway.sockets;
    expect(upstream?.request.url).toBe(`${PATH}?x=1`);
    expect(upstream?.request.headers.authorization).toBe('Bearer c1');
    socket.close();
    await socket.ended;
  });

  it('of the oldest clients, without the sub-protocol and its frames, passes by its header', async () => {
    const socket = openSocket(test.sidecar.url, PATH, { headers: header(), protocols: [], first: { event: 1 } });
    await expect.poll(() => socket.frames()).toEqual(['echo {"event":1}']);
    socket.close();
  });

  it('ends as the gateway ends it: 1012 when the credential is over, and comes back with a fresh one', async () => {
    const socket = openSocket(test.sidecar.url, PATH, { headers: header(), first: authFrame(null) });
    await expect.poll(() => socket.frames()).toEqual([SUCCESS]);
    test.gateway.valid.clear();
    test.gateway.valid.add('c2');
    test.source.secret = 'c2';
    test.gateway.sockets[0]?.socket.close(1012, 'credential-expired');
    expect(await socket.ended).toMatchObject({ code: 1012, reason: 'credential-expired' });
    const again = openSocket(test.sidecar.url, PATH, { headers: header(), first: authFrame(null) });
    await expect.poll(() => again.frames()).toEqual([SUCCESS]);
    expect(test.gateway.sockets.at(-1)?.request.headers.authorization).toBe('Bearer c2');
    again.close();
  });

  it('is closed with 1008 and the hint of the gateway after a refusal', async () => {
    test.gateway.valid.clear();
    const socket = openSocket(test.sidecar.url, PATH, { headers: header(), first: authFrame(null) });
    expect(await socket.ended).toMatchObject({ code: 1008, reason: 'credential-expired: Rotate it.', frames: [] });
  });

  it('waits after its handshake for a gateway that restarts: its frames arrive', async () => {
    await test.gateway.stop();
    const socket = openSocket(test.sidecar.url, PATH, { headers: header(), first: authFrame(null) });
    await vi.waitFor(() => expect(socket.frames()).toEqual([SUCCESS]), { timeout: 20_000 });
    socket.send('meanwhile');
    await test.gateway.start();
    await vi.waitFor(() => expect(socket.frames()).toEqual([SUCCESS, 'echo meanwhile']), { timeout: 20_000 });
    socket.close();
  });

  it('that closes ends its upstream', async () => {
    const socket = openSocket(test.sidecar.url, PATH, { headers: header(), first: authFrame(null) });
    await expect.poll(() => socket.frames()).toEqual([SUCCESS]);
    socket.close();
    await expect.poll(() => test.gateway.sockets[0]?.socket.readyState).toBe(3);
  });
});

describe('another client of the port', () => {
  it.each([
    ['a wrong header', { headers: { authorization: 'Bearer wrong' } }],
    ['nothing and no sub-protocol', { protocols: [] }],
    ['a foreign Host', { headers: { host: 'evil.example' } }],
    ['an Origin', { headers: { origin: 'https://evil.example' } }],
  ])('is refused before 101 with %s', async (_what, options) => {
    const end = await openSocket(test.sidecar.url, PATH, options).ended;
    expect([400, 401]).toContain(end.status);
    expect(test.gateway.sockets).toEqual([]);
  });

  it.each([
    ['null', null],
    ['a wrong secret', 'lictor:wrong'],
    ["the gateway's credential", 'c1'],
  ])('is closed with 1008 with %s in its first frame', async (_what, token) => {
    expect(await openSocket(test.sidecar.url, PATH, { first: authFrame(token) }).ended).toMatchObject({ code: 1008, frames: [] });
    expect(test.gateway.sockets).toEqual([]);
  });

  it("even with the secret: only the gateway's API", async () => {
    expect(await openSocket(test.sidecar.url, '/.lictor/api/v1/stream', { headers: header() }).ended).toMatchObject({ status: 400 });
    expect(test.gateway.sockets).toEqual([]);
  });
});
