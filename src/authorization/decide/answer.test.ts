import { describe, expect, it } from 'vitest';
import { decodeFacts } from '../../contract/facts.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Credential, Principal } from '../../contract/principal.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { cacheControl, createAnswerer } from './answer.ts';
import type { Authorization, Decider } from './decider.ts';

const catalogue = createCatalogue();
const READ = 'read_flows_flows_filter_post';
const WRITE = 'create_logs_logs__post';
const MEDIATED = 'set_flow_run_state_flow_runs__id__set_state_post';

const principal: Principal = {
  id: 'token:etl',
  kind: 'worker',
  idp: null,
  roles: ['worker'],
  grants: everywhere(['worker']),
  groups: [],
  attributes: {},
  onBehalfOf: [],
};
const credential: Credential = { id: 'abc', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] };
const allowed: Authorization = { ok: true, principal, credential, decisions: [], restrictions: [], entities: [] };

function inputs(operation: string, changes: Partial<EdgeInputs> = {}): EdgeInputs {
  const empty = { requestId: 'r', host: 'h', listener: '1', address: 'a', authorization: 'x', token: '', session: '', certificate: '', sameOrigin: false };
  return { ...empty, method: 'POST', operation, path: '', args: '', ...changes };
}

function answererWith(authorization: Authorization | (() => Promise<Authorization>), mayWrite = true, limitedRoles: readonly string[] = []) {
  const calls: string[] = [];
  const give = (): Promise<Authorization> => (typeof authorization === 'function' ? authorization() : Promise.resolve(authorization));
  const note = (call: string): Promise<Authorization> => {
    calls.push(call);
    return give();
  };
  const decider: Decider = {
    revision: 7,
    readsParameters: false,
    authorize: () => note('authorize'),
    authorizeNow: () => note('authorizeNow'),
    precheck: () => note('precheck'),
    authenticate: () => Promise.reject(new Error('the answerer only decides')),
    authorizeOwn: () => note('authorizeOwn'),
    authorizeOwnList: () => note('authorizeOwnList'),
  };
  return { decider, answerer: createAnswerer({ decider, catalogue, clock: () => 1000, steady: () => 0, mayWrite: () => mayWrite, limitedRoles }), calls };
}

