// Own policies over the admin API: reading, drafts, and how they come into force.
import { beforeEach, describe, expect, it } from 'vitest';
import { LictorError } from '../../../../contract/error.ts';
import { INPUT } from '../../../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import { cookieOf, useOwnApp } from '../../own-app.fixture.ts';

const BASE = '/.lictor/api/v1/policies';
const JSON_TYPE = { 'content-type': 'application/json' };
const FREEZE = '@id("freeze")\nforbid (principal, action in Action::"configure", resource);\n';
const { get, ask, logIn } = useOwnApp();
const work = () => get().policyWork;

const put = (revision: number, files: Readonly<Record<string, string>>) =>
  get().test.store.policySets.put({ revision, files, by: 'local:root', why: `set ${revision}` });
const tokens = new Map<string, string>();
beforeEach(() => tokens.clear());

async function bearer(role: string) {
  const text = tokens.get(role) ?? (await get().test.token({ name: role, roles: [role] })).text;
  tokens.set(role, text);
  return { [INPUT.authorization]: `Bearer ${text}` };
}
const read = async (path: string, role = 'auditor') => ask(`${BASE}${path}`, { headers: await bearer(role) });
const post = async (path: string, body: object, role = 'auditor') =>
  ask(`${BASE}${path}`, { method: 'POST', headers: { ...JSON_TYPE, ...(await bearer(role)) }, body: JSON.stringify(body) });

async function browser() {
  const session = cookieOf(await logIn());
  const { csrf_token } = (await ask('/.lictor/api/v1/me', { session })).json();
  return { session, sameOrigin: true, headers: { ...JSON_TYPE, 'x-csrf-token': String(csrf_token) } };
}

describe('the policies in force', () => {
  it('are their texts, since when, by whom, and whether another set can be applied', async () => {
    expect((await read('')).json()).toMatchObject({ revision: 0, current_revision: 7, files: {}, apply: { possible: true } });
    await put(3, { 'own.cedar': FREEZE });
    expect((await read('')).json()).toMatchObject({ revision: 3, by: 'local:root', why: 'set 3', files: { 'own.cedar': FREEZE } });
    work().obstacle = { code: 'policies-read-only' };
    expect((await read('')).json().apply).toMatchObject({ possible: false, code: 'policies-read-only', hint: expect.stringContaining('policy apply') });
  });

  it.each(BUILT_IN_ROLES)('are for auditors and admins: %s', async (role) => {
    await put(3, { 'own.cedar': FREEZE });
    const status = role === 'auditor' || role === 'admin' ? 200 : 403;
    for (const path of ['', '/history', '/revisions/3', '/diff?from=3&to=3']) {
      const answer = await read(path, role);
      expect([path, answer.statusCode, answer.body.includes('freeze') && status === 403]).toEqual([path, status, false]);
    }
    for (const path of ['/check', '/simulate']) expect((await post(path, { files: {} }, role)).statusCode).toBe(status);
  });
});

describe('the history', () => {
  it('is read page by page, newest first, and each set by a revision at which it was in force', async () => {
    for (const revision of [1, 3, 6]) await put(revision, { 'own.cedar': `// ${revision}\n` });
    const first = (await read('/history?limit=2')).json();
    expect(first.sets.map((set: { revision: number }) => set.revision)).toEqual([6, 3]);
    const second = (await read(`/history?limit=2&cursor=${first.next}`)).json();
    expect([second.sets.map((set: { revision: number }) => set.revision), second.next]).toEqual([[1], null]);
    expect((await read('/revisions/5')).json()).toEqual({ revision: 3, files: { 'own.cedar': '// 3\n' } });
    expect((await read('/diff?from=2&to=7')).json()).toMatchObject({
      from: 1,
      to: 6,
      patches: [{ name: 'own.cedar', change: 'changed', patch: expect.stringContaining('-// 1\n+// 6\n') }],
    });
  });

  it('begins at revision 0, without own policies', async () => {
    await put(1, { 'own.cedar': FREEZE });
    expect((await read('/revisions/0')).json()).toEqual({ revision: 0, files: {} });
    expect((await read('/diff?from=0&to=1')).json()).toMatchObject({ from: 0, to: 1, patches: [{ change: 'added' }] });
  });

  it('twin: has no revision that never was', async () => {
    await put(3, {});
    expect((await read('/revisions/8')).json()).toMatchObject({ code: 'revision-unknown', detail: expect.stringContaining('from 3 to 7') });
    expect((await read('/diff?from=3&to=99')).statusCode).toBe(404);
    for (const path of ['/revisions/x', '/diff?from=3', '/history?limit=0', '/history?limit=101', '/history?cursor=x'])
      expect((await read(path)).statusCode).toBe(400);
  });
});

