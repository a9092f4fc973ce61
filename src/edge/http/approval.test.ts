// The pages of approvals: who may see and decide a waiting request, how recent the login must be, and what a decision does.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { INPUT } from '../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { anApproval } from '../../store/approval.fixture.ts';
import type { NewApproval } from '../../store/approvals.ts';
import { deviceClient } from './device.fixture.ts';
import { cookieOf, HTML, useOwnApp } from './own-app.fixture.ts';

const own = useOwnApp();
const { get, ask, post, logIn } = own;
const PAGE = '/.lictor/approvals/approval-1';

beforeEach(async () => {
  const { store } = get().test;
  const { phc } = get();
  await store.accounts.create({ id: '2', name: 'bob', roles: ['viewer'], password: phc });
});

const held = async (differing: Partial<NewApproval> = {}): Promise<void> => void (await get().test.store.approvals.holdingOr(anApproval(differing)));
const alice = async (): Promise<string> => cookieOf(await logIn());
const bob = async (): Promise<string> => cookieOf(await logIn({ username: 'bob' }));
const show = (session: string, url = PAGE) => ask(url, { session, headers: HTML });
const proofOn = (body: string): string => /name="proof" value="([^"]*)"/.exec(body)?.[1] ?? '';
const stateOf = async (): Promise<string | undefined> => (await get().test.store.approvals.byId('approval-1'))?.state;

/** Loads the page and sends its form. */
async function decide(session: string, fields: Readonly<Record<string, string>> = {}, more: Parameters<typeof post>[2] = {}) {
  const proof = proofOn((await show(session)).body);
  return await post(PAGE, { proof, decision: 'approve', ...fields }, { session, ...more });
}

/** Nothing was decided, and the record says why. */
async function expectRefused(answer: { readonly statusCode: number; readonly body: string }, status: number, code: string): Promise<void> {
  expect([answer.statusCode, answer.body]).toEqual([status, expect.stringContaining(code)]);
  expect(await stateOf()).toBe('pending');
}

describe('the sponsor of an agent', () => {
  it('sees who asks, for whom, what and with which arguments, and approves', async () => {
    await held({ shownArguments: JSON.stringify({ body: { note: 'a<b>\u202ec', region: 'eu' } }) });
    const session = await alice();
    const { statusCode, body } = await show(session);
    expect(statusCode).toBe(200);
    for (const text of ['agent:copilot for alice@local', 'delete deployments', 'etl/nightly', 'a&lt;b&gt;\\u{202e}c', 'deletes']) expect(body).toContain(text);
    const done = await decide(session, { reason: 'looks right' });
    expect([done.statusCode, done.body]).toEqual([200, expect.stringContaining('Approved')]);
    expect(await get().test.store.approvals.byId('approval-1')).toMatchObject({ state: 'approved', decidedBy: 'alice@local', reason: 'looks right' });
    expect(get().records.at(-1)).toMatchObject({
      action: 'approval.approve',
      principal: 'alice@local',
      decision: 'allow',
      approval_id: 'approval-1',
      session_id: expect.any(String),
    });
  });

  it('denies', async () => {
    await held();
    const session = await alice();
    const done = await decide(session, { decision: 'deny' });
    expect([done.statusCode, await stateOf()]).toEqual([200, 'denied']);
    expect(get().records.at(-1)).toMatchObject({ action: 'approval.deny', approval_id: 'approval-1' });
    expect((await show(session)).body).not.toContain('name="proof"');
  });

  it('finds the request in the list, and other people do not', async () => {
    await held();
    expect((await show(await alice(), '/.lictor/approvals')).body).toContain(PAGE);
    expect((await show(await bob(), '/.lictor/approvals')).body).not.toContain(PAGE);
    expect((await show(await bob())).statusCode).toBe(404);
  });
});

