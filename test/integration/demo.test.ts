// `lictor demo`: what a newcomer types first. A whole `--once`: test/endurance/demo.test.ts.
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nginxWorkerUser } from '../../src/config/worker-user.ts';
import { checkStateFiles } from '../../src/operations/doctor/deep/state-files.ts';
import { demoDirectory, runDemo, startDemo } from '../env/demo.ts';
import { freePort } from '../env/free-port.ts';
import { type Running, waitFor } from '../env/process.ts';
import { expectSample } from './demo/sample.ts';

const { stateDir, remaining, remove } = demoDirectory();
afterAll(remove);

describe('demo --once', () => {
  it('a busy port is reported with the remedy', async () => {
    const server = await occupied();
    const { code, output } = await runDemo(stateDir, server.port, '--once');
    server.close();
    expect(code).toBe(1);
    expect(output).toContain(`port ${server.port} is in use`);
    expect(output).toContain('--port');
    expect(output).not.toMatch(/^ +at /m);
  });
});

describe('demo', () => {
  it('runs the sample flow as alice, shows its timeline, and stays until SIGINT; a second one in the same place is refused; then everything is gone', async () => {
    const port = await freePort();
    const demo = await startDemo(stateDir, port);
    await waitFor(() => demo.output().includes('Ctrl-C') || !demo.running(), { what: 'the demo to be up', timeoutMs: 180_000 });
    expect(demo.running(), demo.output()).toBe(true);
    expectSample(demo.output(), port);
    expect(demo.output()).toContain('log in as alice');
    expect(demo.output()).toMatch(new RegExp(`the console: http://localhost:${port}/.lictor/console/runs/[0-9a-f-]{36}`));
    expect((await fetch(`http://localhost:${port}/.lictor/ready`)).status).toBe(200);
    expect(stateFiles()).toMatchObject([{ status: 'ok' }]);
    const second = await runDemo(stateDir, await freePort());
    expect(second.code).toBe(1);
    expect(second.output).toContain('running already');
    expect(await interrupted(demo)).toEqual({ code: 0, signal: null });
    expect(remaining()).toEqual([]);
  }, 240_000);

  it('SIGTERM while it starts ends it too', async () => {
    const demo = await startDemo(stateDir, await freePort());
    await waitFor(() => demo.output().includes('Starting Prefect'), { what: 'the demo to begin', timeoutMs: 60_000 });
    demo.signal('SIGTERM');
    await waitFor(() => !demo.running(), { what: 'the demo to end', timeoutMs: 60_000 });
    expect(remaining()).toEqual([]);
  }, 120_000);
});

/** As `lictor doctor --deep` finds them. */
function stateFiles() {
  const root = join(stateDir, 'demo');
  const own = process.geteuid?.() ?? 0;
  return checkStateFiles({ root, run: join(root, 'run') }, [own, nginxWorkerUser()?.uid ?? own]);
}

async function interrupted(demo: Running): Promise<unknown> {
  demo.signal('SIGINT');
  await waitFor(() => !demo.running(), { what: 'the demo to end', timeoutMs: 60_000 });
  return demo.exited;
}

async function occupied(): Promise<{ readonly port: number; close(): void }> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: address !== null && typeof address === 'object' ? address.port : 0, close: () => void server.close() };
}
