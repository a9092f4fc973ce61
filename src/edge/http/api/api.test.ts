// The mechanism of the admin API, on its real routes and on one change made for the test.
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { INPUT } from '../../../contract/names.ts';
import { cookieOf, useOwnApp } from '../own-app.fixture.ts';
import { apiRoute } from './api-route.ts';
import { openApiDocument } from './openapi.ts';
import { API_ROUTES } from './routes.ts';

const BASE = '/.lictor/api/v1';

const set = new Set<string>();
const change = apiRoute({
  method: 'PUT',
  path: '/things/{name}',
  summary: 'Set a thing',
  needs: { action: 'access.write' },
  params: z.strictObject({ name: z.string().max(8) }),
  body: z.strictObject({ why: z.string() }),
  answer: z.strictObject({ why: z.string() }),
  async handle({ params, body, record }) {
    if (body.why === 'forgetful') return { ok: true, body };
    if (!(await record({ action: 'lock.create', resource_type: 'Thing', resource_id: params.name }))) return { ok: false, code: 'ledger-unavailable' };
    set.add(params.name);
    return { ok: true, body };
  },
});

const lookUp = apiRoute({
  method: 'POST',
  isRead: true,
  path: '/things/search',
  summary: 'Find a thing',
  needs: { action: 'access.read' },
  body: z.strictObject({ why: z.string() }),
  answer: z.strictObject({ why: z.string() }),
  handle: async ({ body }) => ({ ok: true, body }),
});

const { get, ask, logIn } = useOwnApp({ apiRoutes: [...API_ROUTES, change, lookUp] });
beforeEach(() => set.clear());

const bearer = async (role: string) => ({ [INPUT.authorization]: `Bearer ${(await get().test.token({ name: role, roles: [role] })).text}` });

async function admin() {
  const session = cookieOf(await logIn());
  const me = (await ask(`${BASE}/me`, { session })).json();
  return { session, me, headers: { 'content-type': 'application/json', 'x-csrf-token': String(me.csrf_token) } };
}

const put = (more: object) => ask(`${BASE}/things/lamp`, { method: 'PUT', sameOrigin: true, body: '{"why":"dark"}', ...more });

describe('me', () => {
  it('says which rights the principal has, and which role has the others', async () => {
    const { rights, csrf_token } = (await ask(`${BASE}/me`, { headers: await bearer('auditor') })).json();
    expect(rights).toMatchObject({ 'ledger.read': { allowed: true }, 'access.read': { allowed: true }, 'gateway.read': { allowed: true } });
    expect(rights).toMatchObject({ 'access.write': { allowed: false, reason: 'policy-default-deny', detail: expect.stringContaining('admin') } });
    expect([rights['policies.write'].allowed, csrf_token]).toEqual([false, null]);
  });

  it('gives a session the token for its changes', async () => {
    const { me } = await admin();
    expect(me).toMatchObject({ principal: 'alice@local', csrf_token: expect.any(String), logged_in_at: expect.stringMatching(/^20/) });
  });
});

describe('a change', () => {
  it('of a recent login at this origin happens, after its record', async () => {
    const answer = await put(await admin());
    expect([answer.statusCode, answer.json(), [...set]]).toEqual([200, { why: 'dark' }, ['lamp']]);
    expect(get().records.filter(({ action }) => action === 'lock.create')).toMatchObject([
      { resource_type: 'Thing', resource_id: 'lamp', principal: 'alice@local', decision: 'allow', status: 200, method: 'PUT', path: `${BASE}/things/lamp` },
    ]);
  });

  it.each([
    ['by a token', async () => ({ headers: { 'content-type': 'application/json', ...(await bearer('admin')) } }), 403, 'session-required'],
    ['without a credential', async () => ({}), 401, 'credential-missing'],
    ['from another site', async () => ({ ...(await admin()), sameOrigin: false, foreignOrigin: true }), 403, 'origin-foreign'],
    ['without a word on its origin', async () => ({ ...(await admin()), sameOrigin: false }), 403, 'origin-foreign'],
    ['without the proof', async () => ({ ...(await admin()), headers: { 'content-type': 'application/json' } }), 403, 'origin-foreign'],
    ['with the proof of another session', async () => ({ ...(await admin()), session: (await admin()).session }), 403, 'origin-foreign'],
    ['as a form', async () => withType(await admin(), 'application/x-www-form-urlencoded'), 415, 'content-type-unsupported'],
    ['with a key twice', async () => ({ ...(await admin()), body: '{"why":"a","why":"b"}' }), 400, 'body-not-json'],
    ['with an unknown key', async () => ({ ...(await admin()), body: '{"why":"a","x":1}' }), 400, 'request-invalid'],
  ])('%s does not', async (_what, more, status, code) => {
    const answer = await put(await more());
    expect([answer.statusCode, answer.json().code, set.size]).toEqual([status, code, 0]);
  });

  it('does not happen five minutes after the login', async () => {
    const who = await admin();
    get().test.advance(5 * 60_000 + 1);
    const answer = await put(who);
    expect([answer.json().code, set.size]).toEqual(['login-not-recent', 0]);
    expect(get().records.at(-1)).toMatchObject({ action: 'access.write', decision: 'deny', reason: 'login-not-recent', status: 403 });
  });

  it('does not happen without a record', async () => {
    const who = await admin();
    get().ledgerBroken = true;
    expect([(await put(who)).json().code, set.size]).toEqual(['ledger-unavailable', 0]);
  });

  it('whose handler forgets the record is an outage', async () => {
    const answer = await put({ ...(await admin()), body: '{"why":"forgetful"}' });
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'gateway-unavailable']);
  });

  it('of a person without the right is denied before its input is read', async () => {
    await get().test.store.accounts.create({ id: '2', name: 'carol', roles: ['auditor'], password: get().phc });
    const session = cookieOf(await logIn({ username: 'carol' }));
    const { csrf_token } = (await ask(`${BASE}/me`, { session })).json();
    const answer = await put({ session, headers: { 'content-type': 'application/json', 'x-csrf-token': csrf_token }, body: '{' });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'policy-default-deny']);
  });
});

