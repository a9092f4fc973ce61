// Questions about rights over HTTP: each answer against lictor's explanations, and its twin without the right.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import type { LedgerRecord } from '../../../../contract/record.ts';
import { NOWHERE } from '../../../../contract/scope.ts';
import { cookieOf, useOwnApp } from '../../own-app.fixture.ts';

const BASE = '/.lictor/api/v1';
const RUN = '0199c0de-0000-7000-8000-000000000001';
const TEAM_A = { ...NOWHERE, tags: ['team-a'] };
const SECRET = 'lct_0123456789secret';
const { get, ask, logIn, reconfigure } = useOwnApp();

async function as(role: string, more: { readonly scope?: typeof TEAM_A } = {}) {
  const { text } = await get().test.token({ name: role, roles: [role], ...more });
  return { headers: { [INPUT.authorization]: `Bearer ${text}` } };
}

const post = (path: string, body: object, { headers }: { readonly headers: Readonly<Record<string, string>> }) =>
  ask(`${BASE}${path}`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
const run = (tags: readonly string[]) => async (path: string) => (path === `/api/flow_runs/${RUN}` ? { id: RUN, name: 'r', tags: [...tags] } : null);

const ROUTES = ['/access?action=flow_runs.cancel', '/access/matrix', '/access/unused', '/explain?principal=alice@local&action=flow_runs.cancel'];

describe('without the right', () => {
  it.each(ROUTES)('%s is denied with the role that has it, and recorded', async (path) => {
    const answer = await ask(`${BASE}${path}`, await as('operator'));
    expect([answer.statusCode, answer.json().code, answer.json().detail]).toEqual([403, 'policy-default-deny', expect.stringContaining('auditor')]);
    expect(get().records.at(-1)).toMatchObject({ action: 'access.read', decision: 'deny', principal: 'token:operator' });
    expect((await ask(`${BASE}${path}`)).statusCode).toBe(401);
  });

  it('a pasted request of another is denied', async () => {
    const answer = await post('/explain/request', { principal: 'alice@local', request: 'GET /api/health' }, await as('viewer'));
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'policy-default-deny']);
  });
});

