import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../../test/env/authority.ts';
import { type Attempt, type AttemptOptions, attemptSocket, checkSocket } from './sockets.ts';

const none: Attempt = { status: null, code: null, contentType: 'application/json', end: null, error: null };
const REFUSED: Attempt = { ...none, status: 401, code: 'credential-missing' };
const CLOSED: Attempt = { ...none, status: 101, end: 1008 };
const OPEN: Attempt = { ...none, status: 101, end: 'open' };

/** As this gateway does. */
function gateway({ headers, frame }: AttemptOptions): Attempt {
  if (Object.keys(headers).length > 0) return OPEN;
  if (frame === undefined) return REFUSED;
  return frame.token === null ? CLOSED : OPEN;
}

function check(attempt: (options: AttemptOptions) => Attempt) {
  const tls = { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined };
  return checkSocket({ base: 'https://x.example/p', token: 'lct_t', tls, attempt: async (options) => attempt(options) }, '/api/events/in');
}

describe('a socket', () => {
  it('is rejected without a credential and opens with one in each of four places', async () => {
    const seen: AttemptOptions[] = [];
    const found = await check((options) => {
      seen.push(options);
      return gateway(options);
    });
    expect(found).toMatchObject([{ status: 'ok' }]);
    expect(seen.map(({ url }) => url)).toEqual(Array.from({ length: 6 }, () => 'wss://x.example/p/api/events/in'));
    expect(seen.slice(2).map(({ headers, frame }) => Object.keys(headers)[0] ?? frame?.token)).toEqual([
      'authorization',
      'authorization',
      'x-lictor-token',
      'doctor:lct_t',
    ]);
  });

  it('names a stripped Upgrade once, with what to write in the proxy', async () => {
    const found = await check((options) => (gateway(options) === OPEN ? { ...none, status: 400, code: 'not-a-socket' } : REFUSED));
    expect(found).toMatchObject([
      { status: 'fail', message: expect.stringContaining('a proxy dropped the Upgrade header'), remedy: expect.stringContaining('proxy_set_header Upgrade') },
    ]);
  });

  it('names the one carrier that a proxy drops', async () => {
    const found = await check((options) => ('x-lictor-token' in options.headers ? REFUSED : gateway(options)));
    expect(found).toMatchObject([
      { status: 'fail', message: expect.stringContaining('X-Lictor-Token: 401'), remedy: expect.stringContaining('let it forward that') },
    ]);
  });

  it('names one that opens without a credential, and one that gets a page', async () => {
    expect(await check(() => OPEN)).toMatchObject([{ status: 'fail', message: expect.stringContaining('without any credential') }, { status: 'fail' }]);
    const page = await check((options) => (gateway(options) === REFUSED ? { ...none, status: 502, contentType: 'text/html' } : gateway(options)));
    expect(page).toMatchObject([{ status: 'fail', message: expect.stringContaining('502 a page') }]);
  });

  it('names a close code that does not arrive, and a connection that fails', async () => {
    expect(await check((options) => (gateway(options) === CLOSED ? { ...CLOSED, end: 1006 } : gateway(options)))).toMatchObject([
      { status: 'fail', message: expect.stringContaining('1006') },
    ]);
    const failing = await check((options) => (gateway(options) === OPEN ? { ...none, error: 'ECONNRESET' } : gateway(options)));
    expect(failing).toHaveLength(4);
    expect(failing[0]).toMatchObject({ status: 'fail', message: expect.stringContaining('ECONNRESET') });
  });

  it('reports once a common error of every attempt', async () => {
    expect(await check(() => ({ ...none, error: 'ECONNREFUSED' }))).toMatchObject([
      { status: 'fail', message: expect.stringContaining('events/in was not reached at wss://x.example/p/api/events/in: ECONNREFUSED') },
    ]);
  });
});

describe('real attempts', () => {
  it('read the authorities once for all of them, and judge each connection by them', async () => {
    const authority = createAuthority();
    const { chain, key } = authority.issue({ names: ['localhost'], days: 5 });
    const server = createServer({ cert: readFileSync(chain), key: readFileSync(key) });
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const base = `https://localhost:${typeof address === 'object' ? address?.port : ''}`;
    let readings = 0;
    const trusting = (ca: string[]) => ({
      get ca() {
        readings += 1;
        return ca;
      },
      allowPartialTrustChain: false,
      checkServerIdentity,
    });
    const said = async (ca: string[]) => {
      const found = await checkSocket({ base, token: 'lct_t', tls: trusting(ca), attempt: attemptSocket }, '/api/events/in');
      return found.map(({ message }) => message).join();
    };
    try {
      expect(await said([readFileSync(authority.root, 'utf8')])).toContain('Bearer: 404');
      expect(readings).toBe(1);
      expect(await said([])).toContain('was not reached');
    } finally {
      server.close();
      authority.remove();
    }
  });
});