function facts(headers: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> | undefined {
  return decodeFacts(headers['x-lictor-facts'] ?? '');
}

describe('what is no operation of Prefect', () => {
  it.each([
    ['method-not-allowed', '/api/flows/', 'no:method-not-allowed:POST'],
    ['not-found', '/api/flows/not-a-uuid', 'no:not-found:{"detail":"Not Found"}'],
    ['action-unknown', '/api/nothing', 'no:action-unknown'],
  ] as const)('%s: is refused with the words of the router of Prefect', async (reason, path, way) => {
    const { answerer } = answererWith({ ...allowed, ok: false, reason, credentialId: null });
    const { status, headers } = await answerer.answer(inputs('', { path }));
    expect([status, headers['x-lictor-path'], headers['cache-control']]).toEqual([403, way, 'no-store']);
  });
});

it('a foreign object is answered at the end of a step of time, as one that is not there; other refusals at once', async () => {
  const paused: number[] = [];
  const refusing = (reason: 'object-foreign' | 'policy-default-deny') => {
    const { decider } = answererWith({ ...allowed, ok: false, reason, credentialId: null });
    const pause = async (ms: number) => void paused.push(ms);
    return createAnswerer({ decider, catalogue, clock: () => 1000, steady: () => 0, mayWrite: () => true, pause });
  };
  await refusing('policy-default-deny').answer(inputs(READ));
  expect(paused).toEqual([]);
  await refusing('object-foreign').answer(inputs(READ));
  expect(paused).toHaveLength(1);
  expect(paused[0]).toBeGreaterThan(0);
});

describe('the way of what is allowed', () => {
  const as = (changes: Partial<Principal>) => answererWith({ ...allowed, principal: { ...principal, ...changes } }).answerer;

  it('is the mediated one for the logs of a run, whose body names runs; a worker sends them straight', async () => {
    expect((await as({ kind: 'run' }).answer(inputs(WRITE))).headers['x-lictor-path']).toBe('mediated');
    expect((await as({}).answer(inputs(WRITE))).headers['x-lictor-path']).toBe('direct');
  });

  it('is the mediated one for what is allowed on some objects only', async () => {
    const { answerer } = answererWith({ ...allowed, restrictions: [{ principalId: 'bob@corp', scopes: [NOWHERE] }] });
    expect((await answerer.answer(inputs(READ))).headers['x-lictor-path']).toBe('mediated');
  });
});

describe('the answer to nginx', () => {
  it('allows with the way to go, the limit key, a second of cache, and who it was', async () => {
    const { answerer } = answererWith(allowed);
    const { status, headers } = await answerer.answer(inputs(READ));
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'x-lictor-path': 'direct', 'x-lictor-limit': 'token%3Aetl', 'cache-control': 'max-age=1, stale-if-error=30' });
    expect(facts(headers)).toMatchObject({ principal: 'token:etl', principal_kind: 'worker', credential_id: 'abc', decision: 'allow', revision: 7 });
  });

  it('names the roles of the principal that are limited, also where they hold on a scope, and no others', async () => {
    const grants = [...everywhere(['worker', 'viewer']), { role: 'deployer', scope: { ...NOWHERE, own: true } }];
    const asked = async (limited: readonly string[], operation = READ) => {
      const { answerer } = answererWith({ ...allowed, principal: { ...principal, grants } }, true, limited);
      return (await answerer.answer(inputs(operation))).headers['x-lictor-limited-roles'];
    };
    expect(await asked(['run', 'worker', 'deployer'])).toBe('worker,deployer');
    expect(await asked(['run', 'worker'], MEDIATED)).toBe('worker');
    expect(await asked(['run'])).toBeUndefined();
    expect(await asked([])).toBeUndefined();
    const chain = { ...allowed, principal: { ...principal, grants: [], limitedBy: [{ ...principal, grants }] } };
    const { answerer } = answererWith(chain, true, ['worker']);
    expect((await answerer.answer(inputs(READ))).headers['x-lictor-limited-roles']).toBe('worker');
  });

  it('only pre-checks what the mediator decides', async () => {
    const { answerer, calls } = answererWith(allowed);
    expect((await answerer.answer(inputs(MEDIATED))).headers['x-lictor-path']).toBe('mediated');
    expect(calls).toEqual(['precheck']);
  });

  it('refuses with 401 or 403, a code and no caching', async () => {
    const denied = { ok: false, principal: null, credential: null, credentialId: null, decisions: [] } as const;
    const unknown = await answererWith({ ...denied, reason: 'credential-unknown' }).answerer.answer(inputs(READ));
    expect([unknown.status, unknown.headers['cache-control'], unknown.headers['x-lictor-path']]).toEqual([401, 'no-store', 'no:credential-unknown']);
    const forbidden = await answererWith({ ...denied, reason: 'policy-default-deny' }).answerer.answer(inputs(READ));
    expect([forbidden.status, forbidden.headers['cache-control']]).toEqual([403, 'no-store']);
    expect(facts(forbidden.headers)).toMatchObject({ decision: 'deny', reason: 'policy-default-deny' });
  });

  it('names the owner of a refused credential in the facts alone', async () => {
    const owner = { id: 'token:etl', kind: 'service', idp: null, onBehalfOf: [] } as const;
    const answerFor = async (more: object) => {
      const refused = { ok: false, reason: 'credential-unknown', principal: null, credential: null, credentialId: null, decisions: [], ...more } as const;
      const { status, headers } = await answererWith(refused).answerer.answer(inputs(READ));
      const { 'x-lictor-facts': _, ...others } = headers;
      return { status, others, facts: facts(headers) };
    };
    const [known, guess] = [await answerFor({ credentialId: 'abc', owner }), await answerFor({})];
    expect(known.facts).toMatchObject({ principal: 'token:etl', principal_kind: 'service', credential_id: 'abc', decision: 'deny' });
    expect(guess.facts).not.toHaveProperty('principal', expect.anything());
    expect([known.status, known.others]).toEqual([guess.status, guess.others]);
  });

  it('gives the words of a refused right along, and none for a foreign object but its body', async () => {
    const denied = { ok: false, principal, credential, credentialId: 'abc', decisions: [] } as const;
    const answer = await answererWith({ ...denied, reason: 'policy-default-deny', detail: 'token:etl (worker) may not' }).answerer.answer(inputs(READ));
    expect(answer.headers['x-lictor-path']).toBe('no:policy-default-deny:token:etl (worker) may not');
    const foreign = await answererWith({ ...denied, reason: 'object-foreign', detail: 'a secret' }).answerer.answer(inputs(READ));
    expect(foreign.headers['x-lictor-path']).not.toContain('a secret');
  });

  it('never allows an operation that it does not know, nor a socket', async () => {
    const { answerer } = answererWith(allowed);
    expect((await answerer.answer(inputs(''))).status).toBe(403);
    expect((await answerer.answer(inputs('socket:events-in'))).status).toBe(403);
  });

  it('throws for writes while the ledger cannot be written, and goes on with reads', async () => {
    const { answerer } = answererWith(allowed, false);
    await expect(answerer.answer(inputs(WRITE))).rejects.toThrowError(/ledger/);
    expect((await answerer.answer(inputs(READ))).status).toBe(200);
  });

  it('throws when decisions do not settle', async () => {
    const unsettled = { ok: false, reason: 'gateway-unavailable', principal: null, credential: null, credentialId: null, decisions: [] } as const;
    await expect(answererWith(unsettled).answerer.answer(inputs(READ))).rejects.toThrowError();
  });

  it('decides once for the same inputs at the same time, and once more for others', async () => {
    let release: (authorization: Authorization) => void = () => undefined;
    const { answerer, calls } = answererWith(() => new Promise((resolve) => (release = resolve)));
    const first = answerer.answer(inputs(READ));
    const second = answerer.answer(inputs(READ));
    expect(calls).toHaveLength(1);
    release(allowed);
    expect((await Promise.all([first, second])).map((answer) => answer.status)).toEqual([200, 200]);
    const third = answerer.answer(inputs(READ, { authorization: 'y' }));
    release(allowed);
    await third;
    expect(calls).toHaveLength(2);
  });

  it.each([
    ['authorization', { authorization: 'y' }],
    ['token', { token: 'y' }],
    ['session', { session: 'y' }],
    ['client certificate', { certificate: 'y' }],
    ['address', { address: 'b' }],
    ['host', { host: 'other' }],
    ['listener', { listener: '2' }],
    ['origin', { sameOrigin: true }],
    ['path', { path: '/b' }],
    ['arguments', { args: 'b' }],
    ['operation', { operation: WRITE }],
  ] as const)('twin: decides a concurrent request with another %s by itself', async (_, changes) => {
    const pending: ((authorization: Authorization) => void)[] = [];
    const { answerer } = answererWith(() => new Promise((resolve) => pending.push(resolve)));
    const first = answerer.answer(inputs(READ));
    const second = answerer.answer(inputs(READ, changes));
    expect(pending).toHaveLength(2);
    pending[0]?.(allowed);
    pending[1]?.({ ok: false, reason: 'credential-unknown', principal: null, credential: null, credentialId: null, decisions: [] });
    expect([(await first).status, (await second).status]).toEqual([200, 401]);
  });

  it('stops caching for a principal with endless keys, and goes on allowing', async () => {
    const { answerer } = answererWith(allowed);
    let last = '';
    for (let i = 0; i < 2001; i += 1) last = (await answerer.answer(inputs(READ, { path: `/${i}` }))).headers['cache-control'] ?? '';
    expect(last).toBe('no-store');
    answerer.forget();
    expect((await answerer.answer(inputs(READ))).headers['cache-control']).toContain('max-age=1');
  });
});

