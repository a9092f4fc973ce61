import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { EVENTS_IN, EVENTS_OUT, GOOD, openTestRelay, SECRET, type TestClient, type TestRelay, until } from './relay.fixture.ts';

let relay: TestRelay;
afterEach(() => relay.close());

const MIB = 1024 * 1024;

async function opened(inputs: object = EVENTS_IN): Promise<TestClient> {
  const client = await relay.connect({ inputs: { ...inputs, token: GOOD } });
  await until(() => relay.prefect.frames.length > 0, 'the socket to Prefect');
  return client;
}

const prefectSide = () => {
  const socket = relay.prefect.sockets.at(-1);
  if (socket === undefined) throw new Error('no socket at Prefect');
  return socket;
};

describe('an open socket', () => {
  it('is listed, and closed with 1012 when an administrator closes it: its client may connect again', async () => {
    relay = await openTestRelay();
    const client = await opened();
    const { sockets } = relay.relay;
    expect(sockets.list()).toMatchObject([{ id: 'req-1', kind: 'prefect', target: '/api/events/in', address: '192.0.2.7', worker: null }]);
    expect([sockets.close('other'), sockets.close('req-1')]).toEqual([false, true]);
    expect(await client.closed).toMatchObject({ code: 1012, reason: expect.stringContaining('socket-closed') });
    await until(() => sockets.list().length === 0, 'the end of the socket');
  });

  it('leaves files for decisions: beyond the bound nginx gets no answer and asks the supervisor, until a socket has ended', async () => {
    relay = await openTestRelay({ connections: 1 });
    const client = await opened();
    await expect(relay.connect({ inputs: { ...EVENTS_IN, token: GOOD } })).rejects.toThrow();
    client.socket.close();
    await client.closed;
    await until(() => relay.relay.count() === 0, 'the end of the socket');
    expect((await opened()).socket.readyState).toBe(1);
  });

  it('forwards frames in order, both ways', async () => {
    relay = await openTestRelay();
    const client = await opened();
    for (let index = 0; index < 200; index += 1) client.socket.send(`in-${index}`);
    for (let index = 0; index < 200; index += 1) prefectSide().send(`out-${index}`);
    await until(() => relay.prefect.frames.length === 201 && client.received.length === 200, 'all frames');
    expect(relay.prefect.frames.slice(1)).toEqual(Array.from({ length: 200 }, (_, index) => `in-${index}`));
    expect(client.received).toEqual(Array.from({ length: 200 }, (_, index) => `out-${index}`));
  });

  it('passes pings from end to end: a pong proves that Prefect has what was sent before', async () => {
    relay = await openTestRelay();
    const client = await opened();
    const pong = once(client.socket, 'pong');
    client.socket.send('event');
    client.socket.ping('checkpoint');
    expect(String((await pong)[0])).toBe('checkpoint');
    expect(relay.prefect.pings).toEqual(['checkpoint']);
    expect(relay.prefect.frames.at(-1)).toBe('event');
  });

  it("answers Prefect's pings with the client's pongs", async () => {
    relay = await openTestRelay();
    await opened();
    const pong = once(prefectSide(), 'pong');
    prefectSide().ping('alive?');
    expect(String((await pong)[0])).toBe('alive?');
  });

  it('closes 1009 on a frame above 2 MiB and passes one below', async () => {
    relay = await openTestRelay();
    const client = await opened();
    client.socket.send('x'.repeat(2 * MIB));
    await until(() => relay.prefect.frames.length === 2, 'the large frame');
    client.socket.send('x'.repeat(2 * MIB + 1));
    expect((await client.closed).code).toBe(1009);
    expect(relay.prefect.frames).toHaveLength(2);
  });

  it('takes a turn before it parses a large event, and later small ones wait', async () => {
    const turns: (() => void)[] = [];
    relay = await openTestRelay({}, { turn: () => new Promise((resolve) => turns.push(resolve)) });
    const client = await opened();
    client.socket.send('small');
    await until(() => relay.prefect.frames.length === 2, 'the small frame');
    expect(turns).toEqual([]);
    client.socket.send('x'.repeat(MIB));
    client.socket.send('behind');
    client.socket.ping('after');
    await until(() => turns.length === 1, 'the large frame');
    expect([relay.prefect.frames.length, relay.prefect.pings]).toEqual([2, []]);
    turns.shift()?.();
    await until(() => relay.prefect.pings.length === 1, 'all frames');
    expect(relay.prefect.frames.slice(1).map((frame) => frame.length)).toEqual([5, MIB, 6]);
  });

  it('closes 1003 on a binary frame', async () => {
    relay = await openTestRelay();
    const client = await opened();
    client.socket.send(Buffer.from('bytes'));
    expect((await client.closed).code).toBe(1003);
    expect(relay.prefect.frames).toHaveLength(1);
  });

  it('passes every frame to its gate: a dropped one is recorded, and the socket stays', async () => {
    const gate = (data: Buffer) =>
      data.toString() === 'forged'
        ? { pass: false as const, dropped: { code: 'event-reserved' as const, detail: 'not yours', subject: 'prefect.x' } }
        : { pass: true as const, data: Buffer.from(`checked ${data}`) };
    relay = await openTestRelay({}, { gateFor: () => gate });
    const client = await opened();
    client.socket.send('one');
    client.socket.send('forged');
    client.socket.send('two');
    await until(() => relay.prefect.frames.length === 3, 'both other frames');
    expect(relay.prefect.frames.slice(1)).toEqual(['checked one', 'checked two']);
    expect(relay.records.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'event-reserved',
      status: 403,
      resource_id: 'prefect.x',
      principal: 'token:etl',
      request_id: null,
    });
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  it('records at most twenty dropped frames of a socket a minute', async () => {
    relay = await openTestRelay({}, { gateFor: () => () => ({ pass: false, dropped: { code: 'body-not-json', detail: 'x', subject: null } }) });
    const client = await opened();
    const drop = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) client.socket.send('x');
      const pong = once(client.socket, 'pong');
      client.socket.ping();
      await pong;
    };
    await drop(50);
    const dropped = () => relay.records.filter(({ reason }) => reason === 'body-not-json').length;
    expect(dropped()).toBe(20);
    relay.state.now -= 3_600_000;
    relay.state.steadyMs += 59_999;
    await drop(1);
    expect(dropped()).toBe(20);
    relay.state.steadyMs += 1;
    await drop(1);
    expect(dropped()).toBe(21);
    expect(relay.warnings.join()).toContain('"count":31');
  });

  it('negotiates no compression', async () => {
    relay = await openTestRelay();
    const client = await opened();
    expect(client.socket.extensions).toBe('');
  });
});