describe('a decision is refused', () => {
  it('without the proof of the page, or with the proof of another session or approval', async () => {
    await held();
    await held({ id: 'approval-2', binding: 'b2' });
    const session = await alice();
    const other = proofOn((await show(session, '/.lictor/approvals/approval-2')).body);
    const elsewhere = proofOn((await show(await alice())).body);
    for (const proof of ['', other, elsewhere]) await expectRefused(await decide(session, { proof }), 403, 'origin-foreign');
    expect(get().records.at(-1)).toMatchObject({ action: 'approval.approve', decision: 'deny', reason: 'origin-foreign', approval_id: 'approval-1' });
  });

  it('from another site', async () => {
    await held();
    await expectRefused(await decide(await alice(), {}, { sameOrigin: false }), 403, 'origin-foreign');
  });

  it('without a session: a token decides nothing', async () => {
    await held();
    const session = await alice();
    const { access_token: token } = await deviceClient(own).obtained(session);
    const proof = proofOn((await show(session)).body);
    const headers = { 'x-lictor-in-authorization': `Bearer ${String(token)}` };
    await expectRefused(await post(PAGE, { proof, decision: 'approve' }, { headers }), 401, 'session-expired');
    const asked = await ask(PAGE, { headers });
    expect([asked.statusCode, asked.json().code]).toEqual([401, 'credential-missing']);
  });

  it('after five minutes of the login, and the page leads through a new one', async () => {
    await held();
    const session = await alice();
    const proof = proofOn((await show(session)).body);
    get().test.advance(5 * 60_000 + 1);
    await expectRefused(await post(PAGE, { proof, decision: 'approve' }, { session }), 403, 'login-not-recent');
    expect((await show(session)).body).toContain(`${PAGE}/login`);
    const again = await ask(`${PAGE}/login`, { session, headers: HTML });
    const form = await show(session, String(again.headers.location));
    expect([again.statusCode, form.body]).toEqual([303, expect.stringContaining('type="password"')]);
    const back = await logIn({ attempt: /name="attempt" value="([^"]*)"/.exec(form.body)?.[1] ?? '' }, { session });
    expect(back.headers.location).toBe(PAGE);
    expect((await decide(cookieOf(back))).statusCode).toBe(200);
    expect(await stateOf()).toBe('approved');
  });

  it('for a login in the future: the clock was set back', async () => {
    await held();
    const session = await alice();
    const proof = proofOn((await show(session)).body);
    get().test.putClock(-60_000);
    await expectRefused(await post(PAGE, { proof, decision: 'approve' }, { session }), 403, 'login-not-recent');
  });

  it('twice, after its end, and when the rules have changed', async () => {
    await held();
    await held({ id: 'approval-2', binding: 'b2', revision: 6 });
    const session = await alice();
    const proof = proofOn((await show(session)).body);
    expect((await show(session, '/.lictor/approvals/approval-2')).body).not.toContain('name="proof"');
    expect((await decide(session)).statusCode).toBe(200);
    expect((await post(PAGE, { proof, decision: 'deny' }, { session })).statusCode).toBe(409);
    expect(await stateOf()).toBe('approved');
  });

  it('when it cannot be recorded', async () => {
    await held();
    const session = await alice();
    const proof = proofOn((await show(session)).body);
    get().ledgerBroken = true;
    await expectRefused(await post(PAGE, { proof, decision: 'approve' }, { session }), 503, 'ledger-unavailable');
  });

  it('in a form without a decision', async () => {
    await held();
    await expectRefused(await decide(await alice(), { decision: '' }), 400, 'request-invalid');
  });
});

describe('under four eyes', () => {
  const leads = { sponsor: null, approvers: ['*@local'] } as const;

  it('another person of the group decides', async () => {
    await held({ ...leads, requestedBy: 'alice@local', onBehalfOf: [] });
    expect((await decide(await bob())).statusCode).toBe(200);
    expect(await stateOf()).toBe('approved');
  });

  it.each([
    ['the requester', { ...leads, requestedBy: 'bob@local', onBehalfOf: [] }],
    ['the person for whom an agent asks, its sponsor too', { ...leads, requestedBy: 'agent:copilot', onBehalfOf: ['bob@local'] }],
    ['a person who is in no list', { sponsor: null, approvers: ['user:alice@local', 'group:leads@corp'], requestedBy: 'bob@local', onBehalfOf: [] }],
  ])('%s sees the request and decides nothing', async (_who, differing) => {
    await held(differing);
    const session = await bob();
    const { body } = await show(session);
    expect(body).toContain('Another person decides');
    const sessionId = createHash('sha256').update(session).digest('hex');
    const proof = get().test.sealer.seal('approval-1', `decision on an approval in session ${sessionId}`);
    await expectRefused(await post(PAGE, { proof, decision: 'approve' }, { session }), 403, 'approver-other');
  });
});

it.each(BUILT_IN_ROLES)('the list over the API is for readers of the ledger: %s', async (role) => {
  await held();
  const { text } = await get().test.token({ name: role, roles: [role] });
  const answer = await ask('/.lictor/api/v1/approvals', { headers: { [INPUT.authorization]: `Bearer ${text}` } });
  const may = role === 'auditor' || role === 'admin';
  const body = may
    ? { approvals: [{ id: 'approval-1', requested_by: 'agent:copilot', state: 'pending', arguments: { id: 'd1' } }] }
    : { code: 'policy-default-deny' };
  expect([answer.statusCode, answer.json()]).toMatchObject([may ? 200 : 403, body]);
});

it('a locked person decides nothing', async () => {
  await held();
  const session = await alice();
  const proof = proofOn((await show(session)).body);
  await get().test.store.locks.put({ kind: 'principal', value: 'alice@local', why: '', by: 'x', expiresMs: null });
  const answer = await post(PAGE, { proof, decision: 'approve' }, { session });
  expect(answer.statusCode).toBe(401);
  expect(await stateOf()).toBe('pending');
});

it('a person without a session is sent to the login, and back to the request', async () => {
  await held();
  const sent = await ask(PAGE, { headers: HTML });
  expect([sent.statusCode, sent.headers.location]).toEqual([302, expect.stringMatching(/^\/\.lictor\/login\?attempt=/)]);
  const attempt = String(sent.headers.location).split('attempt=')[1] ?? '';
  expect((await logIn({ attempt })).headers.location).toBe(PAGE);
});

it('a provider asks its person again', async () => {
  const begun: unknown[] = [];
  const begin = async (request: unknown) => {
    begun.push(request);
    return { ok: true, location: 'https://idp.example/', secret: '' };
  };
  const provider = { idp: 'corp', begin };
  own.reconfigure({ providers: [provider as never] });
  await ask('/.lictor/login?idp=corp&again=1', { headers: HTML });
  await ask('/.lictor/login?idp=corp', { headers: HTML });
  expect(begun).toMatchObject([{ isFresh: true }, { isFresh: false }]);
});
