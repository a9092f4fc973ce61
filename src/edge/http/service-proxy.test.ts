import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import { openServiceProxy } from './service-proxy.ts';

const PROXIED = { services: [bareService('proxied', [], { retries: { attempts: 1, budget: null } })], forwardHeaders: [] };

it('leaves the control plane descriptors: beyond its share it takes no connection, and takes one again after another has ended', async () => {
  const root = mkdtempSync(join(tmpdir(), 'service-proxy-'));
  const proxySocket = join(root, 'proxy.sock');
  const log = { warn: () => undefined, error: () => undefined };
  const parts = { paths: { proxySocket, memberSockets: root } as never, edgeSecret: 'secret', mostCalls: 2, log };
  const proxy = openServiceProxy(parts);
  await proxy.prepare(PROXIED);
  const sockets: Socket[] = [];
  /** A call with an answer, on a persistent connection. */
  const isTaken = (): Promise<boolean> => {
    const socket = connect(proxySocket);
    sockets.push(socket);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Lictor-Edge: secret\r\n\r\n');
    return new Promise((resolve) => {
      socket.on('error', () => undefined);
      socket.once('data', () => resolve(true)).once('close', () => resolve(false));
    });
  };
  try {
    expect([await isTaken(), await isTaken(), await isTaken()]).toEqual([true, true, false]);
    sockets[0]?.destroy();
    await expect.poll(isTaken).toBe(true);
  } finally {
    for (const socket of sockets) socket.destroy();
    await proxy.close();
    rmSync(root, { recursive: true, force: true });
  }
});

it('starts with the first service that needs it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'service-proxy-'));
  const proxySocket = join(root, 'proxy.sock');
  const log = { warn: () => undefined, error: () => undefined };
  const proxy = openServiceProxy({ paths: { proxySocket, memberSockets: root } as never, edgeSecret: 'secret', mostCalls: 2, log });
  try {
    await proxy.prepare({ services: [bareService('direct', [])], forwardHeaders: [] });
    expect(existsSync(proxySocket)).toBe(false);
    await proxy.prepare(PROXIED);
    expect(existsSync(proxySocket)).toBe(true);
  } finally {
    await proxy.close();
    rmSync(root, { recursive: true, force: true });
  }
});
