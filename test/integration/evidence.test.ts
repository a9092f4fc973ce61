// An auditor's scenario on a real gateway: what happened in the period stands in the report, in its place, and nothing secret does.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { noteSecret, secretsBelow, secretsIn } from '../env/stored-secrets.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const HOSTILE = '=1+1<script>alert(1)</script>|[x](javascript:alert(1))';
const POLICY = '@id("freeze") forbid (principal, action == Action::"flow_runs.delete", resource);\n';
const FLOW = '/api/flows/00000000-0000-0000-0000-000000000001';
const RUN = '/api/flow_runs/00000000-0000-0000-0000-000000000002';
const [FROM, TO] = ['2020-01-01', '2099-12-31'];

const APPROVAL = { name: 'four-eyes', principals: ['token:careful'], actions: ['flow_runs.delete'], approvers: ['*@local'] };

let recorder: Recorder;
let gateway: Gateway;
let leaver: Token;
let report: string;
const policies = mkdtempSync(join(tmpdir(), 'lictor-evidence-policies-'));

beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder, config: { policies, roles: [{ role: 'viewer', members: ['*@local'] }], approvals: [APPROVAL] } });
  report = join(gateway.stateDir, 'review');
  await happen();
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
  rmSync(policies, { recursive: true });
});

/** What an auditor asks about later. */
async function happen(): Promise<void> {
  leaver = await gateway.token('leaver', ['operator'], '--expires', '90d');
  const stolen = await gateway.token('stolen', ['viewer']);
  await gateway.token('idle', ['admin']);
  const rotated = await gateway.token('rotated', ['viewer']);
  const bob = await gateway.login(await gateway.account('bob', 'viewer'));
  for (const { secret } of [leaver, stolen, rotated]) expect((await gateway.fetch(FLOW, { token: secret })).status).toBe(200);
  noteSecret(JSON.parse(await gateway.lictorOk('token', 'rotate', 'rotated', '--overlap', '1h', '--json')).secret);
  expect((await gateway.fetch(RUN, { method: 'DELETE', session: bob })).status).toBe(403);
  const careful = await gateway.token('careful', ['admin']);
  const held = await gateway.fetch(RUN, { method: 'DELETE', token: careful.secret });
  await gateway.lictorOk('deny', String(Object(await held.json()).approval_id));
  await gateway.lictorOk('token', 'revoke', 'leaver');
  expect((await gateway.fetch(FLOW, { token: leaver.secret })).status).toBe(401);
  await gateway.lictorOk('lock', 'token:stolen', '--why', HOSTILE);
  expect((await gateway.fetch(FLOW, { token: stolen.secret })).status).toBe(403);
  writeFileSync(join(policies, 'freeze.cedar'), POLICY);
  await gateway.lictorOk('policy', 'apply', '--why', 'freeze for the audit');
  await gateway.lictorOk('account', 'add', 'night', '--role', 'admin', '--for', '1h');
  await gateway.lictorOk('account', 'remove', 'night');
  const isRecorded = async () =>
    (await gateway.lictorOk('audit', '--json', '--decision', 'deny')).split('\n').filter((line) => line.includes('locked')).length > 0;
  await waitFor(isRecorded, { what: 'the last denial in the ledger', everyMs: 200 });
}

