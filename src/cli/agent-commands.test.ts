// lictor agent list, stop and resume, on the store file, with a Prefect that holds runs.
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../../test/env/listen.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { openStore, type Store } from '../store/store.ts';
import { main } from './main.ts';

let root = '';
let prefect: Server;
/** Type of the state, and the deployment, by run. */
let runs: Map<string, { type: string; deployment: string | null }>;
let sent: unknown[];

beforeEach(async () => {
  root = makeMemoryDir('lictor-agent-');
  runs = new Map();
  sent = [];
  prefect = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(request.url ?? '', JSON.parse(Buffer.concat(chunks).toString())))),
    );
  });
  const port = await listenOnLoopback(prefect);
  writeFileSync(join(root, 'lictor.yaml'), configuration(port));
  await inStore(async () => undefined);
});

afterEach(async () => {
  prefect.closeAllConnections();
  await new Promise((resolve) => prefect.close(resolve));
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

function configuration(port: number): string {
  return `
public_url: http://localhost:8200
prefect: { url: http://127.0.0.1:${port} }
identity_providers: [{ id: local, type: accounts }]
agents:
  - { name: copilot, sponsor: "user:alice@local", credential: token, roles: [{ role: agent }], budgets: { calls: 100/min, runs: 5/h, descendants: 3 } }
  - { name: helper, sponsor: "user:bob@local", credential: token, roles: [{ role: agent }] }
`;
}

interface Body {
  readonly flow_runs?: { readonly id: { readonly any_: readonly string[] } };
  readonly state?: { readonly type: string };
}

function answer(path: string, body: Body): unknown {
  if (path === '/api/flow_runs/filter') {
    const ids = body.flow_runs?.id.any_ ?? [];
    return ids.flatMap((id) => (runs.has(id) ? [{ id, state_type: runs.get(id)?.type, deployment_id: runs.get(id)?.deployment }] : []));
  }
  sent.push([path, body.state?.type]);
  return { status: path.includes('stubborn') ? 'ABORT' : 'ACCEPT', state: body.state };
}

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const given = ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args];
  const status = await main({ args: given, out, err, env: {}, cwd: root, pause: async () => undefined });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function records(): Promise<readonly unknown[]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found = [];
  for await (const { action, resource_id, flow_run_id } of reader.audit({})) found.push([action, resource_id, flow_run_id]);
  reader.close();
  return found;
}

const begin = (store: Store, root: string | null, ...ids: readonly string[]) => store.agentRuns.begin([], { agent: 'copilot', root, ids });

describe('lictor agent list', () => {
  it('shows sponsor, budgets used and left, last call, and the state', async () => {
    await inStore(async (store) => {
      await store.agentUses.take([{ agent: 'copilot', kind: 'calls', amount: 2, most: null }]);
      await store.agentUses.take([{ agent: 'copilot', kind: 'runs', amount: 1, most: null }]);
      await begin(store, null, 'r1');
      await store.taints.mark('agent:copilot');
    });
    const [copilot, helper] = JSON.parse((await lictor('agent', 'list', '--json')).out);
    expect(copilot).toMatchObject({
      ...{ name: 'copilot', principal: 'agent:copilot', sponsor: 'alice@local', credential: 'token', runs_in_progress: 1, pending_approvals: 0, stopped: null },
      budgets: { calls: { most: 100, used: 2, left: 98 }, runs: { most: 5, used: 1, left: 4 }, descendants: { most: 3, used: null, left: null } },
      ...{ last_call_at: expect.stringMatching(/^20/), tainted_until: expect.stringMatching(/^20/) },
    });
    expect(helper).toMatchObject({ name: 'helper', budgets: {}, last_call_at: null, tainted_until: null });
    expect((await lictor('agent', 'list')).out).toMatch(
      /NAME .*\ncopilot .*alice@local .*active +20\S+ \S+ +20\S+ \S+ +calls 2\/100, runs 1\/5, descendants 3 +0\nhelper .*never +- /,
    );
  });
});

