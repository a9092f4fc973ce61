// The forward proxy against raw sockets: CONNECT, open tunnels, bounds.
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AUTH, codeOf, connectTo, get, type Host, recorded, startHost, startWorldBefore, statusOf } from './host.fixture.ts';
import { CREDENTIAL, PUBLIC, RUN, readAll, TOKEN, type World } from './proxy.fixture.ts';

let world: World;
let host: Host;
beforeEach(async () => {
  host = await startHost();
  world = await startWorldBefore(host);
});
afterEach(async () => {
  await world.close();
  host.close();
});

/** A tunnel that is open: the answer's head has come. */
async function tunnel(more = AUTH, behind = ''): Promise<Socket> {
  const socket = await world.open();
  socket.write(connectTo('api.example.com:443', more) + behind);
  const head = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(socket.pause() && chunk.toString())));
  expect(head).toContain('HTTP/1.1 200 ');
  return socket;
}

describe('CONNECT', () => {
  it('carries bytes both ways to the address that was looked up, once, and is one record of the run', async () => {
    const socket = await tunnel();
    world.names.set('api.example.com', ['127.0.0.1']);
    socket.write('hello');
    await vi.waitFor(() => expect(host.received).toEqual(['hello']), { timeout: 10_000 });
    socket.end();
    expect(await readAll(socket)).toContain('echo hello');
    await recorded(world, 1);
    expect(world.records[0]).toMatchObject({
      ...{ action: 'services.connect', resource_type: 'Host', resource_id: 'api.example.com', method: 'CONNECT', path: 'api.example.com:443' },
      ...{ decision: 'allow', status: 200, path_taken: 'egress', flow_run_id: RUN, run_binding: 'verified', policies: ['team-a'], bytes: 15 },
    });
    expect(world.looked.filter((host) => host === 'api.example.com')).toHaveLength(1);
    expect(world.dialled).toEqual([`${PUBLIC}:443`]);
  });

  it('accepts a Bearer, and bytes after the head', async () => {
    const socket = await tunnel(`Proxy-Authorization: Bearer ${TOKEN}\r\n`, 'early GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(host.received).toEqual(['early GET / HTTP/1.1\r\n\r\n']), { timeout: 10_000 });
    socket.destroy();
  });

  it.each([
    ['no credential', 'api.example.com:443', '', 407, 'credential-missing'],
    ['an unknown credential', 'api.example.com:443', 'Proxy-Authorization: Bearer nobody\r\n', 407, 'credential-unknown'],
    ['the credential in another header', 'api.example.com:443', `Authorization: ${CREDENTIAL}\r\nX-Lictor-Token: ${TOKEN}\r\n`, 407, 'credential-missing'],
    ['two credentials', 'api.example.com:443', AUTH + AUTH, 407, 'credential-missing'],
    ['a host that is not listed', 'evil.test:443', AUTH, 403, 'host-unlisted'],
    ['the name above a pattern', 'example.com:443', AUTH, 403, 'host-unlisted'],
    ['another port', 'api.example.com:22', AUTH, 403, 'host-port'],
    ['an address', '169.254.169.254:443', AUTH, 403, 'host-literal'],
    ['an address in decimal', '2852039166:443', AUTH, 403, 'host-literal'],
    ['an address in brackets', '[::ffff:169.254.169.254]:443', AUTH, 403, 'host-literal'],
    ['a listed host that no policy permits', 'other.test:443', AUTH, 403, 'policy-default-deny'],
    ['user information', 'a@api.example.com:443', AUTH, 400, 'request-invalid'],
    ['a body', 'api.example.com:443', `${AUTH}Content-Length: 4\r\n`, 400, 'request-invalid'],
    ['two hosts', 'api.example.com:443', `${AUTH}Host: evil.test\r\n`, 400, 'request-invalid'],
  ])('refuses %s, recorded, and nothing goes out', async (_what, target, more, status, code) => {
    const text = await world.send(`${connectTo(target, more)}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect([statusOf(text), codeOf(text)]).toEqual([status, code]);
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text.includes('proxy-authenticate: Basic realm="lictor"')).toBe(status === 407);
    await recorded(world, 1);
    const known = status !== 407;
    expect(world.records[0]).toMatchObject({
      decision: 'deny',
      reason: code,
      status,
      run_binding: known ? 'verified' : 'none',
      flow_run_id: known ? RUN : null,
    });
    expect([world.dialled, host.received]).toEqual([[], []]);
    expect(JSON.stringify(world.records)).not.toContain(TOKEN);
  });

  it.each([
    ['is private', ['10.0.0.5']],
    ['is the metadata service', ['169.254.169.254']],
    ['is private beside a public one', [PUBLIC, '192.168.0.1']],
    ['is v4 in v6', ['::ffff:93.184.216.34']],
    ['is of this machine', ['8.8.4.4']],
    ['is that of Prefect', ['9.9.9.9']],
  ])('refuses a name of which an address %s', async (_what, addresses) => {
    world.names.set('prefect.internal', ['9.9.9.9']);
    world.names.set('api.example.com', addresses);
    const text = await world.send(connectTo('api.example.com:443'));
    expect([statusOf(text), codeOf(text)]).toEqual([403, 'host-private']);
    expect(world.records).toMatchObject([{ reason: 'host-private', decision: 'deny', flow_run_id: RUN, resource_id: 'api.example.com', policies: ['team-a'] }]);
    expect(world.dialled).toEqual([]);
  });

  it('reports an unknown name, and a host that does not answer', async () => {
    world.names.delete('api.example.com');
    expect(codeOf(await world.send(connectTo('api.example.com:443')))).toBe('host-unreachable');
    world.names.set('api.example.com', ['93.184.216.35']);
    expect(codeOf(await world.send(connectTo('api.example.com:443')))).toBe('host-unreachable');
    await recorded(world, 2);
    expect(world.records).toMatchObject([
      { decision: 'deny', status: 503 },
      { decision: 'allow', status: 503, reason: 'host-unreachable' },
    ]);
  });

  it('decides by the attributes of the run', async () => {
    world.tags = ['team-b'];
    expect(codeOf(await world.send(connectTo('api.example.com:443')))).toBe('policy-default-deny');
  });

  it('ignores a tag of a run that its deployment does not have', async () => {
    world.given = ['team-b'];
    world.tags = ['team-b', 'team-a'];
    expect(codeOf(await world.send(connectTo('api.example.com:443')))).toBe('policy-default-deny');
    expect(world.dialled).toEqual([]);
  });

  it('opens no connection that cannot be recorded', async () => {
    world.ledgerWorks = false;
    expect(codeOf(await world.send(connectTo('api.example.com:443')))).toBe('ledger-unavailable');
    expect(world.dialled).toEqual([]);
  });

  it('stays half open for the answer', async () => {
    host.answer = (socket) => void socket.removeAllListeners('end').once('end', () => socket.end('all of it'));
    const socket = await tunnel();
    socket.end('question');
    expect(await readAll(socket)).toContain('all of it');
  });
});

describe('an open tunnel', () => {
  it('is listed with its principal and its host, and is cut when an administrator closes it', async () => {
    const closed = readAll(await tunnel());
    const { sockets } = world.proxy;
    const [open] = sockets.list();
    expect(open).toMatchObject({ kind: 'forward', target: 'api.example.com:443', principal: expect.any(String), worker: null });
    expect([sockets.close(''), sockets.close('other'), world.proxy.count()]).toEqual([false, false, 1]);
    expect(sockets.close(open?.id ?? '')).toBe(true);
    await closed;
    expect(sockets.list()).toEqual([]);
  });

  it('is cut when its credential is revoked, with a record; another stays', async () => {
    const socket = await tunnel();
    const closed = readAll(socket);
    await world.proxy.recheck();
    expect(world.proxy.count()).toBe(1);
    world.valid = false;
    await world.proxy.recheck();
    await closed;
    await recorded(world, 2);
    expect(world.records.map(({ decision, reason, status }) => [decision, reason, status])).toContainEqual(['deny', 'credential-unknown', 407]);
    expect(world.proxy.count()).toBe(0);
  });

  it('is never opened if its credential is revoked during the decision', async () => {
    world.beforeAllow = async () => {
      world.beforeAllow = async () => undefined;
      world.valid = false;
      await world.proxy.recheck();
    };
    await world.send(connectTo('api.example.com:443'));
    expect([world.dialled, host.received]).toEqual([[], []]);
    expect(world.records).toMatchObject([{ decision: 'deny', reason: 'credential-unknown' }]);
  });

  it('twin: is opened when the change leaves it allowed', async () => {
    world.beforeAllow = async () => {
      world.beforeAllow = async () => undefined;
      await world.proxy.recheck();
    };
    (await tunnel()).destroy();
    expect(world.dialled).toEqual([`${PUBLIC}:443`]);
  });

  it('is cut when the host leaves the list', async () => {
    const closed = readAll(await tunnel());
    world.allow = [];
    await world.proxy.recheck();
    await closed;
    expect(world.records.map(({ reason }) => reason)).toContain('host-unlisted');
  });

  it('is cut when its credential expires', async () => {
    world.expiresAtMs = Date.now() + 100;
    const socket = await tunnel();
    world.valid = false;
    await readAll(socket);
    await recorded(world, 2);
  });

  it('outlives its listener, which goes at once', async () => {
    const socket = await tunnel();
    (await world.proxy.prepare(null)).commit();
    await expect(world.open()).rejects.toThrow('ECONNREFUSED');
    socket.write('still');
    await vi.waitFor(() => expect(host.received).toEqual(['still']), { timeout: 10_000 });
    socket.destroy();
  });

  it('is not made where the port is taken, and nothing changes', async () => {
    await expect(world.proxy.prepare({ host: '127.0.0.1', port: host.port })).rejects.toThrow('EADDRINUSE');
    (await tunnel()).destroy();
  });
});

describe('bounds', () => {
  const bounded = async (limits: Parameters<typeof startWorldBefore>[1]) => {
    await world.close();
    world = await startWorldBefore(host, limits);
  };

  it('end heads that do not come', async () => {
    await bounded({ headMs: 200, lingerMs: 100 });
    await world.send('CONNECT api.example.com:443 HTTP/1.1\r\nHost: a');
    await world.send('');
    expect(world.dialled).toEqual([]);
  });

  it('end heads that are too large', async () => {
    expect(statusOf(await world.send(get('http://api.example.com/', `${AUTH}X-Long: ${'x'.repeat(40_000)}\r\n`)))).toBe(400);
  });

  it('end silent tunnels', async () => {
    await bounded({ idleMs: 200 });
    await readAll(await tunnel());
    await recorded(world, 1);
  });

  it('write down what is open when the gateway ends', async () => {
    await tunnel();
    await world.proxy.close();
    expect(world.records).toMatchObject([{ decision: 'allow', status: 200 }]);
  });

  it('hold in total: a silent connection makes room for a new one, and running ones stay', async () => {
    await bounded({ inAll: 2 });
    const silent = readAll(await world.open());
    const slow = await world.open();
    slow.write('CONNECT api.example.com:443 HTTP/1.1\r\nHost: a');
    const half = readAll(slow);
    const first = await tunnel();
    expect(await silent).toBe('');
    const second = await tunnel();
    expect(await half).toBe('');
    expect(await world.send(connectTo('api.example.com:443'))).toBe('');
    expect(world.proxy.count()).toBe(2);
    first.destroy();
    await vi.waitFor(() => expect(world.proxy.count()).toBe(1), { timeout: 10_000 });
    second.destroy();
  });

  it('hold in total: a refused connection also makes room, even if its client does not read, and running ones stay', async () => {
    await bounded({ inAll: 3, lingerMs: 600_000 });
    const first = await tunnel();
    for (const refused of [connectTo('api.example.com:443', ''), connectTo('evil.test:443')]) (await world.open()).write(refused);
    await recorded(world, 2);
    const second = await tunnel();
    const third = await tunnel();
    expect(await world.send(connectTo('api.example.com:443'))).toBe('');
    expect(world.proxy.count()).toBe(3);
    for (const socket of [first, second, third]) socket.destroy();
  });

  it('hold for a principal, who gets the place again', async () => {
    await bounded({ perPrincipal: 1 });
    const first = await tunnel();
    const text = await world.send(connectTo('api.example.com:443'));
    expect([statusOf(text), codeOf(text)]).toEqual([429, 'rate-limited']);
    first.destroy();
    await vi.waitFor(() => expect(world.proxy.count()).toBe(0), { timeout: 10_000 });
    (await tunnel()).destroy();
  });
});
