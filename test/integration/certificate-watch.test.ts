// The gateway checks certificate files every minute: it gives a complete new pair to nginx, but not half of one, and reports each once.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createReloader, type Reloader } from '../../src/app/reload.ts';
import { NO_POLICIES } from '../../src/authorization/policy/own/check.ts';
import { ensureOwnCertificate } from '../../src/config/certificates/own.ts';
import { loadConfig } from '../../src/config/load.ts';
import { boundsOf } from '../../src/config/machine.ts';
import { prepareStateDir, removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import type { StatePaths } from '../../src/config/state-dir.ts';
import type { FromControl } from '../../src/contract/ipc.ts';
import { joinSockets } from '../../src/contract/open-socket.ts';
import type { NewRecord } from '../../src/contract/record.ts';
import { type CertificateFiles, selfSigned } from '../env/certificate.ts';
import { freePort } from '../env/free-port.ts';

let directory: string;
let paths: StatePaths;
let files: CertificateFiles;
let reloader: Reloader;
let told: FromControl[];
let records: NewRecord[];
let moved: number[];
let now: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-watch-'));
  paths = prepareStateDir(join(directory, 'state'));
  files = await selfSigned(directory);
  now = Date.now();
  await watch('{ cert: cert.pem, key: key.pem }');
});

async function watch(tls: string): Promise<void> {
  const configFile = join(directory, 'lictor.yaml');
  const port = await freePort();
  writeFileSync(configFile, `public_url: https://localhost:${port}\ntls: ${tls}\nprefect: { url: http://127.0.0.1:1 }\n`);
  const loaded = loadConfig(configFile, {}, { stateDir: paths.root });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  if (loaded.config.tls?.selfMadeBy != null) await ensureOwnCertificate({ ...loaded.config, paths: paths.ownCertificate, nowMs: now });
  [told, records, moved] = [[], [], []];
  const unused = (): never => {
    throw new Error('a look at certificates needs nothing else');
  };
  reloader = createReloader({
    shared: {
      paths,
      clock: () => now,
      steady: () => now,
      log: pino({ enabled: false }),
      sync: unused,
      applyDraft: unused,
      sockets: joinSockets([]),
      drafts: { check: unused, compare: unused, simulate: unused, close: unused },
      running: unused,
      isLeaving: unused,
      evidence: { run: unused, close: unused },
      ledgerWatch: { read: unused, close: unused },
      eventRules: unused,
      edgeRuns: unused,
      redactions: { total: 0 },
      runPages: { timeline: unused, recent: unused, close: unused },
      ledgerSearch: { ask: unused, page: unused, close: unused },
      liveSearch: { ask: unused, page: unused, close: unused },
      machine: { openFiles: 1024, memoryBytes: 1, processors: 1 },
      bounds: boundsOf({ openFiles: 1024, memoryBytes: 1 }),
      memoryUse: unused,
      bodies: { begin: unused, turn: unused, close: unused },
      tracing: { use: async () => undefined, status: unused, close: unused },
      membership: null,
      coordination: { isConnected: unused, hold: unused, held: unused, close: unused },
      shareFile: unused,
      exports: { use: async () => undefined, sendLost: unused, status: unused, close: unused },
      get catalogue() {
        return unused();
      },
      get store() {
        return unused();
      },
      get sealer() {
        return unused();
      },
      get signingKeys() {
        return unused();
      },
      get eventIntake() {
        return unused();
      },
      get runTokenKey() {
        return unused();
      },
      get lineageMemory() {
        return unused();
      },
      replication: null,
      get eventMemory() {
        return unused();
      },
      get confirmMemory() {
        return unused();
      },
      ledger: {
        append: async (record) => void records.push(record),
        intend: unused,
        settle: unused,
        storeEvents: unused,
        takeTurn: unused,
        importRows: unused,
        healthy: () => true,
        onHealth: unused,
        onReopen: unused,
        onCalls: unused,
        problem: () => null,
        close: unused,
      },
    },
    current: {
      get: () => ({
        config: loaded.config,
        policies: NO_POLICIES,
        revision: 7,
        mustMediate: unused,
        get decider() {
          return unused();
        },
        get answerer() {
          return unused();
        },
        get services() {
          return unused();
        },
        get upstream() {
          return unused();
        },
        recordLineage: unused,
        eventTags: unused,
        handle: unused,
        retire: unused,
        endStreams: unused,
      }),
      swap: unused,
    },
    configFile,
    env: process.env,
    applyEdge: unused,
    prepareListeners: unused,
    useServices: unused,
    moveSockets: async (afterMs) => void moved.push(afterMs),
    send: (message) => told.push(message),
  });
}
afterEach(() => {
  removeRuntimeDir(paths);
  rmSync(directory, { recursive: true, force: true });
});

const reloads = () => told.filter(({ type }) => type === 'edge-reload').length;

it('nothing happens while nothing has changed', async () => {
  await reloader.renewCertificates();
  expect([told, records]).toEqual([[], []]);
});

it('a new pair goes to nginx once, and is recorded', async () => {
  const next = await selfSigned();
  renameSync(next.cert, files.cert);
  renameSync(next.key, files.key);
  for (const _look of [1, 2]) await reloader.renewCertificates();
  expect(reloads()).toBe(1);
  // Open sockets stay for as long as nginx's former workers do.
  expect(moved).toEqual([50 * 60_000]);
  expect(records).toMatchObject([{ action: 'config.reload', reason: 'certificate-renewed', principal: 'system', revision: 7 }]);
});

it('half a pair is reported once and not passed to nginx; the other half completes it', async () => {
  const next = await selfSigned();
  renameSync(next.cert, files.cert);
  for (const _look of [1, 2, 3]) await reloader.renewCertificates();
  expect(reloads()).toBe(0);
  expect(told).toEqual([{ type: 'notice', text: expect.stringContaining('does not belong to tls.cert') }]);
  expect(records).toMatchObject([{ decision: 'deny', reason: 'config-refused', principal: 'system' }]);
  renameSync(next.key, files.key);
  await reloader.renewCertificates();
  expect(reloads()).toBe(1);
});

it('files that are gone change nothing', async () => {
  rmSync(files.cert);
  await reloader.renewCertificates();
  expect(reloads()).toBe(0);
  expect(told[0]).toMatchObject({ type: 'notice', text: expect.stringContaining('does not exist') });
});

const DAY_MS = 86_400_000;

it('a self-made one is renewed when it is due, and goes to nginx once', async () => {
  await watch('{ self_made: true }');
  await reloader.renewCertificates();
  expect(told).toEqual([]);
  now += 61 * DAY_MS;
  for (const _look of [1, 2]) await reloader.renewCertificates();
  expect(reloads()).toBe(1);
  expect(records).toMatchObject([{ reason: 'certificate-renewed' }]);
});

it('a damaged self-made one is reported once, and again only for another reason', async () => {
  await watch('{ self_made: true }');
  writeFileSync(paths.ownCertificate.serverFile, 'nonsense');
  for (const _look of [1, 2]) await reloader.renewCertificates();
  expect(told).toEqual([{ type: 'notice', text: expect.stringContaining('server.pem holds no PEM certificate') }]);
  rmSync(paths.ownCertificate.caFile);
  for (const _look of [1, 2]) await reloader.renewCertificates();
  expect(told.map((message) => ('text' in message ? message.text : ''))).toEqual([expect.anything(), expect.stringContaining('ca.pem is missing')]);
  expect(records.map(({ reason }) => reason)).toEqual(['config-refused', 'config-refused']);
});
