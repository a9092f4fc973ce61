import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseEdgeDeath } from '../../record/ledger/events.ts';
import { createEdge, type Edge } from './edge.ts';
import { signalProcess } from './processes/process-table.ts';

let root: string;
let edge: Edge;
const edgeErrorLog = () => join(root, 'edge-error.log');

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'edge-'));
  writeFileSync(edgeErrorLog(), '');
  edge = createEdge({ paths: { nginxPid: join(root, 'nginx.pid'), memberSockets: root, edgeErrorLog: edgeErrorLog() }, log: () => undefined });
  // It ends with 0 at QUIT, as nginx does.
  edge.start({ binary: 'sh', args: ['-c', 'trap "exit 0" QUIT; while :; do sleep 0.02; done'] });
  await expect.poll(() => edge.current()?.pid).toBeDefined();
});
afterEach(async () => {
  edge.kill();
  await edge.ended();
  rmSync(root, { recursive: true });
});

it('a killed nginx is reported in its error log as the ledger reads it, and starts again', async () => {
  const pid = edge.current()?.pid ?? 0;
  signalProcess(pid, 'SIGKILL');
  await expect.poll(() => edge.current()?.pid).not.toBe(pid);
  await expect.poll(() => readFileSync(edgeErrorLog(), 'utf8')).not.toBe('');
  const death = parseEdgeDeath(readFileSync(edgeErrorLog(), 'utf8').trimEnd());
  expect(death).toMatchObject({ pid, signal: '9', isMaster: true });
  expect(Math.abs((death?.atMs ?? 0) - Date.now())).toBeLessThan(30_000);
});

it('an nginx that ends when it is asked to is not reported', async () => {
  const pid = edge.current()?.pid;
  await expect
    .poll(() => {
      edge.quit();
      return edge.current()?.pid;
    })
    .not.toBe(pid);
  expect(readFileSync(edgeErrorLog(), 'utf8')).toBe('');
});
