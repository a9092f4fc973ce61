// One record, the words for suggestions, the chain's end, and the download of a search.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import type { LedgerRecord } from '../../../../contract/record.ts';
import { NOWHERE } from '../../../../contract/scope.ts';
import type { Question } from '../../../../record/ledger/search/questions.ts';
import { useOwnApp } from '../../own-app.fixture.ts';

const PATH = '/.lictor/api/v1/audit';
const { get, ask } = useOwnApp();
const ID = '0199c0de-0000-7000-8000-000000000001';
const record = (more: Partial<LedgerRecord> = {}) =>
  ({ id: ID, time: '2026-03-01T12:00:00.000Z', principal: 'alice@local', on_behalf_of: [], ...more }) as LedgerRecord;

async function send(role: string, path: string, scope: typeof NOWHERE | null = null) {
  const { text } = await get().test.token({ name: `${role}-${Math.random()}`, roles: [role], scope });
  return ask(`${PATH}${path}`, { headers: { [INPUT.authorization]: `Bearer ${text}` } });
}

function answers(given: Partial<Record<Question['kind'], unknown>>): Question[] {
  const asked: Question[] = [];
  get().answer = async (question) => {
    asked.push(question);
    return given[question.kind];
  };
  return asked;
}

const TEAM = { ...NOWHERE, tags: ['team-a'] };

describe('one record', () => {
  it('is there for those who may see it, and for all others as if it were not', async () => {
    const asked = answers({ record: record() });
    expect((await send('auditor', `/records/${ID}`)).json()).toEqual(record());
    await send('operator', `/records/${ID}`, TEAM);
    expect(asked.map((question) => question.kind === 'record' && question.reader.everything)).toEqual([true, false]);
    expect(asked[1]).toMatchObject({ reader: { runs: [{ scopes: [TEAM] }] } });
    answers({ record: null });
    const answer = await send('auditor', `/records/${ID}`);
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'not-found']);
    expect((await send('auditor', '/records/1')).statusCode).toBe(400);
    expect((await send('viewer', `/records/${ID}`)).statusCode).toBe(403);
  });
});

describe('the words for suggestions', () => {
  it('have principals only for those who see every record', async () => {
    const asked = answers({ principals: ['mallory@team-b'] });
    expect((await send('auditor', '/words')).json()).toMatchObject({
      ...{ principals: ['mallory@team-b'], actions: expect.arrayContaining(['flow_runs.create']) },
      action_words: { 'flow_runs.cancel': 'cancel flow runs', 'deployments.run': 'start runs of deployments' },
    });
    const own = await send('auditor', '/words', TEAM);
    expect(own.json()).toMatchObject({ principals: [], reasons: expect.arrayContaining(['policy-default-deny']) });
    expect([asked.length, own.body.includes('mallory')]).toEqual([1, false]);
  });
});

describe("the chain's end", () => {
  it('has its numbers only for those who see every record', async () => {
    const head = { signed: 'head', statement: '{}', signature: 's', public_key: 'k' };
    const chain = { state: 'intact', signed_at: '2026-03-01T12:00:00.000Z', head, chains: [{ node: 'n1', first: 1, last: 41, examined: 41 }] };
    answers({ chain });
    expect((await send('auditor', '/chain')).json()).toEqual(chain);
    expect((await send('operator', '/chain', TEAM)).json()).toEqual({ ...chain, head: null, chains: [] });
  });
});

describe('the download of a search', () => {
  const pages = (...sizes: readonly number[]) => {
    let at = 0;
    get().found = async () => Array.from({ length: sizes[at++] ?? 0 }, (_, index) => record({ request_id: `r${at}-${index}` }));
  };

  it('has every page, newest first, one record a line', async () => {
    pages(200, 200, 3);
    const answer = await send('auditor', '/export?q=decision:deny');
    const lines = answer.body.trimEnd().split('\n');
    expect([answer.statusCode, answer.headers['content-type'], lines.length]).toEqual([200, 'application/x-ndjson', 403]);
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="lictor-records-[0-9-]{10}\.ndjson"$/);
    expect(JSON.parse(lines[402] ?? '')).toMatchObject({ request_id: 'r3-2' });
    expect(get().searched.map(({ filter }) => filter)).toMatchObject([{ decision: 'deny', newestFirst: true }, { after: ID }, { after: ID }]);
  });

  it('as a table runs no formula in a spreadsheet, and keeps its columns', async () => {
    get().found = async () => [record({ principal: '=HYPERLINK("x")', on_behalf_of: ['a', 'b'] })];
    const answer = await send('auditor', '/export?format=csv');
    const [header = '', line = ''] = answer.body.split('\r\n');
    expect([header.split(',')[0], answer.headers['content-type']]).toEqual(['"id"', 'text/csv; charset=utf-8']);
    expect(line).toContain(`"'=HYPERLINK(""x"")"`);
    expect(line).toContain('"[""a"",""b""]"');
  });

  it('is of the reader, goes on behind a bound, and takes no page', async () => {
    get().stoppedAt = { id: ID, time: '2026-03-01T12:00:00.000Z' };
    get().found = async () => {
      if (get().searched.length === 3) get().stoppedAt = undefined;
      return [record()];
    };
    expect((await send('operator', '/export', TEAM)).body.trimEnd().split('\n')).toHaveLength(3);
    expect(get().searched).toMatchObject([1, 2, 3].map(() => ({ reader: { everything: false, runs: [{ scopes: [TEAM] }] } })));
    expect((await send('auditor', '/export?limit=3')).statusCode).toBe(400);
    expect((await send('viewer', '/export')).statusCode).toBe(403);
  });

  it('breaks off when a later page fails, so that no part looks like the whole', async () => {
    pages(200);
    get().found = async () => {
      if (get().searched.length > 1) throw new Error('disk I/O');
      return Array.from({ length: 200 }, () => record());
    };
    await expect(send('auditor', '/export')).rejects.toThrow();
  });
});
