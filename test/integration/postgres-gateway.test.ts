// A gateway whose store is a real Postgres behind a real PgBouncer in transaction mode, in front of a real Prefect.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSealer } from '../../src/config/keys/sealer.ts';
import { type Gateway, jsonLines, runLictor, startGateway, type Token } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type PgBouncer, startPgBouncer } from '../env/several/pgbouncer.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';

let postgres: Postgres;
let bouncer: PgBouncer;
let gateway: Gateway;
let deployer: Token;

beforeAll(async () => {
  postgres = await startPostgres();
  // Fewer than a gateway asks for: its transactions take turns.
  bouncer = await startPgBouncer(postgres, 4);
  const config = { store: `postgres://${bouncer.address}`, store_listen: `postgres://${postgres.address}`, sessions: { idle: '1h' } };
  gateway = await startGateway({ upstream: sharedPrefect(), config });
  deployer = await gateway.token('deployer', ['deployer', 'operator']);
});
afterAll(async () => {
  await gateway?.close();
  await bouncer?.stop();
  await postgres?.stop();
});

const post = (path: string, body: unknown, token = deployer.secret) =>
  gateway.fetch(path, { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const version = (token: string) => gateway.fetch('/api/admin/version', { token });

describe('a gateway on Postgres', () => {
  it('is sound for check and doctor, which name the server', async () => {
    expect(await gateway.lictorOk('check')).toContain('no problem');
    const findings = JSON.parse((await gateway.lictor('doctor', '--json')).output) as {
      findings: readonly { check: string; status: string; message: string }[];
    };
    const store = findings.findings.filter(({ check }) => ['store', 'tokens', 'break-glass', 'observe-mode', 'lost-runs', 'guarded-tags'].includes(check));
    expect(store.map(({ status }) => status)).toEqual(store.map(() => 'ok'));
    expect(store[0]?.message).toMatch(/^the store has version 2: postgres:\/\/prefect@127\.0\.0\.1:\d+\/postgres, Postgres \d+$/);
  });

  it('check names a state directory without the sealing key of the other nodes, and one with other keys', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'lictor-other-node-'));
    const checked = () => runLictor(['check'], { configFile: gateway.configFile, stateDir });
    expect(await checked()).toMatchObject({ code: 1, output: expect.stringContaining('seal.key is missing') });
    openSealer(join(stateDir, 'keys', 'seal.key'));
    expect(await checked()).toMatchObject({ code: 1, output: expect.stringContaining('is not the key of the other nodes') });
    cpSync(join(gateway.stateDir, 'keys', 'seal.key'), join(stateDir, 'keys', 'seal.key'));
    expect(await checked()).toMatchObject({ code: 0, output: expect.stringContaining('no problem') });
    for (const name of ['run-token.key', 'ledger.pem']) {
      const file = join(stateDir, 'keys', name);
      writeFileSync(file, 'another', { mode: 0o600 });
      expect(await checked()).toMatchObject({ code: 1, output: expect.stringContaining(`${name} differs from the one of the other nodes`) });
      cpSync(join(gateway.stateDir, 'keys', name), file);
    }
    expect(await checked()).toMatchObject({ code: 0, output: expect.stringContaining('no problem') });
    rmSync(stateDir, { recursive: true });
  });

  it('logs a person in, and out', async () => {
    const session = await gateway.login(await gateway.account('alice', 'viewer'));
    expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(200);
    await gateway.lictorOk('account', 'remove', 'alice');
    expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(401);
  });

  it('lets a token start a run, shows who did it, and rejects the token within a second after it is revoked', async () => {
    const flow = (await (await post('/api/flows/', { name: 'on-postgres' })).json()) as { id: string };
    const run = await post('/api/flow_runs/', { flow_id: flow.id, name: 'on-postgres', state: { type: 'SCHEDULED' } });
    expect(run.status).toBe(201);
    const { id } = (await run.json()) as { id: string };
    expect((await post(`/api/flow_runs/${id}/set_state`, { state: { type: 'CANCELLED' } })).status).toBe(201);
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:deployer', '--action', 'flow_runs.create', '--json'));
    expect(records).toMatchObject([{ decision: 'allow' }]);
    const taken = await gateway.token('taken', ['viewer']);
    expect((await version(taken.secret)).status).toBe(200);
    await gateway.lictorOk('token', 'revoke', 'taken');
    expect((await version(taken.secret)).status).toBe(401);
    expect((await version(deployer.secret)).status).toBe(200);
  });

  it('takes many changes at once', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `many-${index}`);
    const flows = await Promise.all(names.map((name) => post('/api/flows/', { name })));
    expect(flows.map(({ status }) => status)).toEqual(names.map(() => 201));
  });

  it('goes on with its decisions while Postgres is away, rejects others with 503 and Retry-After, and needs no restart', async () => {
    const unseen = await gateway.token('unseen', ['viewer']);
    const { control } = gateway.pids();
    expect((await version(deployer.secret)).status).toBe(200);
    await postgres.end();
    expect((await version(deployer.secret)).status).toBe(200);
    const refused = await version(unseen.secret);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ code: 'gateway-unavailable' });
    expect((await gateway.fetch('/.lictor/ready')).status).toBe(503);
    const failed = await gateway.lictor('token', 'list');
    expect(failed).toMatchObject({ code: 1, output: expect.stringContaining('does not answer: check that Postgres runs') });
    await postgres.begin();
    await waitFor(async () => (await version(unseen.secret)).status === 200, { what: 'an answer after the outage' });
    await waitFor(() => gateway.isReady(), { what: 'the gateway to be ready' });
    expect(gateway.pids().control).toBe(control);
  });

  it('has every record in the store, those of the outage too', async () => {
    const [last] = jsonLines(await gateway.lictorOk('audit', '--last', '1', '--json'));
    const client = new pg.Client(`postgres://${postgres.address}`);
    await client.connect();
    const shipped = async () => (await client.query('select 1 from ledger_records where seq = $1 and hash = $2', [last?.['seq'], last?.['hash']])).rowCount;
    await waitFor(async () => (await shipped()) === 1, { what: 'the last record in the store' });
    const { rows } = await client.query('select count(*) = max(seq) as whole from ledger_records');
    await client.end();
    expect(rows).toEqual([{ whole: true }]);
  });

  it('says so when it starts without Postgres, and starts when it is there', async () => {
    await gateway.stop();
    await postgres.end();
    expect(await gateway.lictor('up')).toMatchObject({ code: 1, output: expect.stringContaining('does not answer: check that Postgres runs') });
    await postgres.begin();
    await gateway.up();
    expect((await version(deployer.secret)).status).toBe(200);
  });
});
