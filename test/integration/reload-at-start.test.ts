// When a control plane that starts asks for a reload of nginx: with a real nginx.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareStateDir } from '../../src/config/runtime-dir.ts';
import type { StatePaths } from '../../src/config/state-dir.ts';
import type { FromControl } from '../../src/contract/ipc.ts';
import { createConnectionHold } from '../../src/operations/supervise/connection-hold.ts';
import { type ControlPlane, createControlPlane } from '../../src/operations/supervise/control-plane.ts';
import { createEdge, type Edge } from '../../src/operations/supervise/edge.ts';
import { waitFor } from '../../src/operations/supervise/processes/wait-for.ts';
import { freePort } from '../env/free-port.ts';

const ENTRY = join(import.meta.dirname, '../../src/app/control-plane.ts');

let root: string;
let paths: StatePaths;
let configFile: string;
let edge: Edge;
let control: ControlPlane | undefined;
let told: FromControl[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'reload-at-start-'));
  // nginx's workers are another user when we are root.
  chmodSync(root, 0o711);
  paths = prepareStateDir(join(root, 'state'));
  configFile = join(root, 'lictor.yaml');
  configure(await freePort());
  edge = createEdge({ paths, log: () => undefined });
});
afterEach(async () => {
  await end();
  const gone = edge.ended();
  edge.kill();
  await gone;
  rmSync(join(paths.nginxPid, '..'), { recursive: true, force: true });
  rmSync(root, { recursive: true, force: true });
});

/** Nothing answers at Prefect's address: it is not needed for a start. */
function configure(port: number, scheme = 'http', more = ''): void {
  const plain = `prefect: {url: 'http://127.0.0.1:1'}\nidentity_providers: [{id: local, type: accounts}]\n`;
  writeFileSync(configFile, `public_url: ${scheme}://localhost:${port}\n${plain}${more}`);
}

/** Starts a control plane. Returns its messages to the supervisor until it is ready, without notices, because a disk may have little room. */
async function start(): Promise<string[]> {
  told = [];
  control = createControlPlane({
    entry: ENTRY,
    configFile,
    paths,
    hold: createConnectionHold(),
    log: () => undefined,
    beside: false,
    onEnd: () => undefined,
    onMessage: (message) => {
      told.push(message);
      if (message.type === 'edge-start') edge.start(message);
    },
  });
  control.start();
  await waitFor(() => told.some(({ type }) => type === 'ready' || type === 'fatal'), { what: 'the control plane to be ready', timeoutMs: 60_000 });
  return told.map(({ type }) => type).filter((type) => type !== 'notice');
}

async function end(): Promise<void> {
  const gone = control?.ended();
  control?.kill();
  control = undefined;
  await gone;
}

describe('a control plane that starts', { timeout: 120_000 }, () => {
  it('asks for no reload of the nginx that it starts itself, although the test of the configuration left a pid file', async () => {
    expect(await start()).toEqual(['edge-start', 'ready']);
    expect(readFileSync(paths.nginxPid, 'utf8')).toMatch(/^(\d+\n)?$/);
  });

  it('asks for none of an nginx that has read what is in place', async () => {
    await start();
    await waitFor(() => edge.isUp(), { what: 'nginx to listen', timeoutMs: 60_000 });
    await end();
    expect(await start()).toEqual(['edge-start', 'ready']);
  });

  it('asks for one where there are certificates: they may have been replaced while nobody looked', async () => {
    configure(await freePort(), 'https', 'tls: {self_made: true}\n');
    expect(await start()).toEqual(['edge-start', 'ready']);
    await waitFor(() => edge.isUp(), { what: 'nginx to listen', timeoutMs: 60_000 });
    await end();
    expect(await start()).toEqual(['edge-start', 'edge-reload', 'ready']);
  });

  it('asks for one of an nginx that ran before and has read something else', async () => {
    await start();
    await waitFor(() => edge.isUp(), { what: 'nginx to listen', timeoutMs: 60_000 });
    await end();
    configure(await freePort());
    expect(await start()).toEqual(['edge-start', 'edge-reload', 'ready']);
  });
});
