// Approvals over the admin API: who sees a waiting request, what is usual for it, and who decides it.
import { beforeEach, describe, expect, it } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import { anApproval } from '../../../../store/approval.fixture.ts';
import type { NewApproval } from '../../../../store/approvals.ts';
import { cookieOf, useOwnApp } from '../../own-app.fixture.ts';

const BASE = '/.lictor/api/v1';
const ONE = `${BASE}/approvals/approval-1`;
const { get, ask, logIn } = useOwnApp();

beforeEach(() => get().test.store.accounts.create({ id: '2', name: 'bob', roles: ['viewer'], password: get().phc }));

const held = async (differing: Partial<NewApproval> = {}): Promise<void> => void (await get().test.store.approvals.holdingOr(anApproval(differing)));
const stored = () => get().test.store.approvals.byId('approval-1');
const bearer = async (role: string) => ({ [INPUT.authorization]: `Bearer ${(await get().test.token({ name: role, roles: [role] })).text}` });

async function person(username = 'alice') {
  const session = cookieOf(await logIn({ username }));
  const { csrf_token } = (await ask(`${BASE}/me`, { session })).json();
  return { session, headers: { 'content-type': 'application/json', 'x-csrf-token': String(csrf_token) } };
}

const post = (verb: string, more: object) => ask(`${ONE}/${verb}`, { method: 'POST', sameOrigin: true, body: '{"reason":"checked"}', ...more });

describe('a decision', () => {
  it.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
  ])('of the sponsor: %s', async (verb, state) => {
    await held();
    const answer = await post(verb, await person());
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { state, decided_by: 'alice@local', reason: 'checked', may_decide: { allowed: false } }]);
    expect(await stored()).toMatchObject({ state, decidedBy: 'alice@local', reason: 'checked' });
    expect(get().records.at(-1)).toMatchObject({
      ...{ action: `approval.${verb}`, resource_type: 'Approval', resource_id: 'approval-1', approval_id: 'approval-1' },
      ...{ principal: 'alice@local', decision: 'allow' },
    });
  });

  const leads = { sponsor: null, approvers: ['*@local'], onBehalfOf: [] };

  it.each([
    ['of the requester', { ...leads, requestedBy: 'bob@local' }, 403, 'approver-other', 'You made this request: another person decides it.'],
    ['of the person that an agent asks for', { ...leads, onBehalfOf: ['bob@local'] }, 403, 'approver-other', 'The request is made for you'],
    ['of a person that the rule does not name', { requestedBy: 'bob@local', onBehalfOf: [] }, 403, 'approver-other', 'You made this request'],
    ['by rules that have changed', { ...leads, revision: 6 }, 409, 'approval-over', 'The rules or policies have changed'],
    ['of a stranger', {}, 404, 'approval-unknown', 'no approval with this id'],
  ])('%s does not happen', async (_who, differing, status, code, detail) => {
    await held(differing);
    const answer = await post('approve', await person('bob'));
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code, detail: expect.stringContaining(detail) }]);
    expect((await stored())?.state).toBe('pending');
    expect(get().records.at(-1)).toMatchObject({ action: 'approval.approve', resource_type: 'Approval', status, principal: 'bob@local' });
  });

  it.each([
    ['by a token', async () => ({ headers: { 'content-type': 'application/json', ...(await bearer('admin')) } }), 403, 'session-required'],
    ['without a credential', async () => ({}), 401, 'credential-missing'],
    ['from another site', async () => ({ ...(await person()), sameOrigin: false, foreignOrigin: true }), 403, 'origin-foreign'],
    ['with a reason that is too long', async () => ({ ...(await person()), body: JSON.stringify({ reason: 'x'.repeat(201) }) }), 400, 'request-invalid'],
  ])('%s does not happen', async (_what, more, status, code) => {
    await held();
    const answer = await post('approve', await more());
    expect([answer.statusCode, answer.json().code, (await stored())?.state]).toEqual([status, code, 'pending']);
  });

  it('needs a login of the last five minutes', async () => {
    await held();
    const who = await person();
    get().test.advance(5 * 60_000 + 1);
    expect([(await post('approve', who)).json().code, (await stored())?.state]).toEqual(['login-not-recent', 'pending']);
    expect(get().records.at(-1)).toMatchObject({ action: 'approval.approve', decision: 'deny', reason: 'login-not-recent' });
  });

  it('needs a record', async () => {
    await held();
    const who = await person();
    get().ledgerBroken = true;
    expect([(await post('approve', who)).json().code, (await stored())?.state]).toEqual(['ledger-unavailable', 'pending']);
  });
});

