// `lictor demo`: what a newcomer types first.
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runDemo, startDemo } from '../env/demo.ts';
import { freePort } from '../env/free-port.ts';
import { commandLine, type Running, waitFor } from '../env/process.ts';

const stateDir = mkdtempSync(join(tmpdir(), 'lictor-test-demo-'));
afterAll(() => {
  rmSync(realpathSync(join(stateDir, 'demo', 'run')), { recursive: true, force: true });
  rmSync(stateDir, { recursive: true, force: true });
});

/** Processes that were started for this demo. */
function remaining(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => commandLine(Number(entry)))
    .filter((command) => command.includes(stateDir));
}

describe('demo --once', () => {
  it('runs the sample flow as alice, shows its timeline, and leaves nothing running', async () => {
    const port = await freePort();
    const { code, output } = await runDemo(stateDir, port, '--once');
    expect(code, output).toBe(0);
    expect(output).toMatch(/^alice {2}\S+ {2}admin$/m);
    expect(output).toMatch(/^bob {2}\S+ {2}operator$/m);
    expect(output).toMatch(/^carol {2}\S+ {2}viewer$/m);
    expect(output).toMatch(/^token {2}lct_[0-9a-z]+$/m);
    expect(output).toMatch(/download time: \d+\.\d s/);
    const end = output.slice(output.indexOf('Run '));
    expect(end).toMatch(/alice@local/);
    expect(end).toContain('127.0.0.1');
    expect(end).toMatch(/request [0-9a-f]{32}/);
    expect(end).toContain('Completed');
    expect(end).toContain(`http://localhost:${port}/`);
    expect(end).not.toContain('log in as alice');
    expect(remaining()).toEqual([]);
  }, 240_000);

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
  it('stays until SIGINT; a second one in the same place is refused; then everything is gone', async () => {
    const port = await freePort();
    const demo = await startDemo(stateDir, port);
    await waitFor(() => demo.output().includes('Ctrl-C') || !demo.running(), { what: 'the demo to be up', timeoutMs: 180_000 });
    expect(demo.running(), demo.output()).toBe(true);
    expect((await fetch(`http://localhost:${port}/.lictor/ready`)).status).toBe(200);
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
