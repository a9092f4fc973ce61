// Collectors that are dead: the gateway does not wait for them, and they get everything afterwards, once. rsyslog and OpenTelemetry's own definitions.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, type Rsyslog, startOtlpCollector, startRsyslog } from '../env/collectors.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { signalProcess, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const REQUESTS = 150;
const HEADER = 'Bearer collector-credential-0123456789';

let upstream: Recorder;
let gateway: Gateway;
let token: Token;
let otlp: Collector | undefined;
let syslog: Rsyslog | undefined;
let ports: { readonly otlp: number; readonly syslog: number };
const directory = mkdtempSync(join(tmpdir(), 'lictor-rsyslog-'));

beforeAll(async () => {
  upstream = await startRecorder();
  ports = { otlp: await freePort(), syslog: await freePort() };
  const headers = join(directory, 'headers');
  writeFileSync(headers, `Authorization: ${HEADER}\n`, { mode: 0o600 });
  gateway = await startGateway({
    upstream,
    config: {
      ledger: {
        export: [
          { type: 'otlp', url: `http://127.0.0.1:${ports.otlp}`, from: 'start', headers_file: headers },
          { type: 'syslog', url: `tcp://127.0.0.1:${ports.syslog}`, from: 'start', name: 'siem' },
        ],
      },
    },
  });
  token = await gateway.token('reader', ['viewer']);
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([otlp?.stop(), syslog?.stop(), upstream?.close()]);
});

async function ask(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const answer = await gateway.fetch('/api/admin/version', { token: token.secret });
    await answer.text();
    expect(answer.status).toBe(200);
  }
}

/** By their stored state. */
function failingSinks(): number {
  const files = readdirSync(join(gateway.stateDir, 'exports')).filter((name) => name.endsWith('.json'));
  return files.filter((name) => JSON.parse(readFileSync(join(gateway.stateDir, 'exports', name), 'utf8')).problem !== null).length;
}

/** What doctor says of the sinks. */
async function exportsFound(): Promise<readonly { readonly status: string; readonly message: string }[]> {
  const { findings } = JSON.parse((await gateway.lictor('doctor', '--json')).output) as { findings: { check: string; status: string; message: string }[] };
  return findings.filter(({ check }) => check === 'exports');
}

/** A collector that takes connections and answers nothing. */
async function startHung(port: number): Promise<{ heard(): number; stop(): Promise<void> }> {
  const held: Socket[] = [];
  let heard = 0;
  const server = createServer((socket) => {
    held.push(socket);
    socket.on('error', () => undefined).once('data', () => (heard += 1));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    heard: () => heard,
    async stop() {
      for (const socket of held) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function ledger(): readonly string[] {
  using db = new DatabaseSync(join(gateway.stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  return db
    .prepare('SELECT id FROM records ORDER BY n')
    .all()
    .map(({ id }) => String(id));
}

interface LogRecord {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

function otlpIds(): readonly string[] {
  const bodies = otlp?.received().map(({ body }) => body as { resourceLogs: { scopeLogs: { logRecords: LogRecord[] }[] }[] }) ?? [];
  const records = bodies.flatMap(({ resourceLogs }) => resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)));
  return records.map(({ attributes }) => attributes.find(({ key }) => key === 'log.record.uid')?.value.stringValue ?? '');
}

const syslogIds = (): readonly string[] => syslog?.received().map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { id: string }).id) ?? [];

/** Everything that is in the ledger now, in its order, and once: as it comes, or as seen by id, where we were killed between an answer and remembering it. */
async function complete(ids: () => readonly string[], what: string, seen: 'as it comes' | 'by id' = 'as it comes'): Promise<void> {
  const wanted = ledger();
  const unique = (): readonly string[] => [...new Set(ids())];
  await waitFor(() => unique().length >= wanted.length, { what, timeoutMs: 90_000, everyMs: 300 });
  expect(unique().slice(0, wanted.length)).toEqual(wanted);
  if (seen === 'as it comes') expect(unique().length).toBe(ids().length);
}

describe('dead collectors', () => {
  it('are named by doctor, and one that never answers is waited for by no request; afterwards each has every record once', { timeout: 180_000 }, async () => {
    await ask(20);
    // Each has to be tried once: the sinks go their own pace.
    await waitFor(() => failingSinks() === 2, { what: 'both to be tried', timeoutMs: 90_000 });
    expect(await exportsFound()).toMatchObject([
      { status: 'fail', message: expect.stringMatching(/^the sink otlp-\w+ \(otlp\) has failed since .*ECONNREFUSED; \d+ records wait for it/) },
      { status: 'fail', message: expect.stringMatching(/^the sink siem \(syslog\) has failed since .*ECONNREFUSED/) },
    ]);
    const hung = await startHung(ports.otlp);
    await waitFor(() => hung.heard() > 0, { what: 'the first records at a collector that never answers', timeoutMs: 90_000 });
    await ask(REQUESTS);
    // A request that waited for the collector would end with one question of the collector's at the earliest.
    expect(hung.heard()).toBeLessThan(REQUESTS / 2);
    await hung.stop();
    otlp = await startOtlpCollector(ports.otlp);
    syslog = await startRsyslog(ports.syslog, directory);
    await complete(otlpIds, 'every record at the OTLP collector');
    await complete(syslogIds, 'every record at rsyslog');
  });

  it('that come and go get each record once, also over kill -9 of the gateway', { timeout: 180_000 }, async () => {
    for (let round = 0; round < 2; round += 1) {
      await syslog?.stop();
      await ask(40);
      if (round === 1) {
        await gateway.killAll();
        await gateway.up();
      }
      syslog = await startRsyslog(ports.syslog, directory);
      await complete(syslogIds, 'every record at rsyslog', round === 0 ? 'as it comes' : 'by id');
    }
    await complete(otlpIds, 'every record at the OTLP collector', 'by id');
  });

  it('see severity, facility and action as RFC 5424 has them', async () => {
    await gateway.fetch('/api/block_types/', { method: 'POST', token: token.secret, headers: { 'content-type': 'application/json' }, body: '{}' });
    await waitFor(() => syslog?.received().some((line) => /^13 4 lictor [a-z_.]+ /.test(line)), { what: 'a refusal at rsyslog' });
    expect(syslog?.received().some((line) => line.startsWith('13 5 lictor gateway.started '))).toBe(true);
  });

  it('are added and taken away by a reload', { timeout: 120_000 }, async () => {
    const file = join(directory, 'records.ndjson');
    const text = readFileSync(gateway.configFile, 'utf8');
    writeFileSync(gateway.configFile, text.replace(/^ {2}export:$/m, `  export:\n    - { type: ndjson, url: ${file}, from: start }`));
    const [supervisor] = [gateway.pids().supervisor];
    signalProcess(supervisor, 'SIGHUP');
    const wanted = ledger();
    /** Those that are whole. */
    const lines = (): readonly string[] => {
      try {
        return readFileSync(file, 'utf8').split('\n').slice(0, -1);
      } catch {
        return [];
      }
    };
    await waitFor(() => lines().length >= wanted.length, { what: 'the records in the file', timeoutMs: 60_000 });
    expect(
      lines()
        .slice(0, wanted.length)
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(wanted);
    expect(readFileSync(join(gateway.stateDir, 'log', 'control.log'), 'utf8')).not.toContain('collector-credential');
  });
});