describe('backpressure', () => {
  const frame = 'x'.repeat(64 * 1024);
  const total = 32 * MIB;

  it('stops reading Prefect while the client does not read, and loses nothing', async () => {
    relay = await openTestRelay();
    const client = await opened(EVENTS_OUT);
    client.socket.pause();
    const source = prefectSide();
    let sent = 0;
    while (sent < total) {
      source.send(frame);
      sent += frame.length;
    }
    await settled(() => source.bufferedAmount);
    // What left Prefect's side is what the kernel and the relay hold: not all of it.
    expect(total - source.bufferedAmount).toBeLessThan(16 * MIB);
    client.socket.resume();
    await until(() => client.received.length === total / frame.length, 'everything');
  });

  it('stops reading the client while Prefect does not read, and loses nothing', async () => {
    relay = await openTestRelay();
    const client = await opened();
    prefectSide().pause();
    let sent = 0;
    while (sent < total) {
      client.socket.send(frame);
      sent += frame.length;
    }
    await settled(() => client.socket.bufferedAmount);
    expect(total - client.socket.bufferedAmount).toBeLessThan(16 * MIB);
    prefectSide().resume();
    await until(() => relay.prefect.frames.length === total / frame.length + 1, 'everything');
  });
});

describe('the end of a socket', () => {
  it.each([
    [1000, 'done'],
    [1001, 'going'],
    [1002, 'Invalid filter: x'],
    [1008, 'authentication_failed'],
    [1011, 'error'],
    [1012, 'restart'],
    [1013, 'later'],
    [4001, 'private'],
  ])('passes %i of Prefect to the client', async (code, reason) => {
    relay = await openTestRelay();
    const client = await opened();
    prefectSide().close(code, reason);
    expect(await client.closed).toEqual({ code, reason });
  });

  it('turns a broken connection to Prefect into 1012, after which stock clients reconnect', async () => {
    relay = await openTestRelay();
    const client = await opened();
    prefectSide().terminate();
    expect((await client.closed).code).toBe(1012);
  });

  it("never passes Prefect's secret on in a reason", async () => {
    relay = await openTestRelay();
    const client = await opened();
    prefectSide().close(1008, `Invalid token ${SECRET}`);
    expect(await client.closed).toEqual({ code: 1008, reason: '' });
  });

  it.each([1000, 1001, 4002])('passes %i of the client to Prefect', async (code) => {
    relay = await openTestRelay();
    const client = await opened();
    const closed = once(prefectSide(), 'close');
    client.socket.close(code, 'bye');
    expect((await closed)[0]).toBe(code);
  });

  it("turns a client's broken connection into 1001 at Prefect", async () => {
    relay = await openTestRelay();
    const client = await opened();
    const closed = once(prefectSide(), 'close');
    client.socket.terminate();
    expect((await closed)[0]).toBe(1001);
  });

  it('delivers what was sent before the close', async () => {
    relay = await openTestRelay();
    const client = await opened();
    for (let index = 0; index < 100; index += 1) client.socket.send('e'.repeat(10_000));
    client.socket.close(1000);
    await until(() => relay.prefect.frames.length === 101, 'every event');
  });
});

