// lictor health, against a server in the place of the gateway.
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { statePaths } from '../config/state-dir.ts';
import { main } from './main.ts';

let root: string;
let server: Server | undefined;
beforeEach(() => {
  root = makeMemoryDir('lictor-health-');
});
afterEach(async () => {
  await stop();
  rmSync(root, { recursive: true });
});

/** Answers its port. The configuration in use names it; lictor.yaml is half edited. */
async function serve(answer: RequestListener): Promise<number> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const config = `public_url: https://prefect.example.com/prefect\nlisten: 0.0.0.0:${port}\ntls_terminated_upstream: true\ntrusted_proxies: [127.0.0.1]\n`;
  writeFileSync(statePaths(root, root).configInUse, `${config}prefect: { url: http://127.0.0.1:4200 }\n`);
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: ');
  return port;
}

async function stop(): Promise<void> {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
}

async function health() {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'health'], out, err, env: {}, cwd: root });
  return { status, text: `${out.read() ?? ''}${err.read() ?? ''}` };
}

it('succeeds if the gateway answers at its own address, under the name and path of public_url', async () => {
  const port = await serve((request, response) => {
    const isOurs = request.headers.host === 'prefect.example.com' && request.url === '/prefect/.lictor/health';
    response.writeHead(isOurs ? 200 : 400).end(isOurs ? '{"status":"ok"}' : '{}');
  });
  expect(await health()).toEqual({ status: 0, text: `http://127.0.0.1:${port}/prefect/.lictor/health answers.\n` });
});

it('fails if another program answers, or nginx without its control plane', async () => {
  await serve((_request, response) => void response.writeHead(503).end('{"code":"gateway-unavailable"}'));
  expect(await health()).toMatchObject({ status: 1, text: expect.stringContaining('answers 503') });
});

it('fails if nothing listens, and if no gateway has started', async () => {
  await serve(() => undefined);
  await stop();
  expect(await health()).toMatchObject({ status: 1, text: expect.stringContaining('ECONNREFUSED') });
  rmSync(statePaths(root, root).configInUse);
  expect(await health()).toMatchObject({ status: 1, text: expect.stringContaining('No gateway has started') });
});