describe('a draft', () => {
  it('is checked with its place, its vectors and its difference, and changes nothing', async () => {
    await put(3, { 'own.cedar': FREEZE });
    const vectors =
      'vectors:\n  - { name: frozen, principal: { roles: [admin] }, action: variables.write, expect: deny }\n  - { name: open, principal: { roles: [admin] }, action: variables.write, expect: allow }\n';
    const report = (await post('/check', { files: { 'own.cedar': `${FREEZE}// more\n`, 'a.vectors.yaml': vectors } })).json();
    expect(report.vectors.map(({ name, line, holds }: { name: string; line: number; holds: boolean }) => [name, line, holds])).toEqual([
      ['frozen', 2, true],
      ['open', 3, false],
    ]);
    expect(report.problems).toMatchObject([{ file: 'a.vectors.yaml', line: 3 }]);
    expect(report.patches).toMatchObject([
      { name: 'a.vectors.yaml', change: 'added' },
      { name: 'own.cedar', patch: expect.stringContaining('+// more') },
    ]);
    const broken = (await post('/check', { files: { 'own.cedar': `${FREEZE}permit (principal action, resource);` } })).json();
    expect([broken.problems, broken.vectors]).toMatchObject([[{ file: 'own.cedar', line: 3, column: 19 }], []]);
    expect(work().applied).toEqual([]);
  });

  it('that names a principal whom Lictor does not know has a warning with the nearest name, and twin: a reader without the right sees none', async () => {
    const files = { 'own.cedar': '@id("a")\nforbid (principal == Principal::"alcie@local", action == Action::"flows.read", resource);\n' };
    const answer = (await post('/check', { files })).json();
    expect([answer.problems, answer.warnings]).toMatchObject([
      [],
      [{ line: 2, column: 33, message: 'no such principal "alcie@local": did you mean alice@local?' }],
    ]);
    const denied = await post('/check', { files }, 'operator');
    expect([denied.statusCode, denied.body.includes('alice@local')]).toEqual([403, false]);
  });

  it('has names of policy files only, and at most 1 MiB', async () => {
    for (const name of ['../x.cedar', 'x.txt', '.x.cedar', 'a/b.cedar'])
      expect((await post('/check', { files: { [name]: '' } })).json().code).toBe('request-invalid');
    expect((await post('/check', { files: { 'a.cedar': 'x'.repeat(1024 * 1024) } })).statusCode).toBe(413);
    expect((await post('/check', { files: { 'a.cedar': `//${'x'.repeat(300_000)}` } })).json().problems).toMatchObject([{ message: 'is larger than 256 KiB' }]);
  });

  it('is simulated line by line over the time that is asked for', async () => {
    const simulation = { since: '', records: 40, counts: {}, changes: [], unlike_then: [], unknown_principals: [] };
    work().steps = async function* () {
      yield { type: 'started' };
      yield { type: 'progress', progress: { records: 20, through: 'T' } };
      yield { type: 'simulated', simulation: simulation as never };
    };
    const answer = await post('/simulate', { files: { 'own.cedar': FREEZE }, since: '24h' });
    expect(answer.headers['content-type']).toBe('application/x-ndjson');
    expect(
      answer.body
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text)),
    ).toMatchObject([{ progress: { records: 20, through: 'T' } }, { simulation: { records: 40 } }]);
    const [{ since, nowMs } = { since: '', nowMs: 0 }] = work().simulated;
    expect(nowMs - Date.parse(since)).toBe(86_400_000);
    for (const wrong of ['0h', 'soon', '9999d']) expect((await post('/simulate', { files: {}, since: wrong })).statusCode).toBe(400);
  });

  it('twin: is not simulated while it is broken or another one runs, and a simulation that dies says so in its last line', async () => {
    const { policies } = { policies: work() };
    policies.steps = async function* () {
      yield { type: 'invalid', checked: { problems: [{ path: '', file: 'own.cedar', line: 2, column: 1, message: 'no', remedy: '' }] } as never };
    };
    expect((await post('/simulate', { files: {} })).json()).toMatchObject({ code: 'policies-invalid', detail: 'own.cedar:2:1  no' });
    policies.steps = async function* () {
      yield* [];
      throw new LictorError('draft-busy', 'Another simulation runs.');
    };
    const busy = await post('/simulate', { files: {} });
    expect([busy.statusCode, busy.headers['retry-after'], busy.json().code]).toEqual([503, '2', 'draft-busy']);
    policies.steps = async function* () {
      yield { type: 'started' };
      throw new Error('/secret/path');
    };
    const dead = await post('/simulate', { files: {} });
    expect([dead.statusCode, JSON.parse(dead.body).refusal.code, dead.body.includes('secret')]).toEqual([200, 'draft-too-long', false]);
  });
});

