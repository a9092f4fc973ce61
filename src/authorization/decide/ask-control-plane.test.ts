import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askControlPlane, notifyControlPlane } from './ask-control-plane.ts';

let dir: string;
let path: string;
let server: Server | undefined;
const open = new Set<Socket>();
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ask-'));
  path = join(dir, 'admin.sock');
});
afterEach(async () => {
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function answering(answer: (socket: Socket) => void): Promise<void> {
  server = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server?.listen(path, resolve));
}

const ask = (timeoutMs?: number) => Promise.all([askControlPlane(path, '/sync', timeoutMs), notifyControlPlane(path, '/apply-policies', {}, timeoutMs)]);

describe('what the command line asks the control plane', () => {
  it('is answered, in words where there are some', async () => {
    await answering((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
    expect(await notifyControlPlane(path, '/apply-policies', {})).toBe('{}');
    expect(await askControlPlane(path, '/sync')).toBe('refused');
  });

  it('is away when no process listens', async () => {
    expect(await ask()).toEqual(['away', 'away']);
  });

  it.each([
    ['that is cut off', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"appli')],
    ['of one that dies', (socket: Socket) => socket.destroy()],
  ])('has not been told no by an answer %s, nor that nobody is there', async (_how, answer) => {
    await answering((socket) => void answer(socket));
    expect(await ask()).toEqual(['refused', undefined]);
  });

  it('has no answer from one that gives none in time', async () => {
    await answering(() => undefined);
    expect(await ask(100)).toEqual(['refused', undefined]);
  });
});