const evidence = (...args: string[]) => gateway.lictorOk('evidence', '--from', FROM, '--to', TO, ...args);
const written = (name: string) => readFileSync(join(report, name), 'utf8');
/** A section of the Markdown, without its escapes. */
function section(title: string): string {
  const found = written('report.md')
    .split(/^## \d+\. /m)
    .find((part) => part.startsWith(title));
  return (found ?? '').replaceAll('\\', '');
}

describe('lictor evidence', () => {
  it('writes the report for its owner alone, beside the head of the ledger and the sums of all', async () => {
    const said = await evidence('-o', report);
    for (const name of ['report.html', 'report.md', 'access-review.csv', 'data.json', 'head.json', 'SHA256SUMS']) {
      expect(said).toContain(join(report, name));
      expect(statSync(join(report, name)).mode & 0o777, name).toBe(0o600);
    }
    expect(statSync(report).mode & 0o777).toBe(0o700);
    await gateway.lictorOk('audit', 'verify', '--head', join(report, 'head.json'));
  });

  it('names what happened, each in its section', () => {
    expect(section('Principals')).toMatch(/token:idle \| service \| live \| admin \| everything \| token idle/);
    expect(section('Principals')).toMatch(/bob@local .*viewer .*account bob; lictor\.yaml roles\[0\]: \*@local/);
    expect(section('Principals')).toContain('token:stolen | service | locked');
    expect(section('Rights that were not used')).toMatch(/with rights made no request: .*token:idle \(admin\)/);
    expect(section('Rights that were not used')).toMatch(/token:rotated \| viewer \| everything \| 1 of \d+/);
    expect(section('Joiners')).toMatch(/token created \| token:leaver \| local:/);
    expect(section('Joiners')).toMatch(/token revoked \| token:leaver \| local:\S+ \| \d{4}-/);
    expect(section('Joiners')).toMatch(/account removed \| night \| local:/);
    expect(section('Joiners')).toContain('No leaver had an allowed request afterwards');
    expect(section('Service tokens')).toMatch(/leaver \| revoked \| operator/);
    expect(section('Service tokens')).toMatch(/rotated \| live \| viewer .* \| 1 \|/);
    expect(section('Service tokens')).toMatch(/rotated \| .*two secrets are valid/);
    expect(section('Service tokens')).toMatch(/idle \| .*never used/);
    expect(section('Changes')).toContain('freeze for the audit');
    expect(section('Changes')).toContain(`+${POLICY.trim()}`);
    expect(section('Changes')).toMatch(/policy\.apply \| PolicySet \d+ -> \d+ \| local:/);
    expect(section('Requests and denials')).toMatch(/bob@local \| policy-default-deny \| 1 \| flow_runs\.delete/);
    expect(section('Requests and denials')).toMatch(/\| token:stolen \| locked \| 1/);
    expect(section('Requests and denials')).toContain('credential-revoked | 1');
    expect(section('Locks')).toMatch(/token:stolen .*<script>/);
    expect(section('Locks')).toMatch(/account\.break_glass \| Account night \| local:/);
    expect(section('Approvals')).toContain('| four-eyes | token:careful | flow_runs.delete | *@local |');
    expect(section('Approvals')).toMatch(/\| token:careful \| flow_runs\.delete \| FlowRun \S+ \| denied by local:\S+, \d{4}-\S+ \S+ \| - \| - \|/);
    expect(section('The ledger')).toContain('No record was edited, removed, added or moved');
    expect(section('Coverage')).toContain('DELETE /api/flow_runs/{id}');
    expect(section('Boundary')).toContain(recorder.url);
  });

  it('names criteria and controls, says that it supports evidence, and never that anything is met', () => {
    const text = written('report.md');
    for (const name of [
      'SOC 2 CC6.1',
      'CC6.2',
      'CC6.3',
      'CC6.6',
      'CC6.7',
      'CC6.8',
      'CC7.2',
      'CC7.3',
      'CC8.1',
      'A.5.15',
      'A.5.16',
      'A.5.17',
      'A.5.18',
      'A.8.2',
      'A.8.15',
      'A.8.32',
    ])
      expect(text).toContain(name);
    expect(text.match(/Supports evidence for/g)?.length).toBeGreaterThan(10);
    expect(text).not.toMatch(/compliant|compliance with|certif(?:ied|ies)/i);
    expect(section('What this report cannot show')).toContain('CC6.4, CC6.5');
  });

  it('is text wherever it is opened: no markup, no formula', () => {
    const page = written('report.html');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<img|<link|javascript:alert\(1\)"|\son\w+=|\sstyle=/i);
    expect(page).toMatch(/default-src 'none'; style-src 'sha256-/);
    expect(written('report.md')).toContain('\\<script\\>');
    expect(written('access-review.csv')).toMatch(/^"principal","kind"/);
    for (const cell of written('access-review.csv').match(/"(?:[^"]|"")*"/g) ?? []) expect(cell).not.toMatch(/^"[=+\-@]/);
    expect(written('access-review.csv')).toMatch(/"token:stolen","service","","locked","viewer"/);
  });

  it('holds no secret, and one in it would be found', () => {
    expect(secretsBelow(report)).toEqual([]);
    expect(secretsIn(`${written('report.md')}${leaver.secret}`)).not.toEqual([]);
  });

  it('gives the same as data, and refuses to write over a report or to take a period that ends before it begins', async () => {
    const data = JSON.parse((await evidence('--json')).split('\n').find((line) => line.startsWith('{')) ?? '');
    expect(data.leavers.find(({ who }: { who: string }) => who === 'token:leaver')).toMatchObject({ what: 'token revoked', let_in_after: false });
    expect(data.activity.denied).toBeGreaterThanOrEqual(3);
    expect(await gateway.lictor('evidence', '--from', FROM, '--to', TO, '-o', report)).toMatchObject({ code: 2, output: expect.stringContaining('not empty') });
    expect(await gateway.lictor('evidence', '--from', TO, '--to', FROM)).toMatchObject({ code: 2, output: expect.stringContaining('is not before') });
  });

  it('is silent about what lies outside the period', async () => {
    const data = JSON.parse(
      (await gateway.lictorOk('evidence', '--from', '2020-01-01', '--to', '2020-01-31', '--json')).split('\n').find((line) => line.startsWith('{')) ?? '',
    );
    expect(data).toMatchObject({ activity: { records: 0, denied: 0 }, joiners: [], leavers: [], events: [], policies: { in_force: null, changes: [] } });
  });

  it('is also made of a changed ledger, reports that first, and exits 1', async () => {
    await gateway.stop();
    const changed = new DatabaseSync(join(gateway.stateDir, 'ledger.db'));
    const before = changed.prepare("SELECT n, reason FROM records WHERE reason = 'locked'").get() ?? {};
    changed.prepare("UPDATE records SET reason = 'policy-permits' WHERE n = ?").run(Number(before['n']));
    const finished = await gateway.lictor('evidence', '--from', FROM, '--to', TO, '-o', join(gateway.stateDir, 'changed'));
    changed.prepare('UPDATE records SET reason = ? WHERE n = ?').run(String(before['reason']), Number(before['n']));
    changed.close();
    expect(finished).toMatchObject({ code: 1, output: expect.stringContaining('was edited') });
    expect(readFileSync(join(gateway.stateDir, 'changed', 'report.md'), 'utf8')).toMatch(/\| Ledger \| not proven \|/);
  });
});
