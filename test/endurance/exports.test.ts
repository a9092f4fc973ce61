// Collectors that are dead for five minutes: beside a gateway without any, requests take as long, and everything is delivered afterwards, once.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collector, type Rsyslog, startOtlpCollector, startRsyslog } from '../env/collectors.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const DEAD_MS = 5 * 60_000;
const PAUSE_MS = 10;

interface Side {
  readonly gateway: Gateway;
  readonly token: Token;
  readonly times: number[];
}

let upstream: Recorder;
let dead: Side;
let bare: Side;
let ports: { readonly otlp: number; readonly syslog: number };
let otlp: Collector | undefined;
let syslog: Rsyslog | undefined;

async function side(config: Readonly<Record<string, unknown>>): Promise<Side> {
  const gateway = await startGateway({ upstream, config });
  return { gateway, token: await gateway.token('reader', ['viewer']), times: [] };
}

beforeAll(async () => {
  upstream = await startRecorder();
  ports = { otlp: await freePort(), syslog: await freePort() };
  const sinks = [
    { type: 'otlp', url: `http://127.0.0.1:${ports.otlp}`, from: 'start' },
    { type: 'syslog', url: `tcp://127.0.0.1:${ports.syslog}`, from: 'start' },
  ];
  dead = await side({ ledger: { export: sinks } });
  bare = await side({});
});
afterAll(async () => {
  await Promise.all([dead?.gateway.close(), bare?.gateway.close(), otlp?.stop(), syslog?.stop()]);
  await upstream?.close();
});

async function ask({ gateway, token, times }: Side): Promise<void> {
  const startedMs = performance.now();
  const answer = await gateway.fetch('/api/admin/version', { token: token.secret });
  await answer.text();
  times.push(performance.now() - startedMs);
  expect(answer.status).toBe(200);
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;
}

function ledger(): readonly string[] {
  using db = new DatabaseSync(join(dead.gateway.stateDir, 'ledger.db'), { readOnly: true });
  const rows = db.prepare('SELECT id FROM records ORDER BY n').all();
  return rows.map(({ id }) => String(id));
}

const uid = /"key":"log\.record\.uid","value":\{"stringValue":"([^"]+)"/g;
const otlpIds = (): readonly string[] => otlp?.received().flatMap(({ body }) => [...JSON.stringify(body).matchAll(uid)].map((match) => match[1] ?? '')) ?? [];
const syslogIds = (): readonly string[] => syslog?.received().map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { id: string }).id) ?? [];

describe('sinks that are dead for five minutes', () => {
  it('add nothing to a request, and get everything afterwards, once and in order', { timeout: DEAD_MS + 300_000 }, async () => {
    const endMs = Date.now() + DEAD_MS;
    for (let round = 0; Date.now() < endMs; round += 1) {
      // In turns, so that whatever else the machine does meets both alike, and so does the slower first request after a pause.
      const [first, second] = round % 2 === 0 ? [dead, bare] : [bare, dead];
      await ask(first);
      await ask(second);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const [p50, p99] = [0.5, 0.99].map((share) => [percentile(dead.times, share), percentile(bare.times, share)] as const);
    process.stderr.write(
      `${dead.times.length} requests each; with dead sinks and without: median ${p50?.map((ms) => ms.toFixed(2))} ms, 99% ${p99?.map((ms) => ms.toFixed(2))} ms\n`,
    );
    expect(p50?.[0]).toBeLessThan(1.15 * (p50?.[1] ?? 0) + 0.2);
    expect(p99?.[0]).toBeLessThan(1.5 * (p99?.[1] ?? 0) + 2);

    const wanted = ledger();
    const startedMs = Date.now();
    otlp = await startOtlpCollector(ports.otlp);
    syslog = await startRsyslog(ports.syslog, mkdtempSync(join(tmpdir(), 'lictor-rsyslog-')));
    for (const [name, ids] of [['OTLP', otlpIds] as const, ['syslog', syslogIds] as const]) {
      await waitFor(() => ids().length >= wanted.length, { what: `all records by ${name}`, timeoutMs: 200_000, everyMs: 1_000 });
      const got = ids();
      expect(got.slice(0, wanted.length)).toEqual(wanted);
      expect(new Set(got).size).toBe(got.length);
    }
    process.stderr.write(`${wanted.length} records delivered to both within ${((Date.now() - startedMs) / 1000).toFixed(0)} s of their return\n`);
  });
});
