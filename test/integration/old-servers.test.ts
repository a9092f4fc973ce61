// An unpatched Prefect 3.6.13 behind the gateway: its holes are open round it, and shut through it. The other releases: test/endurance/releases.test.ts.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listenOnLoopback } from '../env/listen.ts';
import { field, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { oldServerVenv } from '../env/venv.ts';
import { openRelease, releaseChecks } from './old-servers/release.ts';

const VERSION = '3.6.13';
const get = openRelease(VERSION, () => oldServerVenv(VERSION));

describe(`Prefect ${VERSION}`, () => releaseChecks(VERSION, get));

describe('its holes', () => {
  const event = (name: string) => ({
    id: randomUUID(),
    event: name,
    occurred: new Date().toISOString(),
    resource: { 'prefect.resource.id': `hole.${name}` },
    related: [],
    payload: {},
  });
  const stored = async (name: string): Promise<number> => {
    const found = await get().direct.post('/events/filter', { filter: { event: { name: [name] } } });
    return Number(field(found, 'total'));
  };

  it('CVE-2026-7723: an event of nobody is stored by the server itself, and not through the gateway', async () => {
    const { server, gateway } = get();
    const proof = openSocket(server.url, '/api/events/in', { protocols: [] });
    expect(await proof.opened).toBe(true);
    proof.send(event('hole.direct'));
    await waitFor(async () => (await stored('hole.direct')) === 1, { what: 'the event of nobody', timeoutMs: 60_000 });
    proof.close();
    const bare = openSocket(gateway.url, '/api/events/in', { protocols: [] });
    expect(await bare.ended).toMatchObject({ status: 401 });
    const framed = openSocket(gateway.url, '/api/events/in', { first: event('hole.framed') });
    expect(await framed.ended).toMatchObject({ code: 1008 });
    const guessed = openSocket(gateway.url, '/api/events/in', { first: authFrame('lct_guessed') });
    expect(await guessed.ended).toMatchObject({ code: 1008 });
    const reader = openSocket(gateway.url, '/api/events/in', { first: authFrame(get().token('viewer')) });
    expect((await reader.ended).code).toBe(1008);
    const worker = openSocket(gateway.url, '/api/events/in', { protocols: [], headers: { 'x-lictor-token': get().token('worker') } });
    expect(await worker.opened).toBe(true);
    worker.send(event('hole.worker'));
    await waitFor(async () => (await stored('hole.worker')) === 1, { what: 'the event of the worker', timeoutMs: 60_000 });
    worker.close();
    expect(await stored('hole.framed')).toBe(0);
  });

  it('CVE-2026-3514: what ends in health or ready is read and deleted by nobody through the gateway', async () => {
    const { server, direct, send } = get();
    for (const name of ['db_health', 'db_ready']) {
      await direct.post('/variables/', { name, value: 'secret' });
      const path = `/variables/name/${name}`;
      expect((await fetch(`${server.url}/api${path}`)).status, 'the hole is open').toBe(200);
      for (const method of ['GET', 'PATCH', 'DELETE'])
        expect((await send(null, method, path, method === 'PATCH' ? { value: 'x' } : undefined)).status).toBe(401);
      expect((await send('viewer', 'DELETE', path)).status).toBe(403);
      expect((await send('viewer', 'GET', path)).body).toMatchObject({ value: 'secret' });
    }
  });

  it('CVE-2026-5366: options for git in a pull step are stored by the server itself, and by none but an admin through the gateway', async () => {
    const { direct, send } = get();
    const flow = await direct.post('/flows/', { name: `git-${randomUUID()}` });
    const made = await direct.post('/deployments/', { name: 'git', flow_id: field(flow, 'id'), enforce_parameter_schema: false });
    const path = `/deployments/${text(field(made, 'id'))}`;
    const steps = (more: object) => ({ pull_steps: [{ 'prefect.deployments.steps.git_clone': { repository: 'https://git.example/r', ...more } }] });
    for (const option of [
      { directories: ['src', '--upload-pack=touch /tmp/x'] },
      { branch: '--upload-pack=id' },
      { repository: '--upload-pack=id' },
      { commit_sha: '-x' },
    ]) {
      expect(await send('deployer', 'PATCH', path, steps(option))).toMatchObject({ status: 403, body: { code: 'pull-step-option' } });
      const again = { name: 'git', flow_id: field(flow, 'id'), ...steps(option) };
      expect(await send('deployer', 'POST', '/deployments/', again)).toMatchObject({ status: 403, body: { code: 'pull-step-option' } });
    }
    expect(JSON.stringify(field(await direct.get(path), 'pull_steps') ?? [])).toBe('[]');
    expect((await send('deployer', 'PATCH', path, steps({ directories: ['src'] }))).status).toBe(204);
    expect((await send('admin', 'PATCH', path, steps({ directories: ['--really'] }))).status).toBe(204);
    expect(JSON.stringify(field(await direct.get(path), 'pull_steps'))).toContain('--really');
  });

  it('PrefectHQ/prefect#22252: a schema makes the server fetch an address, and not through the gateway', async () => {
    const { direct, send } = get();
    const fetched: string[] = [];
    const inside = createServer((request, response) => {
      fetched.push(request.url ?? '');
      response.setHeader('content-type', 'application/json').end('{"type":"integer"}');
    });
    const port = await listenOnLoopback(inside);
    try {
      const form = (ref: string) => ({ schema: { properties: { x: { $ref: ref } }, $defs: { x: { type: 'integer' } } }, values: { x: 1 } });
      const address = (name: string) => `http://127.0.0.1:${port}/${name}`;
      expect(await direct.post('/ui/schemas/validate', form(address('direct')))).toMatchObject({ valid: true });
      expect(fetched, 'the hole is open').toEqual(['/direct']);
      for (const role of ['viewer', 'admin']) {
        const asked = await send(role, 'POST', '/ui/schemas/validate', form(address(role)));
        expect(asked).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
      }
      const flow = field(await direct.post('/flows/', { name: `schema-${randomUUID()}` }), 'id');
      const schema = { type: 'object', properties: { x: { $ref: address('deployment') } } };
      const deployment = { name: 'schema', flow_id: flow, parameter_openapi_schema: schema, parameters: { x: 1 }, enforce_parameter_schema: true };
      expect(await send('deployer', 'POST', '/deployments/', deployment)).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
      const template = { job_configuration: { command: '{{ x }}' }, variables: { properties: { x: { $ref: address('pool'), default: 1 } } } };
      const pool = { name: `schema-${randomUUID()}`, type: 'process', base_job_template: template };
      expect(await send('deployer', 'POST', '/work_pools/', pool)).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
      expect(await send('viewer', 'POST', '/ui/schemas/validate', form('#/$defs/x'))).toMatchObject({ status: 200, body: { valid: true } });
      expect(fetched).toEqual(['/direct']);
    } finally {
      inside.close();
    }
  });

  it('are named by doctor, with what stops them', async () => {
    const { output } = await get().gateway.lictor('doctor', '--json');
    for (const cve of ['CVE-2026-7723', 'CVE-2026-3514', 'CVE-2026-5366', 'PrefectHQ/prefect#22252']) expect(output).toContain(`Prefect ${VERSION} has ${cve}`);
  });
});

it('counts and lists automations for whose they are, under a scope: this Prefect counts all, and takes no ids', async () => {
  const { direct, gateway } = get();
  const trigger = { type: 'event', posture: 'Reactive', expect: ['x.never'], threshold: 1, within: 0 };
  for (const name of ['mine-1', 'mine-2', 'theirs-1']) {
    await direct.post('/automations/', { name, trigger, actions: [{ type: 'do-nothing' }], enabled: false });
  }
  const { secret } = await gateway.token('narrow', ['viewer'], '--scope', 'automation=mine-*');
  const asked = async (path: string, body: object) => {
    const response = await gateway.fetch(`/api/automations${path}`, {
      method: 'POST',
      token: secret,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const named = { automations: { name: { any_: ['mine-1', 'theirs-1'] } } };
  expect(await direct.post('/automations/count', named), 'it counts all').toBeGreaterThanOrEqual(3);
  expect(await asked('/count', {})).toEqual({ status: 200, body: 2 });
  expect(await asked('/count', named)).toEqual({ status: 200, body: 1 });
  expect(await asked('/filter', { sort: 'NAME_DESC' })).toMatchObject({ status: 200, body: [{ name: 'mine-2' }, { name: 'mine-1' }] });
  expect(await asked('/filter', named)).toMatchObject({ status: 200, body: [{ name: 'mine-1' }] });
  expect(await asked('/filter', { limit: 1, offset: 1 })).toMatchObject({ status: 200, body: [{ name: 'mine-2' }] });
});