describe('Prefect away or slow', () => {
  it('holds an accepted /events/in, and delivers when Prefect answers again', async () => {
    relay = await openTestRelay();
    let refusals = 2;
    relay.prefect.onAuth = (socket) => {
      if (refusals > 0) socket.close(1011);
      else socket.send('{"type":"auth_success"}');
      refusals -= 1;
    };
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD }, protocols: ['prefect'] });
    client.socket.send('{"type":"auth","token":null}');
    expect(await client.next()).toBe('{"type":"auth_success"}');
    client.socket.send('event-1');
    client.socket.ping('checkpoint');
    await until(() => relay.prefect.frames.includes('event-1'), 'the event');
    await until(() => relay.prefect.pings.length === 1, 'the ping behind it');
    expect(relay.prefect.sockets).toHaveLength(3);
  });

  it.each<[string, number, number, { readonly left?: number; readonly isRevoked?: boolean }?]>([
    ['delivers the last events of a client that has closed', 1000, 2],
    ['leaves the events of a client that comes back to the client', 1012, 1],
    ['bounds how many closed clients wait', 1000, 1, { left: 0 }],
    ['drops the events of a client whose token is revoked', 1000, 1, { isRevoked: true }],
  ])('%s meanwhile', async (_what, code, frames, { left = 1, isRevoked = false } = {}) => {
    relay = await openTestRelay({ greetAfterMs: 20, left });
    const waiting: (() => void)[] = [];
    relay.prefect.onAuth = (socket) => waiting.push(() => socket.send('{"type":"auth_success"}'));
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD }, protocols: ['prefect'] });
    client.socket.send('{"type":"auth","token":null}');
    expect(await client.next()).toBe('{"type":"auth_success"}');
    client.socket.send('event-1');
    client.socket.close(code);
    await client.closed;
    if (isRevoked) relay.allowed.delete(GOOD);
    if (isRevoked) await relay.relay.recheck();
    for (const answer of waiting) answer();
    await until(() => relay.prefect.sockets.length === 1 && relay.prefect.sockets[0]?.readyState === client.socket.CLOSED, 'the end at Prefect');
    expect(relay.prefect.frames).toHaveLength(frames);
  });

  it('lets a client out of its handshake although Prefect does not answer, then ends with 1012', async () => {
    relay = await openTestRelay({ greetAfterMs: 20, upstreamHoldMs: 300 });
    relay.prefect.onAuth = () => undefined;
    const client = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD }, protocols: ['prefect'] });
    client.socket.send('{"type":"auth","token":null}');
    expect(await client.next()).toBe('{"type":"auth_success"}');
    expect((await client.closed).code).toBe(1012);
  });

  it('closes with 1012 when Prefect stays away, and without a word of why', async () => {
    relay = await openTestRelay({ upstreamHoldMs: 200 });
    relay.prefect.onAuth = (socket) => socket.close(1008, `Invalid token ${SECRET}`);
    const client = await relay.connect({ inputs: { token: GOOD } });
    expect(await client.closed).toEqual({ code: 1012, reason: 'Prefect cannot be reached' });
  });

  it('stops reading a client that sends on meanwhile', async () => {
    relay = await openTestRelay({ drainMs: 50 });
    relay.prefect.onAuth = () => undefined;
    const client = await opened();
    const frame = 'x'.repeat(64 * 1024);
    for (let sent = 0; sent < 32 * MIB; sent += frame.length) client.socket.send(frame);
    await settled(() => client.socket.bufferedAmount);
    expect(client.socket.bufferedAmount).toBeGreaterThan(24 * MIB);
  });

  it('gives the connection to Prefect up when the client leaves meanwhile', async () => {
    relay = await openTestRelay();
    relay.prefect.onAuth = () => undefined;
    const client = await opened();
    const closed = once(prefectSide(), 'close');
    client.socket.close();
    await closed;
    expect(relay.relay.count()).toBe(0);
  });
});

