// What a request to an identity provider may be answered with, and what ends it.

import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../test/env/authority.ts';
import { createOutbound, type Outbound } from './outbound.ts';

let server: Server | undefined;
let outbound: Outbound | undefined;
afterEach(async () => {
  await outbound?.close();
  server?.closeAllConnections();
  server?.close();
});

async function listen(created: Server): Promise<number> {
  server = created;
  await new Promise<void>((resolve) => created.listen(0, '127.0.0.1', resolve));
  const address = created.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function ask(listener: RequestListener, options: { readonly timeoutMs?: number; readonly maxAnswerBytes?: number } = {}) {
  const port = await listen(createServer(listener));
  outbound = createOutbound({ caFile: null, ...options });
  return { url: `http://127.0.0.1:${port}/keys?secret=x`, send: outbound.fetch };
}

describe('an outbound request', () => {
  it('returns the whole answer', async () => {
    const { url, send } = await ask((request, response) => {
      response.setHeader('content-type', 'application/json');
      request.pipe(response);
    });
    const answer = await send(url, { method: 'POST', body: new URLSearchParams({ a: '1 2' }) });
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'application/json', 'a=1+2']);
  });

  it('follows no redirect', async () => {
    let count = 0;
    const { url, send } = await ask((_request, response) => {
      count += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect((await send(url)).status).toBe(302);
    expect(count).toBe(1);
  });

  it.each<[what: string, listener: RequestListener, words: RegExp, timeoutMs?: number]>([
    ['is too large', (_request, response) => response.end('x'.repeat(2000)), /UND_ERR_RES_EXCEEDED_MAX_SIZE/],
    ['is compressed', (_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x')), /encoded answer/],
    ['breaks', (_request, response) => response.destroy(), /UND_ERR_SOCKET|ECONNRESET/],
    ['never comes', () => {}, /TimeoutError/, 300],
    ['never ends', (_request, response) => response.write('x'), /TimeoutError/, 300],
  ])('fails when the answer %s, and says the host alone', async (_name, listener, words, timeoutMs = 20_000) => {
    const { url, send } = await ask(listener, { timeoutMs, maxAnswerBytes: 1000 });
    const error = await send(url).catch((caught: unknown) => caught);
    expect(String(error)).toMatch(words);
    expect(String(error)).not.toContain('secret');
  });

  it('is aborted by the signal of the caller', async () => {
    const { url, send } = await ask(() => {});
    await expect(send(url, { signal: AbortSignal.abort() })).rejects.toThrow(/AbortError|UND_ERR_ABORTED/);
  });

  it('trusts only the given authorities', async () => {
    const authority = createAuthority();
    const { chain, key } = authority.issue({ names: ['localhost'], days: 1 });
    const port = await listen(createHttpsServer({ cert: readFileSync(chain), key: readFileSync(key) }, (_request, response) => response.end('{}')));
    outbound = createOutbound({ caFile: authority.root });
    expect((await outbound.fetch(`https://localhost:${port}/`)).status).toBe(200);
    await outbound.close();
    outbound = createOutbound({ caFile: null });
    await expect(outbound.fetch(`https://localhost:${port}/`)).rejects.toThrow(/SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO/);
  });
});