describe('lictor agent stop', () => {
  it('locks the agent, and resume removes only that lock; all are recorded', async () => {
    await lictor('account', 'add', 'alice', '--role', 'viewer');
    await lictor('lock', 'alice@local');
    const stopped = await lictor('agent', 'stop', 'copilot', '--why', 'runs in circles');
    expect(stopped).toMatchObject({ status: 0, err: '', out: 'The agent copilot is stopped. lictor agent resume copilot ends that.\n' });
    const [copilot] = JSON.parse((await lictor('agent', 'list', '--json')).out);
    expect(copilot.stopped).toMatchObject({ why: 'runs in circles', by: expect.stringMatching(/^local:/) });
    expect((await lictor('agent', 'list')).out).toContain('stopped');
    expect(sent).toEqual([]);
    expect(await lictor('agent', 'resume', 'copilot')).toMatchObject({ status: 0, out: 'The agent copilot may go on.\n' });
    expect((await inStore((store) => store.locks.list())).map(({ value }) => value)).toEqual(['alice@local']);
    expect((await records()).filter((record) => JSON.stringify(record).includes('agent:'))).toEqual([
      ['lock.create', 'agent:copilot', null],
      ['lock.remove', 'agent:copilot', null],
    ]);
  });

  it('cancels its unfinished runs and those below them, and no other, with a record for each', async () => {
    runs = new Map([
      ['r1', { type: 'RUNNING', deployment: 'd' }],
      ['sub', { type: 'RUNNING', deployment: null }],
      ['done', { type: 'COMPLETED', deployment: 'd' }],
      ['other', { type: 'RUNNING', deployment: 'd' }],
    ]);
    await inStore(async (store) => {
      await begin(store, null, 'r1', 'done', 'gone');
      await begin(store, 'r1', 'sub');
      await store.agentRuns.begin([], { agent: 'helper', root: null, ids: ['other'] });
    });
    expect(await lictor('agent', 'stop', 'copilot', '--cancel-runs')).toMatchObject({ status: 0, out: expect.stringContaining('\n2 runs are cancelled.\n') });
    expect(sent).toEqual([
      ['/api/flow_runs/r1/set_state', 'CANCELLING'],
      ['/api/flow_runs/sub/set_state', 'CANCELLED'],
    ]);
    expect((await records()).filter((record) => JSON.stringify(record).includes('flow_runs.cancel'))).toEqual([
      ['flow_runs.cancel', 'r1', 'r1'],
      ['flow_runs.cancel', 'sub', 'sub'],
    ]);
  });

  it('says which runs Prefect did not cancel, and that the agent is stopped when Prefect is away', async () => {
    runs = new Map([['stubborn', { type: 'RUNNING', deployment: 'd' }]]);
    await inStore((store) => begin(store, null, 'stubborn'));
    const failed = await lictor('agent', 'stop', 'copilot', '--cancel-runs');
    expect(failed).toMatchObject({
      status: 1,
      out: expect.stringContaining('0 runs are cancelled.'),
      err: expect.stringContaining('Prefect did not cancel stubborn.'),
    });
    prefect.closeAllConnections();
    await new Promise((resolve) => prefect.close(resolve));
    const away = await lictor('agent', 'stop', 'copilot', '--cancel-runs');
    expect(away).toMatchObject({ status: 1, err: expect.stringContaining('The agent is stopped, but Prefect does not answer: 0 runs are cancelled.') });
    expect((await inStore((store) => store.locks.list())).map(({ value }) => value)).toEqual(['agent:copilot']);
  });

  it.each([
    ['agent', 'stop', 'copilto'],
    ['agent', 'resume', 'copilto'],
    ['lock', 'agent:copilto'],
  ])('%s %s %s asks what was meant', async (...args) => {
    expect(await lictor(...args)).toMatchObject({ status: 1, err: expect.stringContaining('Did you mean copilot?') });
    expect(await inStore((store) => store.locks.list())).toEqual([]);
  });

  it('is the same as a lock on the agent', async () => {
    expect((await lictor('lock', 'agent:copilot')).status).toBe(0);
    expect((await lictor('agent', 'list')).out).toContain('stopped');
    expect((await lictor('unlock', 'agent:copilot')).status).toBe(0);
    expect(await lictor('agent', 'resume', 'copilot')).toMatchObject({ status: 1, err: expect.stringContaining('is not stopped') });
  });
});
