// The ledger over HTTP: page by page, narrowed to what its reader may see.
import { describe, expect, it } from 'vitest';
import { LictorError } from '../../../../contract/error.ts';
import { INPUT } from '../../../../contract/names.ts';
import type { LedgerRecord } from '../../../../contract/record.ts';
import { EVERY_RECORD } from '../../../../contract/record-reader.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import { NOWHERE, type Scope } from '../../../../contract/scope.ts';
import { createTokenId, createTokenText, hashToken } from '../../../../identity/authn/service-token/token-text.ts';
import { useOwnApp } from '../../own-app.fixture.ts';
import { AUDIT_QUERY, pageFilterOf } from './query.ts';

const PATH = '/.lictor/api/v1/audit';
const { get, ask } = useOwnApp();
const ID = '0199c0de-0000-7000-8000-000000000001';
const records = (...ids: readonly string[]) => ids.map((id) => ({ id, time: '2026-03-01T12:00:00.000Z', principal: 'alice@local' }) as LedgerRecord);

async function send(role: string, query = '', scope: Parameters<ReturnType<typeof get>['test']['store']['tokens']['create']>[0]['scope'] = null) {
  const { id, text } = createTokenText(createTokenId());
  await get().test.store.tokens.create({
    id,
    name: `${role.replace(',', '-')}-${id}`,
    roles: role.split(','),
    scope,
    cidrs: [],
    lifetimeMs: null,
    hash: hashToken(text),
  });
  return ask(`${PATH}${query}`, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
}

describe('who', () => {
  it.each(BUILT_IN_ROLES)('%s', async (role) => {
    get().found = async () => records(ID);
    const answer = await send(role);
    const may = ['auditor', 'admin', 'operator', 'deployer'].includes(role);
    expect([answer.statusCode, answer.headers['cache-control'], answer.body.includes(ID)]).toEqual([may ? 200 : 403, 'no-store', may]);
    if (!may) expect(answer.json()).toMatchObject({ code: 'policy-default-deny' });
    expect(get().searched).toHaveLength(may ? 1 : 0);
    const decision = may ? 'allow' : 'deny';
    // What was decided: `simulate` asks the same again.
    const resource_type = ['operator', 'deployer'].includes(role) ? 'FlowRun' : 'System';
    const recorded = { action: 'ledger.read', resource_type, decision, status: may ? 200 : 403, path: PATH, principal: expect.stringContaining(role) };
    expect(get().records).toMatchObject([recorded]);
  });

  const TEAM = { ...NOWHERE, tags: ['team-a'] };
  const EVERYTHING = { everything: true, runs: null, objects: null };
  it.each<[string, Scope | null, { readonly everything: boolean; readonly runs: readonly Scope[] | null; readonly objects: readonly Scope[] | null }]>([
    ['admin', null, EVERYTHING],
    ['auditor', null, EVERYTHING],
    ['operator', null, { everything: false, runs: [], objects: [] }],
    ['auditor', TEAM, { everything: false, runs: [TEAM], objects: [TEAM] }],
    ['operator', TEAM, { everything: false, runs: [TEAM], objects: [TEAM] }],
    ['deployer', TEAM, { everything: false, runs: [TEAM], objects: [TEAM] }],
  ])('%s on %j reads the records about those objects', async (role, scope, { everything, ...kinds }) => {
    expect((await send(role, '', scope)).statusCode).toBe(200);
    const narrowed = (scopes: readonly Scope[] | null) => scopes?.map((each) => ({ principalId: expect.any(String), scopes: [each] })) ?? null;
    expect(get().searched).toMatchObject([{ reader: { everything, runs: narrowed(kinds.runs), objects: narrowed(kinds.objects) } }]);
  });

  // The threads take the principals in turn.
  it.each(['', `/records/${ID}`, '/words', '/chain', '/export', '/../explain/requests/0123456789abcdef0123456789abcdef', '/../access?action=ledger.read'])(
    'who asks is the principal of the request: %s',
    async (query) => {
      get().found = async () => records(ID);
      await send('admin', query);
      expect(get().askers.length).toBeGreaterThan(0);
      expect(new Set(get().askers)).toEqual(new Set(get().records.map(({ principal }) => principal)));
    },
  );

  it('nobody by a viewer role, on everything or on a team', async () => {
    for (const scope of [null, TEAM]) expect((await send('viewer', '', scope)).statusCode).toBe(403);
    expect(get().searched).toEqual([]);
  });

  it('nobody without a credential, and nobody who learns more of how it is asked', async () => {
    expect((await ask(PATH)).statusCode).toBe(401);
    expect((await ask(`${PATH}?x=1`, { headers: { [INPUT.authorization]: 'Bearer lct_nothing' } })).statusCode).toBe(401);
    expect(get().records).toEqual([]);
    expect((await send('viewer', '?x=1')).statusCode).toBe(403);
  });
});

describe('what', () => {
  it('is a page, and where the next one begins', async () => {
    get().found = async () => records('a', 'b');
    expect((await send('auditor', '?limit=2')).json()).toEqual({ records: records('a', 'b'), next: 'b', searched_to: null, notes: [] });
    expect((await send('auditor', '?limit=3')).json()).toEqual({ records: records('a', 'b'), next: null, searched_to: null, notes: [] });
    expect((await send('auditor', `?limit=3&after=${ID}&order=newest`)).statusCode).toBe(200);
    const filters = [{ limit: 2 }, { limit: 3 }, { limit: 3, after: ID, newestFirst: true }];
    expect(get().searched).toEqual(filters.map((filter) => ({ filter, seesNames: false, reader: EVERY_RECORD })));
  });

  it('goes on where a search stopped at its bound', async () => {
    get().stoppedAt = { id: ID, time: '2026-03-01T12:00:00.000Z' };
    expect((await send('auditor')).json()).toEqual({ records: [], next: ID, searched_to: '2026-03-01T12:00:00.000Z', notes: [] });
  });

  it('is refused when it is written wrongly, with how it is written, and the value in nothing', async () => {
    const answer = await send('auditor', '?status=sekret');
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'request-invalid', detail: expect.stringContaining('status') }]);
    expect(answer.body).not.toContain('sekret');
    expect(get().searched).toEqual([]);
    get().found = () => Promise.reject(new LictorError('record-unknown', 'There is no record.'));
    expect((await send('auditor', `?after=${ID}`)).statusCode).toBe(400);
  });

  it('says what was meant by a word that is in no record', async () => {
    get().unknown = 'alcie@local has no record. Did you mean alice@local?';
    const answer = await send('auditor', '?principal=alcie@local&reason=policy-defalt-deny&action=deployment');
    expect(answer.json()).toMatchObject({
      records: [],
      notes: [
        'deployment is in no record of this Lictor: did you mean deployments.*?',
        'policy-defalt-deny is in no record of this Lictor: did you mean policy-default-deny?',
        'alcie@local has no record. Did you mean alice@local?',
      ],
    });
  });

  it('takes the name of a run or a deployment only from a principal that may read these in Prefect', async () => {
    for (const role of ['auditor,viewer', 'admin', 'auditor']) await send(role, '?flow_run_id=fuzzy-otter&deployment_id=nightly');
    const filter = { limit: 100, flowRun: 'fuzzy-otter', deployment: 'nightly' };
    expect(get().searched).toEqual([true, true, false].map((seesNames) => ({ filter, seesNames, reader: EVERY_RECORD })));
    get().found = () => Promise.reject(new LictorError('name-unknown', 'No flow run is called "x<y".'));
    const answer = await send('admin', '?flow_run_id=x%3Cy');
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'request-invalid', detail: 'No flow run is called "x<y".' }]);
  });

  it('is 503 when the ledger cannot be searched, and still an answer when reading cannot be recorded', async () => {
    get().ledgerBroken = true;
    expect((await send('auditor')).statusCode).toBe(200);
    get().found = () => Promise.reject(new Error('/secret/path: disk I/O'));
    const answer = await send('auditor');
    expect([answer.statusCode, answer.json()]).toMatchObject([503, { code: 'gateway-unavailable' }]);
    expect(answer.body).not.toContain('/secret/path');
  });
});

