// What the built-in roles may do at the gateway, over every operation of the catalogue, before a recording upstream.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/contract/operation.ts';
import { createCatalogue, OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { startGateway } from '../env/gateway.ts';
import { directTo, field, sharedPrefect } from '../env/prefect.ts';
import { expectNothingUpstream, expectRefusal, useHarness } from './attacks/harness.ts';

const UUID = '11111111-1111-4111-8111-111111111111';
const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });

/** The operation's path with values in place of its parameters. */
function pathOf({ path, uuids }: Operation): string {
  return path.replace('/*', '/x').replaceAll(/\{([^}]+)\}/g, (_whole, name: string) => (uuids.includes(name) ? UUID : 'x'));
}

function call(operation: Operation, credential: { readonly token?: string }): Promise<Response> {
  const hasBody = operation.method !== 'GET' && operation.method !== 'HEAD';
  const body = hasBody && { body: '{}', headers: { 'content-type': 'application/json' } };
  return harness.gateway.fetch(pathOf(operation), { method: operation.method, ...credential, ...body });
}

const HTTP = OPERATIONS.filter(({ taken }) => taken !== 'relay');
const named = (operations: readonly Operation[]) => operations.map((operation) => [operation.operationId, operation] as const);

describe('no credential', () => {
  it.each(named(HTTP))('%s is 401 JSON and nothing upstream', async (_id, operation) => {
    const response = await call(operation, {});
    if (operation.method === 'HEAD') expect(response.status).toBe(401);
    else await expectRefusal(response, 401, 'credential-missing');
    expectNothingUpstream(harness);
  });
});

describe('viewer', () => {
  const writes = HTTP.filter((operation) => operation.writes && operation.taken !== 'deny');
  const reads = HTTP.filter(({ group, taken }) => (group === 'baseline' || group === 'read') && taken !== 'deny');

  it.each(named(writes))('%s is 403 with code, hint and request id, and nothing upstream', async (_id, operation) => {
    await expectRefusal(await call(operation, { token: harness.viewer }), 403, 'policy-default-deny');
    expectNothingUpstream(harness);
  });

  it.each(named(reads))('%s is allowed', async (_id, operation) => {
    const response = await call(operation, { token: harness.viewer });
    // 422: what Prefect itself says to a client that asks for a CSRF token when it wants none.
    expect([200, 422], await response.text()).toContain(response.status);
  });

  it('may do nothing that is neither in the one list nor in the other', async () => {
    const rest = HTTP.filter((operation) => !writes.includes(operation) && !reads.includes(operation));
    for (const operation of rest) expect((await call(operation, { token: harness.viewer })).status, operation.operationId).toBe(403);
    expectNothingUpstream(harness);
  });

  it.each([
    ['GET', '/api/no/such/route'],
    ['PATCH', '/api'],
    ['POST', '/runs'],
  ])('an unknown route, %s %s, is 403 action-unknown for everybody', async (method, path) => {
    for (const token of [harness.viewer, harness.admin]) {
      await expectRefusal(await harness.gateway.fetch(path, { method, token }), 403, 'action-unknown');
    }
    expectNothingUpstream(harness);
  });

  it('a UUID in any spelling is the same object', async () => {
    for (const id of [UUID, UUID.toUpperCase(), UUID.replaceAll('-', '')]) {
      expect((await harness.gateway.fetch(`/api/flow_runs/${id}`, { token: harness.viewer })).status).toBe(200);
      await expectRefusal(await harness.gateway.fetch(`/api/flow_runs/${id}`, { method: 'DELETE', token: harness.viewer }), 403, 'policy-default-deny');
    }
  });
});

/** Pages and conditional routes, whose 405 differs between starts; and the one id that Prefect's handler reads instead of its router (422). */
const OTHERWISE = /\/(?:docs|redoc|openapi|metrics|pid|leases)/;

describe('with a real Prefect', () => {
  const prefect = sharedPrefect();
  const server = directTo(prefect);
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    gateway = await startGateway({ upstream: prefect });
  });
  afterAll(() => gateway?.close());

  it('an object that a viewer tried to change is unchanged; an admin changes it', async () => {
    const viewer = (await gateway.token('viewer', ['viewer'])).secret;
    const admin = (await gateway.token('admin', ['admin'])).secret;
    const name = `roles_${Date.now().toString(36)}`;
    const before = await server.post('/variables/', { name, value: 'before' });
    const path = `/api/variables/${String(field(before, 'id'))}`;
    const patch = { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: '{"value":"after"}' };
    await expectRefusal(await gateway.fetch(path, { ...patch, token: viewer }), 403, 'policy-default-deny');
    await expectRefusal(await gateway.fetch(path, { method: 'DELETE', token: viewer }), 403, 'policy-default-deny');
    expect(await server.get(`/variables/name/${name}`)).toEqual(before);
    expect((await gateway.fetch(path, { ...patch, token: admin })).status).toBe(204);
    expect(field(await server.get(`/variables/name/${name}`), 'value')).toBe('after');
  });

  it("another method, and an id that is none, get the answer of Prefect's own router, byte for byte", async () => {
    const token = (await gateway.token('viewer-3', ['viewer'])).secret;
    const catalogue = createCatalogue();
    const routes = HTTP.filter(({ path, taken }) => path.startsWith('/api/') && !path.endsWith('*') && taken !== 'deny' && !OTHERWISE.test(path));
    const authorization = `Basic ${Buffer.from(prefect.authString).toString('base64')}`;
    const seen = new Set<number>();
    for (const path of new Set(routes.flatMap((route) => [pathOf(route), pathOf(route).replaceAll(UUID, 'not-a-uuid')]))) {
      const method = ['GET', 'PUT', 'DELETE', 'POST', 'PATCH'].find((candidate) => catalogue.match(candidate, path) === undefined) ?? 'PUT';
      const [ours, theirs] = await Promise.all([
        gateway.fetch(path, { method, token }),
        fetch(`${prefect.url}${path}`, { method, headers: { authorization } }),
      ]);
      const answer = async (from: Response) => [from.status, from.headers.get('allow'), from.headers.get('content-type'), await from.text()];
      expect(await answer(ours), `${method} ${path}`).toEqual(await answer(theirs));
      seen.add(ours.status);
    }
    expect(seen).toEqual(new Set([404, 405]));
    expect((await gateway.fetch('/api/flows/not-a-uuid')).status).toBe(401);
  });

  it('admin/settings is whole for a viewer, and holds no secret', async () => {
    const viewer = (await gateway.token('viewer-2', ['viewer'])).secret;
    const response = await gateway.fetch('/api/admin/settings', { token: viewer });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain(prefect.authString.split(':')[1]);
    expect(JSON.parse(text)).toHaveProperty('server');
  });
});
