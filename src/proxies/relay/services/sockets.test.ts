import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SocketService, startSocketService } from '../../../../test/env/socket-service.ts';
import { atOnce, codeOf, expectOpen, hold, readAll, readUntil, startWorld, statusOf, until, type World } from './world.fixture.ts';

let service: SocketService;
let world: World;
beforeEach(async () => {
  service = await startSocketService();
  world = await startWorld(service.port);
});
afterEach(async () => {
  await world.close();
  await service.close();
});

const restart = async (limits: Parameters<typeof startWorld>[1]): Promise<void> => {
  await world.close();
  world = await startWorld(service.port, limits);
};
const open = async (name = 'ada', headers = {}) => {
  const socket = await world.ask(name, headers);
  expect(statusOf(await readUntil(socket, 'hello of service'))).toBe(101);
  return socket;
};
const closeCode = (text: string): number => Buffer.from(text.slice(text.lastIndexOf('\x88')), 'latin1').readUInt16BE(2);

describe('a socket that is refused', () => {
  it('is refused before the service gets a request', async () => {
    world.denied.set('eve', 'policy-default-deny');
    const answers = [await readAll(await world.ask('')), await readAll(await world.ask('eve'))];
    expect(answers.map((text) => [statusOf(text), codeOf(text)])).toEqual([
      [401, 'credential-missing'],
      [403, 'policy-default-deny'],
    ]);
    expect(answers[0]).toContain('WWW-Authenticate: Bearer');
    expect(service.seen).toEqual([]);
    expect(world.records).toMatchObject([
      { decision: 'deny', status: 401, service: 'live', request_id: 'request-1' },
      { decision: 'deny', status: 403, reason: 'policy-default-deny' },
    ]);
    await open();
  });

  it('of a foreign page is refused before authentication', async () => {
    world.state.beforeDecision = () => Promise.reject(new Error('asked'));
    const foreign = await readAll(await world.ask('ada', { 'x-lictor-in-same-origin': '0' }));
    expect([statusOf(foreign), codeOf(foreign)]).toEqual([403, 'origin-foreign']);
    expect(codeOf(await readAll(await world.ask('ada', { 'sec-websocket-version': '12' })))).toBe('socket-handshake');
  });

  it('without an upgrade, as over HTTP/2, is refused as a missing handshake', async () => {
    const plain = { connection: 'keep-alive', upgrade: '' };
    expect(codeOf(await readAll(await world.ask('ada', plain)))).toBe('socket-handshake');
    expect(codeOf(await readAll(await world.ask('ada', { ...plain, 'x-lictor-in-same-origin': '0' })))).toBe('origin-foreign');
    expect(world.records.map(({ reason, status, service: name }) => [reason, status, name])).toEqual([
      ['socket-handshake', 400, 'live'],
      ['origin-foreign', 403, 'live'],
    ]);
  });

  it('is refused if no decision is possible, and if it cannot be recorded', async () => {
    world.state.beforeDecision = () => Promise.reject(new Error('Prefect is away'));
    const undecided = await readAll(await world.ask('ada'));
    expect([statusOf(undecided), codeOf(undecided)]).toEqual([503, 'gateway-unavailable']);
    world.state.beforeDecision = atOnce;
    world.state.ledgerWorks = false;
    expect(codeOf(await readAll(await world.ask('ada')))).toBe('ledger-unavailable');
    world.state.ledgerWorks = true;
    world.state.token = undefined;
    expect(codeOf(await readAll(await world.ask('ada')))).toBe('service-credential-unavailable');
    expect(service.seen).toEqual([]);
    await expectOpen(world, 0);
  });
});

describe('the places for sockets', () => {
  it('are bounded for one principal, and others have theirs', async () => {
    await restart({ perPrincipal: 2 });
    const [first] = [await open(), await open()];
    const refused = await readAll(await world.ask('ada'));
    expect([statusOf(refused), codeOf(refused)]).toEqual([429, 'rate-limited']);
    expect(refused).toMatch(/\r\nRetry-After: [0-9]+\r\n/);
    await open('bob');
    first.destroy();
    await expectOpen(world, 2);
    await open();
  });

  it('are bounded in total', async () => {
    await restart({ inAll: 2 });
    const [first] = [await open('ada'), await open('bob')];
    const refused = await readAll(await world.ask('eve'));
    expect([statusOf(refused), codeOf(refused)]).toEqual([503, 'sockets-full']);
    expect(refused).toMatch(/\r\nRetry-After: [0-9]+\r\n/);
    first.destroy();
    await expectOpen(world, 1);
    await open('eve');
  });

  it('are free at once if a client leaves while its socket opens', async () => {
    await restart({ perPrincipal: 1 });
    service.answer = () => undefined;
    const waiting = await world.ask('ada');
    await until(() => expect(service.seen).toHaveLength(1));
    waiting.destroy();
    await expectOpen(world, 0);
    await until(() => expect(world.records).toMatchObject([{ status: 499, reason: 'policy-permits', bytes: 0 }]));
    service.answer = null;
    await open();
  });

  it('are free at once also while the intent is recorded', async () => {
    const intent = hold();
    world.state.beforeIntent = intent.step;
    const waiting = await world.ask('ada');
    await intent.visibleIds();
    await expectOpen(world, 1);
    waiting.destroy();
    await expectOpen(world, 0);
    intent.go();
    await until(() => expect(world.records).toMatchObject([{ status: 499 }]));
    expect(service.seen).toEqual([]);
  });

  it('are free after a service that opens no socket', async () => {
    await restart({ perPrincipal: 1 });
    service.answer = (socket) => void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    expect(codeOf(await readAll(await world.ask('ada')))).toBe('service-socket-refused');
    expect(world.records).toMatchObject([{ decision: 'allow', status: 502, reason: 'service-socket-refused' }]);
    service.answer = null;
    await open();
  });
});