describe('the query', () => {
  const NOW = Date.parse('2026-03-02T00:00:00Z');
  it.each([
    ['', { limit: 100 }],
    ['last=1000', { last: 1000 }],
    [
      'principal=alice%40local&action=flow_runs.*&decision=deny&reason=run-bound',
      { principal: 'alice@local', action: 'flow_runs.*', decision: 'deny', reason: 'run-bound' },
    ],
    ['status=5xx&source_ip=10.0.0.0/8&path=/api/logs/*', { status: { from: 500, to: 599 }, address: '10.0.0.0/8', path: '/api/logs/*' }],
    ['flow_run_id=0199C0DE000070008000000000000001&resource_id=x&request_id=r&text=a+b', { flowRun: ID, resource: 'x', request: 'r', text: 'a b' }],
    [`deployment_id=${ID}`, { deployment: ID }],
    ['order=newest', { newestFirst: true }],
    ['order=oldest', { newestFirst: false }],
    ['flow_run_id=fuzzy-otter&deployment_id=nightly', { flowRun: 'fuzzy-otter', deployment: 'nightly' }],
    [
      'q=principal:alice decision:deny from:10.0.0.0/8 object:"a b" for:bob terra form',
      { principal: 'alice', decision: 'deny', address: '10.0.0.0/8', resource: 'a b', onBehalfOf: 'bob', text: 'terra form' },
    ],
    ['q=flow_run_id:fuzzy-otter token:etl&limit=3', { flowRun: 'fuzzy-otter', text: 'token:etl', limit: 3 }],
    ['q=who:carol denied', { principal: 'carol', decision: 'deny' }],
    ['q=user:carol@local decision:refused', { principal: 'carol@local', decision: 'deny' }],
    ['q="denied" "who:carol" constructor', { text: 'denied who:carol constructor' }],
    ['q=', {}],
    ['since=24h&until=2026-03-01', { since: '2026-03-01T00:00:00.000Z', until: '2026-03-01T00:00:00.000Z' }],
  ])('%s', (query, filter) => {
    const expected = 'last' in filter ? filter : { limit: 100, ...filter };
    expect(pageFilterOf(AUDIT_QUERY.parse(Object.fromEntries(new URLSearchParams(query))), NOW)).toEqual(expected);
  });

  it.each([
    ...[
      'limit=0',
      'limit=1001',
      'limit=',
      'last=1001',
      'last=1&limit=1',
      'last=1&order=newest',
      ...['order=time', 'q=prinicpal:x', 'q=a"b', 'q=decision:no', 'q=decision:deny decision:deny', 'q=decision:deny&decision=allow'],
      'limit=1&limit=2',
      'principal=a&principal=a',
      'flow_run=x',
      'flowRun=x',
    ],
    ...[
      'action=x;y',
      'decision=no',
      'reason=X',
      'status=600',
      'source_ip=10.0.0.0/33',
      'path=api',
      'path=/*/x',
      'flow_run_id=',
      'deployment_id=%00',
      'after=1',
      'follow=true',
    ],
    ...['since=soon', 'since=2026-99-99', 'text=%00', 'principal=', '__proto__=x', 'constructor=x'],
  ])('%s is none', async (query) => expect((await send('auditor', `?${query}`)).statusCode).toBe(400));

  it.each([
    ['by:carol', 'q: by: is not a key. Did you mean principal:?'],
    ['prinicpal:carol', 'q: prinicpal: is not a key. Did you mean principal:?'],
    ['constructor:x', 'q: constructor: is not a key. The keys are principal, who, user, for,'],
    [`${'x'.repeat(3000)}:y`, `q: ${'x'.repeat(20)}: is not a key.`],
  ])('q=%s names the problem', async (query, words) => {
    for (const path of ['', '/export', '/../stream']) expect((await send('auditor', `${path}?q=${query}`)).json().detail.startsWith(words)).toBe(true);
  });
});