describe('the matrix', () => {
  const cell = (body: ReturnType<typeof JSON.parse>, id: string, action: string) => {
    const at = body.columns.findIndex((column: { action: string }) => column.action === action);
    return body.rows.find((row: { id: string }) => row.id === id)?.cells[at];
  };

  it('of roles says what each may do', async () => {
    const body = (await ask(`${BASE}/access/matrix`, await as('auditor'))).json();
    const cells = (['viewer', 'operator', 'admin'] as const).map((role) => cell(body, `role:${role}`, 'flow_runs.cancel'));
    expect([cells, body.next]).toEqual([['deny', 'allow', 'allow'], null]);
    expect(cell(body, 'role:viewer', 'ledger.read')).toBe('deny');
  });

  it('of principals: with a scope on some objects, after an approval, and nothing while locked', async () => {
    await get().test.token({ name: 'team', roles: ['operator'], scope: TEAM_A });
    await get().test.token({ name: 'held', roles: ['operator'] });
    await get().test.store.locks.put({ kind: 'principal', value: 'token:held', ofAccounts: false, by: 'local:root', why: '', expiresMs: null });
    const rule = { name: 'r', principals: ['token:team'], actions: ['flow_runs.retry'], approvers: [], expiresMs: 1, notify: null };
    reconfigure({ config: { approvals: [rule] } });
    const body = (await ask(`${BASE}/access/matrix?rows=principals`, await as('auditor'))).json();
    expect(['flow_runs.cancel', 'flow_runs.retry', 'flow_runs.delete', 'ledger.read'].map((action) => cell(body, 'token:team', action))).toEqual([
      'some',
      'approval',
      'deny',
      'some',
    ]);
    expect(cell(body, 'alice@local', 'flow_runs.delete')).toBe('allow');
    const held = body.rows.find(({ id }: { id: string }) => id === 'token:held');
    expect([held.refused_as, new Set(held.cells)]).toEqual(['locked', new Set(['deny'])]);
  });

  it('depends on the argument where a policy reads parameters', async () => {
    const own = {
      small:
        'forbid (principal, action == Action::"deployments.run.parameters", resource) when { context.facts has parameter_names && context.facts.parameter_names.contains("x") };',
    };
    reconfigure({ review: { own } });
    const body = (await ask(`${BASE}/access/matrix`, await as('auditor'))).json();
    expect(cell(body, 'role:operator', 'deployments.run.parameters')).toBe('argument');
  });

  it('of one object, and of any object in a scope, has only their actions', async () => {
    await get().test.token({ name: 'team', roles: ['operator'], scope: TEAM_A });
    reconfigure({ review: { lookup: run(['team-a']) } });
    const auditor = await as('auditor');
    const ofRun = (await ask(`${BASE}/access/matrix?rows=principals&q=TEAM&resource=FlowRun:${RUN}`, auditor)).json();
    expect([
      ofRun.rows.length,
      cell(ofRun, 'token:team', 'flow_runs.cancel'),
      ofRun.columns.some(({ action }: { action: string }) => action.startsWith('variables')),
    ]).toEqual([1, 'allow', false]);
    const ofScope = async (scope: string) => (await ask(`${BASE}/access/matrix?rows=principals&q=team&scope=${scope}`, auditor)).json();
    expect(cell(await ofScope('tags=team-a'), 'token:team', 'deployments.run')).toBe('allow');
    expect(cell(await ofScope('tags=team-b'), 'token:team', 'deployments.run')).toBe('deny');
    expect((await ask(`${BASE}/access/matrix?scope=colour=red`, auditor)).json().code).toBe('request-invalid');
  });

  it('has pages', async () => {
    for (const name of ['a', 'b', 'c']) await get().test.token({ name, roles: ['viewer'] });
    const auditor = await as('auditor');
    const names: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const body: { rows: { id: string }[]; next: string | null } = (
        await ask(`${BASE}/access/matrix?rows=principals&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, auditor)
      ).json();
      names.push(...body.rows.map(({ id }) => id));
      cursor = body.next;
    }
    expect(names).toEqual(['alice@local', 'token:a', 'token:auditor', 'token:b', 'token:c']);
  });
});

describe('who can', () => {
  it('lists principals with role, scope and policies, and says when Prefect has no such run', async () => {
    await get().test.token({ name: 'team', roles: ['operator'], scope: TEAM_A });
    reconfigure({ review: { lookup: run(['team-b']) } });
    const auditor = await as('auditor');
    const { lines } = (await ask(`${BASE}/access?action=flow_runs.cancel&resource=${RUN}`, auditor)).json();
    expect(lines).toMatchObject([
      { principal: 'alice@local', role: 'admin', allowed: true },
      { principal: 'token:auditor', allowed: false },
      { principal: 'token:team', allowed: false, reason: 'object-foreign' },
    ]);
    const other = RUN.replace(/1$/, '2');
    expect((await ask(`${BASE}/access?action=flow_runs.cancel&resource=${other}`, auditor)).json()).toMatchObject({
      lines: [],
      absent: expect.stringContaining(other),
    });
    expect((await ask(`${BASE}/access?action=flow_runs.cancle`, auditor)).json()).toMatchObject({
      code: 'request-invalid',
      detail: expect.stringContaining('Did you mean'),
    });
  });
});

describe('explain', () => {
  it('names the policy with file and line, and what would change the answer', async () => {
    const auditor = await as('auditor');
    const may = (await ask(`${BASE}/explain?principal=alice@local&action=flow_runs.cancel`, auditor)).json();
    expect(may).toMatchObject({
      remedies: [],
      explanation: { decision: 'allow', asks: [{ policies: [{ id: expect.any(String), file: expect.stringMatching(/\.cedar$/), line: expect.any(Number) }] }] },
    });
    const not = (await ask(`${BASE}/explain?principal=role:viewer&action=flow_runs.cancel`, auditor)).json();
    expect([not.explanation.decision, not.remedies]).toEqual(['deny', [expect.stringContaining('role operator')]]);
  });

  it('names the policy that forbids', async () => {
    reconfigure({ review: { own: { freeze: 'forbid (principal, action == Action::"flow_runs.cancel", resource);' } } });
    const answer = (await ask(`${BASE}/explain?principal=alice@local&action=flow_runs.cancel`, await as('auditor'))).json();
    expect(answer.remedies).toEqual([expect.stringContaining('freeze (own.cedar:1)')]);
  });

  it('of a pasted request gives the decision, and none of its credentials', async () => {
    const request = `curl -H 'Authorization: Bearer ${SECRET}' 'https://x.example/api/flow_runs/${RUN}?token=${SECRET}' -X DELETE`;
    const answer = await post('/explain/request', { principal: 'role:viewer', request }, await as('auditor'));
    expect(answer.json()).toMatchObject({
      explanation: {
        decision: 'deny',
        request: { method: 'DELETE', query: 'token=...' },
        notes: expect.arrayContaining([expect.stringContaining('authorization')]),
      },
    });
    expect([answer.body.includes(SECRET), JSON.stringify(get().records).includes(SECRET)]).toEqual([false, false]);
    const bad = await post('/explain/request', { principal: 'role:viewer', request: SECRET }, await as('admin'));
    expect([bad.json().code, bad.body.includes(SECRET)]).toEqual(['request-invalid', false]);
  });
});

describe('about oneself', () => {
  it('needs no right, and shows neither a policy file nor an object of another team', async () => {
    reconfigure({ review: { lookup: run(['team-b']) } });
    const team = await as('operator', { scope: TEAM_A });
    const foreign = (await ask(`${BASE}/explain/mine?action=flow_runs.cancel&resource=${RUN}`, team)).json();
    expect(foreign).toMatchObject({ explanation: { decision: 'deny', reason: 'object-foreign', asks: [{ attributes: null }] } });
    const absent = (await ask(`${BASE}/explain/mine?action=flow_runs.cancel&resource=${RUN.replace(/1$/, '2')}`, team)).json();
    expect(absent.explanation.reason).toBe('object-foreign');
    expect(JSON.stringify([foreign, absent])).not.toMatch(/team-b|\.cedar/);
    const request = await post('/explain/mine/request', { request: 'POST /api/flow_runs/filter\n{}' }, team);
    expect(request.json()).toMatchObject({ explanation: { decision: 'allow', principal: { id: 'token:operator' } } });
  });

  it('twin: takes no other principal, and no page of another site', async () => {
    const viewer = await as('viewer');
    expect((await ask(`${BASE}/explain/mine?action=flow_runs.cancel&principal=alice@local`, viewer)).json().code).toBe('request-invalid');
    expect((await post('/explain/mine/request', { request: 'GET /api/health', principal: 'alice@local' }, viewer)).json().code).toBe('request-invalid');
    const session = cookieOf(await logIn());
    const foreign = {
      method: 'POST',
      session,
      foreignOrigin: true,
      headers: { 'content-type': 'application/json' },
      body: '{"request":"GET /api/health"}',
    } as const;
    expect((await ask(`${BASE}/explain/mine/request`, foreign)).json().code).toBe('origin-foreign');
    expect((await ask(`${BASE}/explain/mine?action=flow_runs.cancel`)).statusCode).toBe(401);
  });
});

describe('a recorded request', () => {
  const REQUEST = '5f3c0c5bb8f5a1d4c7a1c9d2e0f4b6a8';
  const RECORD = {
    ...{ request_id: REQUEST, principal: 'token:team', action: 'flow_runs.delete', resource_type: 'FlowRun', resource_id: RUN },
    ...{ decision: 'deny', reason: 'policy-default-deny', policies: [], service: null, method: 'DELETE', path: `/api/flow_runs/${RUN}` },
  } as unknown as LedgerRecord;

  async function recorded(records: readonly LedgerRecord[] = [RECORD]) {
    await get().test.token({ name: 'team', roles: ['operator'], scope: { ...NOWHERE, tags: ['team-b'] } });
    reconfigure({ review: { lookup: run(['team-b']) } });
    get().found = async () => records;
  }

  it('is decided again, with policies, roles and what would change the answer', async () => {
    await recorded();
    const { now, changed } = (await ask(`${BASE}/explain/requests/${REQUEST}`, await as('auditor'))).json();
    expect([now.explanation.decision, changed, now.remedies]).toEqual([
      'deny',
      false,
      [expect.stringContaining('The role deployer permits it: give it to token:team')],
    ]);
    expect(now.explanation.principal.roles).toMatchObject([{ role: 'operator', scope: 'tags=team-b' }]);
    expect(now.explanation.detail).toBe('token:team has only the role operator; operator does not permit this.');
    expect(get().searched.at(-1)).toMatchObject({ filter: { request: REQUEST, limit: 1 }, reader: { everything: true } });
  });

  it('that was refused before its body was read may have asked for less: the least role for each', async () => {
    const setState = { ...RECORD, action: 'flow_runs.set_state', method: 'POST', path: `/api/flow_runs/${RUN}/set_state` } as LedgerRecord;
    await recorded([setState]);
    const reader = await as('auditor');
    const remediesOf = async (role: string) => {
      await get().test.token({ name: role, roles: [role] });
      get().found = async () => [{ ...setState, principal: `token:${role}` }];
      return (await ask(`${BASE}/explain/requests/${REQUEST}`, reader)).json().now.remedies;
    };
    expect(await remediesOf('viewer')).toEqual([
      'If the request was to cancel flow runs, or to retry flow runs, or to pause flow runs, the role operator is enough.',
      expect.stringContaining('The role deployer permits it'),
    ]);
    // It may do these already.
    expect(await remediesOf('operator')).toEqual([expect.stringContaining('The role deployer permits it')]);
  });

  it('is explained to a reader with a scope without the scopes, policies and objects of others', async () => {
    await recorded();
    const answer = await ask(`${BASE}/explain/requests/${REQUEST}`, await as('operator', { scope: TEAM_A }));
    expect(get().searched.at(-1)).toMatchObject({ reader: { everything: false } });
    const { now } = answer.json();
    expect(now).toMatchObject({ explanation: { decision: 'deny', principal: { roles: [] } }, remedies: [expect.stringContaining('permits it')] });
    expect(now.explanation.detail).toBe('No policy permits this.');
    expect(answer.body).not.toMatch(/team-b|\.cedar/);
  });

  it('twin: is unknown outside of the scope, and denied without the right to read records', async () => {
    await recorded([]);
    const team = await as('operator', { scope: TEAM_A });
    expect((await ask(`${BASE}/explain/requests/${REQUEST}`, team)).statusCode).toBe(404);
    expect((await ask(`${BASE}/explain/requests/${REQUEST}`, await as('viewer'))).json().code).toBe('policy-default-deny');
    expect((await ask(`${BASE}/explain/requests/x`, team)).json().code).toBe('request-invalid');
    expect((await ask(`${BASE}/explain/requests/${REQUEST}`)).statusCode).toBe(401);
  });
});
