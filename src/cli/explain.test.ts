import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { appendRecord } from '../record/ledger/append-record.ts';
import { flowRunEvent, uuid, writeEvents } from '../record/ledger/prefect-events/event.fixture.ts';
import { main } from './main.ts';

const REQUEST = 'a'.repeat(32);
let root: string;
beforeAll(async () => {
  root = makeMemoryDir('lictor-explain-');
  writeFileSync(
    join(root, 'lictor.yaml'),
    'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\nidentity_providers: [ { id: local, type: accounts } ]\n',
  );
  await lictor('token', 'create', 'etl', '--role', 'worker');
  const refused = {
    principal: 'token:etl',
    action: 'deployments.write',
    resource_type: 'Deployment',
    decision: 'deny',
    reason: 'policy-default-deny',
  } as const;
  appendRecord(statePaths(root, ''), { time: '2026-01-01T00:00:00.000Z', request_id: REQUEST, status: 403, revision: 1, ...refused });
});
afterAll(() => {
  removeRuntimeDir(prepareStateDir(root));
  rmSync(root, { recursive: true, force: true });
});

const lictor = (...args: string[]) => lictorIn({}, ...args);

async function lictorIn(env: Readonly<Record<string, string>>, ...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args], out, err, env, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

describe('lictor explain', () => {
  it('answers without the gateway: decision, roles, rights, policies; at most 120 characters a line', async () => {
    const { status, out } = await lictor('explain', 'token:etl', 'worker.poll');
    expect(status).toBe(0);
    expect(out).toMatch(/^allow {2}token:etl {2}worker\.poll\n/);
    expect(out).toContain('role worker    token etl');
    expect(out).toContain('src/authorization/policy/roles/worker.cedar');
    const denied = await lictor('explain', '--request', 'POST /api/deployments/', '--as', 'token:etl');
    expect(denied.out).toMatch(/^deny {2}token:etl/);
    for (const line of `${out}${denied.out}`.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it.each([
    ['a right', ['token:etl', 'worker.poll']],
    ['a request', ['--request', 'POST /api/flow_runs/1b4e28ba-2fa1-41d2-883f-0016d3cca427/set_state', '--as', 'role:operator']],
    ['a request that was refused', [REQUEST]],
  ])('fits the width of the terminal, and says the same of %s', async (_what, args) => {
    const words = (text: string) => text.split(/\s+/).join('');
    const wide = (await lictorIn({ COLUMNS: '120' }, 'explain', ...args)).out;
    const narrow = (await lictorIn({ COLUMNS: '80' }, 'explain', ...args)).out;
    for (const line of narrow.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect([...words(narrow)].toSorted().join('')).toBe([...words(wide)].toSorted().join(''));
  });

  it('prints one object with --json, with a body from a file', async () => {
    const file = join(root, 'body.json');
    writeFileSync(file, '{"state": {"type": "CANCELLING"}}');
    const line = 'POST /api/flow_runs/1b4e28ba-2fa1-41d2-883f-0016d3cca427/set_state';
    const { out } = await lictor('explain', '--request', line, '--as', 'role:operator', '--body', file, '--json');
    expect(JSON.parse(out)).toMatchObject({ decision: 'allow', asks: [{ action: 'flow_runs.cancel', facts: { state_type: 'CANCELLING' } }] });
    const viewer = await lictor('explain', '--request', line, '--as', 'role:viewer', '--body', file, '--json');
    expect(JSON.parse(viewer.out)).toMatchObject({ decision: 'deny' });
  });

  it('says what would change a denial, and nothing of the kind of an allow', async () => {
    const sentence = 'The role deployer permits it: give it to token:etl';
    for (const args of [['token:etl', 'deployments.write'], ['--request', 'POST /api/deployments/', '--as', 'token:etl'], [REQUEST]]) {
      const { out } = await lictor('explain', ...args);
      expect(out).toContain('What would change the answer\n');
      expect(out.replaceAll(/\s+/g, ' ')).toContain(sentence);
      const { remedies } = JSON.parse((await lictor('explain', ...args, '--json')).out);
      expect(remedies).toContainEqual(expect.stringContaining(sentence));
    }
    expect((await lictor('explain', 'token:etl', 'worker.poll')).out).not.toContain('What would change');
    expect(JSON.parse((await lictor('explain', 'token:etl', 'worker.poll', '--json')).out)).toMatchObject({ decision: 'allow', remedies: [] });
  });

  it('finds a refused request by its id, and shows both answers', async () => {
    const { status, out } = await lictor('explain', REQUEST);
    expect(status).toBe(0);
    expect(out).toMatch(/^was denied {2}token:etl {2}deployments\.write\n\n +because +token:etl has only the role worker; worker does not permit this\.\n/);
    expect(out).toContain('The same answer now:');
    expect(JSON.parse((await lictor('explain', REQUEST, '--json')).out)).toMatchObject({ record: { request_id: REQUEST }, now: { decision: 'deny' } });
  });

  it.each([
    [2, 'examples', []],
    [2, 'alone is no question', ['alice@local']],
    [2, 'needs a principal', ['--request', 'GET /api/health']],
    [2, 'belong to --request', ['role:viewer', 'flows.read', '--body', '-']],
    [2, 'Did you mean flows.read', ['role:viewer', 'flows.raed']],
    [1, 'Did you mean token:etl', ['token:elt', 'flows.read']],
    [1, 'no request', ['b'.repeat(32)]],
    [1, 'cannot be read', ['--request', 'POST /api/flows/', '--as', 'role:viewer', '--body', '/nonexistent']],
  ])('answers %i and %s to %j', async (expected, words, args) => {
    const { status, err } = await lictor('explain', ...args);
    expect(err).toContain(words);
    expect(status).toBe(expected);
  });
});

it('explain and access say that Prefect has no such run or deployment, and which was meant', async () => {
  writeEvents(statePaths(root, ''), [
    flowRunEvent(1, 1),
    flowRunEvent(2, 1, { resource_id: `prefect.deployment.${uuid(7)}`, resource_name: 'nightly', flow_run_id: null }),
  ]);
  const prefect = createServer((_request, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{}')).listen(0, '127.0.0.1');
  await once(prefect, 'listening');
  const address = prefect.address();
  const file = join(root, 'with-prefect.yaml');
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  writeFileSync(file, `public_url: http://localhost:8200\nprefect: { url: "${url}" }\n`);
  const near = uuid(1).replace(/.$/, 'f');
  try {
    const said = async (...args: string[]) => (await lictor('-c', file, ...args)).err;
    const deployment = 'Prefect has no deployment etl/nihgtly. Did you mean nightly?\n';
    expect(await said('explain', 'token:etl', 'deployments.run', 'etl/nihgtly')).toBe(deployment);
    expect(await lictor('-c', file, 'access', 'deployments.run', 'etl/nihgtly')).toEqual({ status: 1, out: '', err: `lictor: ${deployment}` });
    const run = `Prefect has no flow run ${near}. Did you mean ${uuid(1)}?\n`;
    expect(await lictor('-c', file, 'access', 'flow_runs.cancel', near, '--json')).toEqual({ status: 1, out: '', err: `lictor: ${run}` });
    expect(await said('explain', `run:${near}`, 'flow_runs.cancel', near)).toBe(`${run}${run}`);
    expect(await said('access', 'worker.poll')).toBe('');
  } finally {
    prefect.close();
  }
});

describe('lictor access', () => {
  it('says who may do it, by which role and policy; --all also who may not, and why', async () => {
    const { status, out } = await lictor('access', 'worker.poll');
    expect(status).toBe(0);
    expect(out).toMatch(/^PRINCIPAL +ROLE +ON +BY POLICY\ntoken:etl +worker +everything +\S/);
    expect((await lictor('access', 'ledger.read')).out).toBe('No principal may do this.\n');
    expect((await lictor('access', 'ledger.read', '--all')).out).toContain('deny policy-default-deny');
  });

  it('names the own policies that it cannot count without an object', async () => {
    const policies = join(root, 'policies');
    mkdirSync(policies, { mode: 0o700 });
    writeFileSync(
      join(policies, 'own.cedar'),
      '@id("tagged")\npermit (principal == Principal::"token:etl", action == Action::"deployments.run", resource) when { resource has tags };\n',
    );
    const file = join(root, 'own.yaml');
    writeFileSync(file, `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\npolicies: ${policies}\n`);
    const note = 'Not counted, because they decide by the object or the request: own policies tagged. Name an object.\n';
    for (const args of [['deployments.run'], ['deployments.run', 'Deployment', '--json']]) expect((await lictor('-c', file, 'access', ...args)).err).toBe(note);
    expect((await lictor('-c', file, 'access', 'deployments.run', uuid(9))).err).not.toContain('Not counted');
    expect((await lictor('-c', file, 'access', 'worker.poll')).err).toBe('');
  });

  it('says where a rule holds the action until a person approves', async () => {
    const file = join(root, 'held.yaml');
    const approvals = 'approvals: [ { name: polls, principals: [ "token:etl" ], actions: [ worker.poll ], approvers: [ "user:alice@local" ] } ]\n';
    writeFileSync(
      file,
      `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\nidentity_providers: [ { id: local, type: accounts } ]\n${approvals}`,
    );
    expect((await lictor('-c', file, 'access', 'worker.poll')).out).toMatch(/^token:etl .*\S \(with approval\)$/m);
    expect((await lictor('access', 'worker.poll')).out).not.toContain('with approval');
  });

  it('prints one line of JSON for each principal and role', async () => {
    const { out } = await lictor('access', 'worker.poll', '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { principal: 'token:etl', role: 'worker', scope: null, allowed: true, with_approval: false, reason: 'policy-permits', policies: expect.any(Array) },
    ]);
  });

  it('shows as unknown who may do it only by a scope, and exits 1, while Prefect is away', async () => {
    const file = join(root, 'scoped.yaml');
    const roles = 'roles: [ { role: operator, members: [ "token:ci" ], scope: { tags: [team-a] } }, { role: admin, members: [ "token:root" ] } ]\n';
    writeFileSync(file, `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n${roles}`);
    const { status, out, err } = await lictor('-c', file, 'access', 'deployments.run', uuid(9));
    expect([status, out]).toEqual([1, expect.stringMatching(/^token:ci +- +- +unknown: upstream-unavailable$/m)]);
    expect(out).toMatch(/^token:root +admin +everything/m);
    expect(err).toContain('The list is not complete: Prefect could not be asked about the object (upstream-unavailable)');
    expect(await lictor('-c', file, 'access', 'deployments.run')).toMatchObject({ status: 0, err: '' });
    const json = await lictor('-c', file, 'access', 'deployments.run', uuid(9), '--json');
    expect([json.status, json.out]).toEqual([1, expect.stringContaining('"allowed":false,"with_approval":false,"reason":"upstream-unavailable"')]);
  });

  it('answers from lictor.yaml before there is a store, and says that nobody else exists', async () => {
    const file = join(root, 'members.yaml');
    writeFileSync(file, 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\nroles: [ { role: worker, members: [ "token:w" ] } ]\n');
    const empty = join(root, 'empty');
    try {
      const { status, out, err } = await lictor('--state-dir', empty, '-c', file, 'access', 'worker.poll');
      expect([status, out]).toEqual([0, expect.stringMatching(/\ntoken:w +worker +everything/)]);
      const list = 'The list has only the members that lictor.yaml names.';
      expect(err).toBe(`lictor: There is no store at ${join(empty, 'lictor.db')}, so there is no account, no token and no person yet. ${list}\n`);
      expect(existsSync(join(empty, 'lictor.db'))).toBe(false);
    } finally {
      removeRuntimeDir(prepareStateDir(empty));
    }
  });

  it('answers 2 to an action that is not there, with the one that was meant', async () => {
    expect(await lictor('access', 'worker.pol')).toMatchObject({ status: 2, out: '', err: expect.stringContaining('Did you mean worker.poll') });
  });
});