describe('restart', () => {
  it('closes what is open with 1012 and goes on accepting', async () => {
    relay = await openTestRelay();
    const client = await opened();
    await relay.relay.restart();
    expect((await client.closed).code).toBe(1012);
    const next = await relay.connect({ inputs: { ...EVENTS_IN, token: GOOD } });
    expect(next.socket.readyState).toBe(next.socket.OPEN);
  });

  it('later: only what was open at the call, as far as it still is', async () => {
    relay = await openTestRelay();
    const [early, leaving] = [await opened(), await opened()];
    const restarted = relay.relay.restart(200);
    leaving.socket.close();
    await leaving.closed;
    const late = await opened();
    expect(early.socket.readyState).toBe(early.socket.OPEN);
    await restarted;
    expect((await early.closed).code).toBe(1012);
    expect(late.socket.readyState).toBe(late.socket.OPEN);
  });
});

describe('drain', () => {
  it('closes every socket with 1012, one that does not answer too, and one of events within its handshake with 1001', async () => {
    relay = await openTestRelay({ drainMs: 200 });
    const clients = [await opened(), await opened(EVENTS_OUT), await relay.connect({ inputs: EVENTS_OUT, protocols: ['prefect'] })];
    const unready = await relay.connect({ protocols: ['prefect'] });
    const deaf = await opened();
    deaf.raw.pause();
    await relay.relay.drain();
    for (const client of clients) expect((await client.closed).code).toBe(1012);
    expect((await unready.closed).code).toBe(1001);
    expect(relay.relay.count()).toBe(0);
    await until(() => relay.prefect.sockets.every((socket) => socket.readyState === socket.CLOSED), 'no socket at Prefect');
  });
});

/** Waits until a number stops moving: ten looks alike. */
async function settled(look: () => number): Promise<void> {
  let last = Number.NaN;
  let alike = 0;
  await until(() => {
    const now = look();
    alike = now === last ? alike + 1 : 0;
    last = now;
    return alike > 10;
  }, 'a standstill');
}
