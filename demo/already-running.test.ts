import { spawn } from 'node:child_process';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../test/env/free-port.ts';
import { assertPortFree, claimDemo } from './already-running.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('claimDemo', () => {
  const state = () => mkdtempSync(join(tmpdir(), 'lictor-demo-claim-'));

  it('is free again after the release', () => {
    const directory = state();
    claimDemo(directory)();
    expect(() => claimDemo(directory)).not.toThrow();
  });

  it('closes what it creates to other users', () => {
    const directory = join(state(), 'demo');
    claimDemo(directory);
    expect([directory, join(directory, 'demo.pid')].map((path) => statSync(path).mode & 0o777)).toEqual([0o711, 0o600]);
  });

  it('takes over from a demo that is gone', () => {
    const directory = state();
    writeFileSync(join(directory, 'demo.pid'), '999999999\n');
    expect(() => claimDemo(directory)).not.toThrow();
  });

  it('refuses while another demo lives, and says which', () => {
    const directory = state();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'demo'], { stdio: 'ignore' });
    cleanups.push(() => other.kill('SIGKILL'));
    writeFileSync(join(directory, 'demo.pid'), `${other.pid}\n`);
    expect(() => claimDemo(directory)).toThrow(`process ${other.pid}`);
  });
});

describe('assertPortFree', () => {
  it('passes for a free port', async () => {
    await expect(assertPortFree(await freePort())).resolves.toBeUndefined();
  });

  it('names --port when somebody listens there', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => void server.close());
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await expect(assertPortFree(port)).rejects.toThrow('--port');
  });
});