describe('an open socket', () => {
  it('is listed, and closed for now when an administrator closes it', async () => {
    const socket = await open('ada');
    const { sockets } = world.sockets;
    expect(sockets.list()).toMatchObject([{ id: 'request-1', kind: 'service', principal: 'token:ada', target: expect.stringContaining('/svc/') }]);
    expect([sockets.close('other'), sockets.close('request-1')]).toEqual([false, true]);
    expect(closeCode(await readAll(socket))).toBe(1001);
    await until(() => expect(sockets.list()).toEqual([]));
  });

  it('ends with its right, with a reason for the client and in the record', async () => {
    const [socket, other] = [await open('ada'), await open('bob')];
    world.denied.set('ada', 'credential-revoked');
    await world.sockets.recheck();
    expect(closeCode(await readAll(socket))).toBe(1008);
    await expectOpen(world, 1);
    await until(() => expect(world.records).toHaveLength(2));
    expect(world.records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ decision: 'deny', reason: 'credential-revoked', request_id: null, principal: 'token:ada' }),
        expect.objectContaining({ decision: 'allow', reason: 'credential-revoked', status: 101, request_id: 'request-1' }),
      ]),
    );
    expect(other.destroyed).toBe(false);
  });

  it('ends when its credential expires, and is decided again only then', async () => {
    world.state.expiresAtMs = Date.now() + 3_600_000;
    const lasting = await open('bob');
    world.state.expiresAtMs = Date.now() - 1;
    const socket = await open('ada');
    for (const name of ['ada', 'bob']) world.denied.set(name, 'credential-expired');
    await world.sockets.recheckExpired();
    expect(closeCode(await readAll(socket))).toBe(1008);
    await expectOpen(world, 1);
    expect(lasting.destroyed).toBe(false);
  });

  it('that was decided before a change and is not open yet does not open', async () => {
    const decision = hold();
    world.state.beforeDecision = decision.step;
    const late = await world.ask('ada');
    await decision.visibleIds();
    world.denied.set('ada', 'credential-revoked');
    world.state.beforeDecision = atOnce;
    await world.sockets.recheck();
    decision.go();
    expect(codeOf(await readAll(late))).toBe('credential-revoked');
    expect(service.seen).toEqual([]);
  });

  it('whose right ends while the service has not answered does not open', async () => {
    service.answer = () => undefined;
    const waiting = await world.ask('ada');
    await until(() => expect(service.seen).toHaveLength(1));
    world.denied.set('ada', 'locked');
    await world.sockets.recheck();
    expect(statusOf(await readAll(waiting))).toBe(403);
    await until(() =>
      expect(world.records).toEqual(expect.arrayContaining([expect.objectContaining({ request_id: 'request-1', reason: 'locked', status: 403 })])),
    );
    await expectOpen(world, 0);
  });

  it('is cut inside an incomplete frame: the gateway inserts no frame there', async () => {
    service.onSocket = (socket) => {
      socket.send('hello of service');
      // The head of a frame of 100 bytes, and ten of them.
      Reflect.get(socket, '_socket').write(Buffer.concat([Buffer.from([0x82, 100]), Buffer.from('half a one')]));
    };
    const socket = await world.ask('ada');
    await readUntil(socket, 'half a one');
    world.denied.set('ada', 'credential-revoked');
    await world.sockets.recheck();
    expect(await readAll(socket)).toBe('');
  });

  it('ends after silence in both directions', async () => {
    await restart({ idleMs: 300 });
    const socket = await open();
    expect(closeCode(await readAll(socket))).toBe(1001);
    await until(() => expect(world.records).toMatchObject([{ reason: 'socket-idle', status: 101 }]));
  });

  it('ends with the gateway; opening sockets are refused, and no more can open', async () => {
    const socket = await open();
    service.answer = () => undefined;
    const waiting = await world.ask('ada');
    await until(() => expect(service.seen).toHaveLength(2));
    const drained = world.sockets.drain();
    expect(closeCode(await readAll(socket))).toBe(1001);
    const answer = await readAll(waiting);
    expect([statusOf(answer), codeOf(answer)]).toEqual([503, 'gateway-restarts']);
    expect(answer).toContain('Retry-After');
    await drained;
    expect(codeOf(await readAll(await world.ask('ada')))).toBe('gateway-restarts');
    expect(service.seen).toHaveLength(2);
    expect(world.records.map(({ status, reason }) => [status, reason])).toEqual(
      expect.arrayContaining([
        [101, 'gateway-restarts'],
        [503, 'gateway-restarts'],
      ]),
    );
  });

  it('that was decided before the gateway began to stop does not open', async () => {
    const decision = hold();
    world.state.beforeDecision = decision.step;
    const late = await world.ask('ada');
    await decision.visibleIds();
    await world.sockets.drain();
    decision.go();
    expect(codeOf(await readAll(late))).toBe('gateway-restarts');
    expect(service.seen).toEqual([]);
  });
});
