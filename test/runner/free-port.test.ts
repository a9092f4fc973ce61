import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../env/free-port.ts';

it('gives no port twice, and none that outgoing connections use', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, freePort));
  expect(new Set(ports).size).toBe(ports.length);
  expect(ports.filter((port) => port < 20_000 || port >= 32_768)).toEqual([]);
});

it('gives one that can be listened on', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  server.close();
});