describe('a read by POST', () => {
  const post = (more: object) => ask(`${BASE}/things/search`, { method: 'POST', body: '{"why":"dark"}', ...more });
  const json = { 'content-type': 'application/json' };

  it('needs the right alone: any credential, and no recent login', async () => {
    expect((await post({ headers: { ...json, ...(await bearer('auditor')) } })).json()).toEqual({ why: 'dark' });
    const { session } = await admin();
    get().test.advance(5 * 60_000 + 1);
    expect((await post({ session, sameOrigin: true, headers: json })).statusCode).toBe(200);
    expect(get().records.at(-1)).toMatchObject({ action: 'access.read', decision: 'allow', method: 'POST' });
  });

  it('twin: is denied without the right, to a session from another site, and in another form than JSON', async () => {
    expect((await post({ headers: { ...json, ...(await bearer('viewer')) } })).json().code).toBe('policy-default-deny');
    const { session } = await admin();
    for (const from of [{}, { foreignOrigin: true }]) expect((await post({ session, headers: json, ...from })).json().code).toBe('origin-foreign');
    expect((await post({ session, sameOrigin: true, headers: { 'content-type': 'text/plain' } })).json().code).toBe('content-type-unsupported');
  });
});

function withType<T extends { readonly headers: object }>(who: T, type: string) {
  return { ...who, headers: { ...who.headers, 'content-type': type } };
}

describe('the OpenAPI document', () => {
  it('is served to any principal, and to nobody else', async () => {
    expect((await ask(`${BASE}/openapi.json`)).statusCode).toBe(401);
    expect((await ask(`${BASE}/openapi.json`, { headers: await bearer('viewer') })).json()).toMatchObject({ openapi: '3.1.0' });
  });

  it('has every route with its right, its parameters and the shape of its answer', () => {
    const { paths } = openApiDocument([change, ...API_ROUTES]) as { paths: Record<string, object> };
    expect(Object.keys(paths)).toEqual([...new Set([change, ...API_ROUTES].map(({ path }) => path))]);
    expect(paths['/things/{name}']).toMatchObject({
      put: {
        operationId: 'put_things_name',
        description: 'Needs `access.write`.',
        parameters: [{ name: 'name', in: 'path', required: true }, { name: 'x-csrf-token' }],
        requestBody: { content: { 'application/json': { schema: { required: ['why'] } } } },
        responses: { 200: { content: { 'application/json': { schema: { properties: { why: { type: 'string' } } } } } } },
      },
    });
  });

  it('has each named shape once, at the place that its references name', () => {
    const text = JSON.stringify(openApiDocument(API_ROUTES));
    const { components } = JSON.parse(text);
    const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => String(reference).replace('#/components/schemas/', ''));
    expect([...new Set(names)].sort()).toEqual(Object.keys(components.schemas).sort());
    expect(text).not.toContain('$defs');
  });

  it('agrees with what the routes without parameters answer', async () => {
    const headers = await bearer('admin');
    for (const route of API_ROUTES.filter(({ method, path, mediaType }) => method === 'GET' && !path.includes('{') && mediaType === undefined).filter(
      ({ schemas }) => schemas.query.safeParse({}).success,
    )) {
      const answer = await ask(`${BASE}${route.path}`, { headers });
      expect([route.path, answer.statusCode, route.schemas.answer.safeParse(answer.json()).error]).toEqual([route.path, 200, undefined]);
    }
  });
});