describe('who sees a request', () => {
  it('the people that it concerns, with what they may do; other people do not', async () => {
    await held({ requestedBy: 'bob@local', onBehalfOf: [] });
    await held({ id: 'approval-2', binding: 'b2' });
    const [alice, bob] = [await person(), await person('bob')];
    const idsOf = async (session: string) => (await ask(`${BASE}/approvals/mine`, { session })).json().approvals.map(({ id }: { id: string }) => id);
    expect([await idsOf(alice.session), await idsOf(bob.session)]).toEqual([['approval-2', 'approval-1'], ['approval-1']]);
    expect((await ask(`${BASE}/approvals/approval-2`, bob)).statusCode).toBe(404);
    expect((await ask(ONE, bob)).json().approval.may_decide).toEqual({
      ...{ allowed: false, reason: 'approver-other', detail: 'You made this request: another person decides it.' },
    });
    expect((await ask(ONE, alice)).json().approval.may_decide).toEqual({ allowed: true, reason: null, detail: null });
  });

  it('readers of the ledger see it too, and decide nothing; without a credential nobody sees it', async () => {
    await held();
    const { approval } = (await ask(ONE, { headers: await bearer('auditor') })).json();
    expect(approval).toMatchObject({ id: 'approval-1', may_decide: { allowed: false, reason: 'approver-other' } });
    expect((await ask(ONE, { headers: await bearer('viewer') })).statusCode).toBe(404);
    expect([(await ask(ONE)).statusCode, (await ask(`${BASE}/approvals/mine`)).statusCode]).toEqual([401, 401]);
  });
});

describe('what is usual', () => {
  const run = { action: 'deployments.run', shownArguments: JSON.stringify({ id: 'd1', body: { parameters: { region: 'us' } } }) } as const;
  const runs = (status: number, body: unknown) => {
    get().mediatorAnswer = async () => ({ status, headers: {}, body: Buffer.from(JSON.stringify(body)) });
  };

  it('is read from the flow runs of the deployment, as the person that asks, and without secrets', async () => {
    await held(run);
    runs(200, [{ parameters: { region: 'eu', password: 'hunter2' } }, { parameters: { region: 'us' } }, { parameters: { region: 'eu' } }]);
    const { session } = await person();
    const answer = await ask(ONE, { session });
    expect(answer.json().usual).toEqual({
      ...{ source: 'flow_runs', count: 3, unavailable: null },
      arguments: [
        { name: 'region', value: '"us"', same: 1, others: [{ value: '"eu"', count: 2 }] },
        { name: 'password', value: null, same: 0, others: [{ value: '"(a secret, not shown)"', count: 1 }] },
      ],
    });
    const [asked] = get().mediated;
    expect([asked?.inputs, JSON.parse(String(asked?.body))]).toMatchObject([
      { session, operation: 'read_flow_runs_flow_runs_filter_post', path: '/api/flow_runs/filter' },
      { flow_runs: { deployment_id: { any_: ['d1'] } } },
    ]);
  });

  it.each([
    [403, [], 'You may not read the flow runs of this deployment.'],
    [503, [], 'Prefect did not answer.'],
    [200, [{ parameters: 'x'.repeat(600_000) }], 'The parameters of earlier flow runs are too large.'],
  ])('is not known after %s', async (status, body, unavailable) => {
    await held(run);
    runs(status, body);
    const { usual } = (await ask(ONE, await person())).json();
    expect(usual).toMatchObject({ count: 0, unavailable, arguments: [{ name: 'region', same: 0, others: [] }] });
  });

  it('else is read from earlier approvals of the same action and object', async () => {
    await held({ id: 'approval-0', binding: 'b0', shownArguments: '{"id":"d1","query":"force=1"}' });
    await held({ id: 'approval-9', binding: 'b9', resourceId: 'd2' });
    await held();
    expect((await ask(ONE, await person())).json().usual).toMatchObject({
      ...{ source: 'approvals', count: 1 },
      arguments: [
        { name: 'id', same: 1 },
        { name: 'query', value: null, others: [{ value: '"force=1"', count: 1 }] },
      ],
    });
  });
});
