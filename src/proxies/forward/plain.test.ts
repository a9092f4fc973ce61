// The forward proxy against raw sockets: plain http.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTokenText } from '../../identity/authn/service-token/token-text.ts';
import { AUTH, codeOf, connectTo, get, type Host, recorded, startHost, startWorldBefore, statusOf } from './host.fixture.ts';
import { PUBLIC, RUN, TOKEN, type World } from './proxy.fixture.ts';

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

describe('plain http', () => {
  const page =
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Lictor-Facts: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok';
  beforeEach(() => {
    host.answer = (socket) => void socket.end(page);
  });

  it('is answered when the proxy closes meanwhile', async () => {
    await world.close();
    world = await startWorldBefore(host, { drainMs: 5_000 });
    const [asked, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    host.answer = (socket) => {
      asked.resolve();
      void goOn.promise.then(() => socket.end(page));
    };
    const answer = world.send(get('http://api.example.com/', AUTH));
    await asked.promise;
    const closed = world.proxy.close();
    goOn.resolve();
    expect(statusOf(await answer)).toBe(200);
    await closed;
  });

  it('is made anew: Host of the target, nothing of this hop, no credential of the gateway', async () => {
    const more = `${AUTH}Authorization: Basic ${Buffer.from('api:key').toString('base64')}\r\nConnection: X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Lictor-Assertion: forged\r\nX-Lictor-Token: ${TOKEN}\r\nProxy-Connection: keep-alive\r\nAccept: */*\r\n`;
    const text = await world.send(get('http://API.example.com/a?b=c', more));
    expect(statusOf(text)).toBe(200);
    expect(text.toLowerCase()).not.toMatch(/x-hop|keep-alive|x-lictor/);
    expect(text.match(/set-cookie/gi)).toHaveLength(2);
    const sent = host.received[0] ?? '';
    expect(sent).toMatch(/^GET \/a\?b=c HTTP\/1\.1\r\n/);
    expect(sent.match(/host: .*/gi)).toEqual(['host: api.example.com']);
    expect(sent).toContain('authorization: Basic YXBpOmtleQ==');
    expect(sent.toLowerCase()).not.toMatch(/proxy-|x-lictor|x-mine|upgrade|te: |keep-alive/);
    await recorded(world, 1);
    expect(world.records[0]).toMatchObject({ method: 'GET', path: '/a', status: 200, decision: 'allow', flow_run_id: RUN, resource_id: 'api.example.com' });
    expect(world.dialled).toEqual([`${PUBLIC}:80`]);
  });

  it('does not show its token to the host as Authorization either', async () => {
    await world.send(get('http://api.example.com/', `${AUTH}Authorization: Bearer ${TOKEN}\r\n`));
    expect(host.received[0]?.toLowerCase()).not.toContain('authorization');
  });

  it.each([
    ['a service token', createTokenText('0123456789').text],
    ['an access token', createTokenText('0123456789', 'lca_').text],
    ['a token of a login', createTokenText('0123456789', 'lcu_').text],
    ['something that begins like a token', 'lct_abc'],
  ])('does not show %s of the gateway to the host, though the request is proven by another one', async (_what, token) => {
    for (const value of [`Bearer ${token}`, `Basic ${Buffer.from(`any:${token}`).toString('base64')}`]) {
      host.received.length = 0;
      await world.send(get('http://api.example.com/', `${AUTH}Authorization: ${value}\r\n`));
      expect(host.received[0]).toContain('GET / HTTP/1.1');
      expect(host.received[0]?.toLowerCase()).not.toContain('authorization');
    }
  });

  it('twin: shows the key of the host itself', async () => {
    await world.send(get('http://api.example.com/', `${AUTH}Authorization: Bearer key-of-the-host\r\n`));
    expect(host.received[0]).toContain('authorization: Bearer key-of-the-host');
  });

  it.each([
    ['chunked', 'Transfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n', 'transfer-encoding: chunked'],
    ['counted', 'Content-Length: 2\r\n', 'hi', 'content-length: 2'],
    ['counted, though its length is named a matter of this hop', 'Connection: content-length\r\nContent-Length: 2\r\n', 'hi', 'content-length: 2'],
  ])('hands a body on framed as it came, on GET too: %s', async (_what, framing, body, header) => {
    const whole = header.includes('chunked') ? body : `\r\n\r\n${body}`;
    host.answer = (socket) => void (host.received[0]?.endsWith(whole) === true && socket.end(page));
    for (const method of ['GET', 'POST']) {
      host.received.length = 0;
      expect(statusOf(await world.send(get('http://api.example.com/', AUTH + framing, method) + body))).toBe(200);
      expect(host.received[0]).toContain(header);
    }
  });

  it.each([
    ['two framings', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n'],
    ['another coding', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
    ['a folded line', 'X-A: b\r\n c: d\r\n'],
    ['a bare line feed', 'X-A: b\nX-B: c\r\n'],
    ['a bare carriage return', 'X-A: b\rX-B: c\r\n'],
    ['two hosts', 'Host: evil.test\r\n'],
  ])('refuses %s', async (_what, header) => {
    const text = await world.send(get('http://api.example.com/', AUTH + header));
    expect(statusOf(text)).toBe(400);
    expect([world.dialled, host.received]).toEqual([[], []]);
  });

  it.each([
    ['origin form', '/path', 400],
    ['user information', 'http://a:b@api.example.com/', 400],
    ['https', 'https://api.example.com/', 403],
    ['an address', 'http://169.254.169.254/latest/meta-data', 403],
    ['a host that is not listed', 'http://evil.test/', 403],
  ])('refuses %s', async (_what, target, status) => {
    expect(statusOf(await world.send(get(target)))).toBe(status);
    await recorded(world, 1);
    expect(host.received).toEqual([]);
  });

  it('asks for a credential', async () => {
    const text = await world.send(get('http://api.example.com/', ''));
    expect(statusOf(text)).toBe(407);
    expect(text).toContain('proxy-authenticate: Basic realm="lictor"');
  });

  it('answers one request a connection: what follows never goes out', async () => {
    host.answer = () => undefined;
    await world.send(get('http://api.example.com/one') + get('http://api.example.com/two') + connectTo('api.example.com:443'));
    expect(host.received.join('')).not.toMatch(/two|CONNECT/);
  });

  it('passes on a body that is malformed as one that broke off', async () => {
    host.answer = () => undefined;
    const text = await world.send(
      `${get('http://api.example.com/', `${AUTH}Transfer-Encoding: chunked\r\n`, 'POST')}2\r\nhi\r\nzz\r\nGET http://api.example.com/two HTTP/1.1\r\n\r\n`,
    );
    expect(text).toBe('');
    await recorded(world, 1);
    expect(host.received.join('')).not.toMatch(/\r\n0\r\n|two/);
    expect(world.records[0]).toMatchObject({ decision: 'allow', status: 499 });
  });

  it('cuts an answer off that the host cuts off, and says so where none came', async () => {
    host.answer = (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await world.send(get('http://api.example.com/'))).toMatch(/half$/);
    host.answer = (socket) => void socket.end('nonsense');
    expect(codeOf(await world.send(get('http://api.example.com/')))).toBe('host-unreachable');
    host.answer = (socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n');
    expect(codeOf(await world.send(get('http://api.example.com/')))).toBe('host-unreachable');
  });
});