describe('applying', () => {
  const body = JSON.stringify({ base: 3, files: { 'own.cedar': FREEZE }, why: 'freeze' });
  beforeEach(() => put(3, { 'old.cedar': '' }));

  it('is recorded before it takes effect, with who and why', async () => {
    const answer = await ask(BASE, { method: 'PUT', ...(await browser()), body });
    expect([answer.statusCode, answer.json()]).toEqual([200, { from: 7, to: 8 }]);
    expect(work().applied).toMatchObject([{ base: 3, files: { 'own.cedar': FREEZE }, why: 'freeze', by: 'alice@local', onBehalfOf: [] }]);
    expect(get().records.at(-1)).toMatchObject({
      action: 'policy.apply',
      resource_type: 'PolicySet',
      resource_id: '7 -> 8',
      reason: 'policies-applied',
      revision: 8,
      principal: 'alice@local',
      decision: 'allow',
    });
  });

  it('of a former revision is a rollback, with a reason of its own if none is given', async () => {
    const rollback = JSON.stringify({ base: 3, revision: 4, why: '' });
    expect((await ask(`${BASE}/rollback`, { method: 'POST', ...(await browser()), body: rollback })).statusCode).toBe(200);
    expect(work().applied).toMatchObject([{ base: 3, files: { 'old.cedar': '' }, why: 'rollback to revision 3' }]);
    const unknown = await ask(`${BASE}/rollback`, { method: 'POST', ...(await browser()), body: JSON.stringify({ base: 3, revision: 99, why: '' }) });
    expect([unknown.statusCode, unknown.json().code, work().applied.length]).toEqual([404, 'revision-unknown', 1]);
  });

  it('twin: of two editors the second gets a conflict with all that a refusal says', async () => {
    work().outcome = async () => ({ applied: false, code: 'policies-changed', detail: 'carol@local has applied revision 5 since.' });
    const answer = await ask(BASE, { method: 'PUT', ...(await browser()), body });
    expect([answer.statusCode, answer.json()]).toEqual([
      409,
      { code: 'policies-changed', detail: 'carol@local has applied revision 5 since.', hint: expect.stringContaining('new revision'), request_id: 'request-1' },
    ]);
    expect(get().records.at(-1)).toMatchObject({ action: 'policies.write', status: 409 });
  });

  it('twin: does not happen without a record', async () => {
    const who = await browser();
    get().ledgerBroken = true;
    expect((await ask(BASE, { method: 'PUT', ...who, body })).json().code).toBe('ledger-unavailable');
  });

  it.each([
    ['a token of an admin', async () => ({ headers: { ...JSON_TYPE, ...(await bearer('admin')) } }), 'session-required'],
    ['a session without its proof', async () => ({ ...(await browser()), headers: JSON_TYPE }), 'origin-foreign'],
    ['a page of another site', async () => ({ ...(await browser()), sameOrigin: false, foreignOrigin: true }), 'origin-foreign'],
    ['an auditor', async () => ({ headers: { ...JSON_TYPE, ...(await bearer('auditor')) } }), 'policy-default-deny'],
    ['nobody', async () => ({ headers: JSON_TYPE }), 'credential-missing'],
    ['a login of more than five minutes ago', async () => oldLogin(), 'login-not-recent'],
  ])('twin: is nothing for %s', async (_who, who, code) => {
    for (const [method, path] of [
      ['PUT', ''],
      ['POST', '/rollback'],
    ] as const) {
      const answer = await ask(`${BASE}${path}`, { method, ...(await who()), body: path === '' ? body : '{"base":3,"revision":3,"why":""}' });
      expect([answer.json().code, work().applied]).toEqual([code, []]);
    }
  });

  async function oldLogin() {
    const who = await browser();
    get().test.advance(5 * 60_000 + 1);
    return who;
  }

  it.each(['{"base":3,"files":{},"why":"a\\nb"}', '{"base":-1,"files":{},"why":""}', '{"files":{},"why":""}', '{"base":3,"files":{"../a.cedar":""},"why":""}'])(
    'twin: of %s is no request',
    async (wrong) => {
      expect((await ask(BASE, { method: 'PUT', ...(await browser()), body: wrong })).json().code).toBe('request-invalid');
      expect(work().applied).toEqual([]);
    },
  );
});