describe('the life of an answer', () => {
  it.each([
    [null, 'max-age=1, stale-if-error=30'],
    [60_000, 'max-age=1, stale-if-error=30'],
    [12_000, 'max-age=1, stale-if-error=9'],
    [3_900, 'max-age=1'],
    [2_500, 'no-store'],
    [0, 'no-store'],
    [-5_000, 'no-store'],
  ])('ends with the credential (%s ms left)', (left, expected) => {
    expect(cacheControl(left === null ? null : 1_000_000 + left, 1_000_000)).toBe(expected);
  });
});

describe('an observed request', () => {
  const denied: Authorization = { ...allowed, ok: false, reason: 'policy-default-deny', credentialId: 'abc' };
  it('that enforcement would deny takes the direct path, with the reason in a header and in the facts', async () => {
    const { headers } = await answererWith({ ...allowed, instead: denied }).answerer.answer(inputs(READ));
    expect(headers).toMatchObject({ 'x-lictor-path': 'direct', 'x-lictor-would-deny': 'policy-default-deny' });
    expect(facts(headers)).toMatchObject({ decision: 'deny', reason: 'policy-default-deny', mode: 'observe' });
  });

  it('that enforcement would narrow is mediated, so that its record says so', async () => {
    const restricted = { ...allowed, restrictions: [{ principalId: 'token:etl', scopes: [NOWHERE] }] };
    const { headers } = await answererWith({ ...allowed, instead: restricted }).answerer.answer(inputs(READ));
    expect(headers).toMatchObject({ 'x-lictor-path': 'mediated' });
    expect(headers).not.toHaveProperty('x-lictor-would-deny');
  });

  it('twin: a request that is not observed has no mode in its facts', async () => {
    expect(facts((await answererWith(allowed).answerer.answer(inputs(READ))).headers)).not.toHaveProperty('mode');
  });
});
