// A scrape of a real gateway: Prometheus' own parser reads it, and every number that the dashboard, the alerts and the docs name is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { run, waitFor } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { prefectVenv } from '../env/venv.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** The parser of prometheus-client, which Prefect brings. */
const PARSE =
  'import sys\nfrom prometheus_client.parser import text_string_to_metric_families as parse\nfor family in parse(sys.stdin.read() if len(sys.argv) < 2 else open(sys.argv[1]).read()):\n    print(family.name, family.type, len(family.samples))\n';

let upstream: Recorder;
let gateway: Gateway;
let token: Token;
let port: number;

beforeAll(async () => {
  upstream = await startRecorder();
  port = await freePort();
  gateway = await startGateway({
    upstream,
    config: { metrics: { listen: `127.0.0.1:${port}` }, ledger: { export: [{ type: 'ndjson', url: 'http://127.0.0.1:1', name: 'dead', from: 'start' }] } },
  });
  token = await gateway.token('reader', ['viewer']);
  for (let index = 0; index < 10; index += 1) await gateway.fetch('/api/admin/version', { token: token.secret });
  await gateway.fetch('/api/admin/version');
  await gateway.fetch('/api/block_types/', { method: 'POST', token: token.secret, headers: { 'content-type': 'application/json' }, body: '{}' });
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

/** The value of the one line that begins so. */
async function value(start: string): Promise<number> {
  const line = (await scrape()).split('\n').find((each) => each.startsWith(start));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? Number.NaN);
}

function named(text: string): readonly string[] {
  return [...new Set(text.match(/\blictor_[a-z_]+/g) ?? [])].map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
}

describe('metrics', () => {
  it('count what was asked and refused, and what the control plane decided', async () => {
    await waitFor(async () => (await value('lictor_requests_total{action="system.version",decision="allow",path="direct"}')) >= 10, {
      what: 'ten requests in the numbers',
    });
    await waitFor(async () => (await value('lictor_refusals_total{reason="credential-missing"')) >= 1, { what: 'a refusal in the numbers' });
    expect(await value('lictor_decision_duration_seconds_count{decision="allow"}')).toBeGreaterThan(0);
    expect(await value('lictor_tokens ')).toBe(1);
    expect(await value('lictor_ledger_healthy ')).toBe(1);
    await waitFor(async () => (await value('lictor_ledger_sealed_sequence ')) > 10, { what: 'the seals in the numbers' });
    await waitFor(async () => (await value('lictor_sink_failing{sink="dead"}')) === 1, { what: 'the dead sink in the numbers' });
  });

  it('are what Prometheus reads', async () => {
    const text = await scrape();
    const file = join(gateway.stateDir, 'scrape.txt');
    writeFileSync(file, text);
    const parsed = await run({
      name: 'prometheus parser',
      command: join(await prefectVenv(), 'bin/python'),
      args: ['-c', PARSE, file],
      env: { PATH: process.env['PATH'] },
    });
    expect(parsed.code).toBe(0);
    expect(parsed.output.trim().split('\n')).toHaveLength(text.match(/^# TYPE /gm)?.length ?? 0);
    expect(parsed.output).toMatch(/^lictor_requests counter [1-9]/m);
  });

  it('name no principal, no id and no address', async () => {
    const text = await scrape();
    expect(text).not.toMatch(/token:|@|127\.0\.0\.1|[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  it.each(['packaging/grafana/lictor.json', 'packaging/prometheus/lictor.rules.yml', 'docs/how-to/metrics.md'])(
    'are there for all that %s names',
    async (path) => {
      const families: readonly string[] = (await scrape()).match(/(?<=^# TYPE )\S+/gm) ?? [];
      const wanted = named(readFileSync(join(ROOT, path), 'utf8'));
      expect(wanted.filter((name) => !families.includes(name))).toEqual([]);
      if (path.endsWith('.md')) expect(families.filter((name) => !wanted.includes(name))).toEqual([]);
    },
  );

  it('have alerts with an expression, a severity, a summary and a remedy, and a dashboard whose panels have queries', () => {
    const { groups } = parse(readFileSync(join(ROOT, 'packaging/prometheus/lictor.rules.yml'), 'utf8')) as { groups: { rules: object[] }[] };
    for (const rule of groups.flatMap(({ rules }) => rules))
      expect(rule).toMatchObject({
        alert: expect.any(String),
        expr: expect.any(String),
        labels: { severity: expect.any(String) },
        annotations: { summary: expect.any(String), remedy: expect.any(String) },
      });
    const { panels } = JSON.parse(readFileSync(join(ROOT, 'packaging/grafana/lictor.json'), 'utf8')) as { panels: { targets: { expr: string }[] }[] };
    expect(panels.flatMap(({ targets }) => targets).every(({ expr }) => expr.includes('lictor_'))).toBe(true);
  });
});
