// New records as server-sent events.
import { describe, expect, it } from 'vitest';
import { INPUT } from '../../../contract/names.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import type { ChangesQuestion, Question } from '../../../record/ledger/search/questions.ts';
import { useOwnApp } from '../own-app.fixture.ts';
import { createStreams } from './streams.ts';

const PATH = '/.lictor/api/v1/stream';
const { get, ask } = useOwnApp();
const id = (number: number) => `0199c0de-0000-7000-8000-${String(number).padStart(12, '0')}`;
const record = (number: number) => ({ id: id(number), principal: 'line\nbreak' }) as LedgerRecord;

/** Answers one question after the other; then the gateway gets another configuration. */
function ledger(...found: readonly (readonly LedgerRecord[])[]): (ChangesQuestion & Question)[] {
  const asked: (ChangesQuestion & Question)[] = [];
  get().answer = async (question) => {
    if (question.kind !== 'changes') throw new Error('another question');
    asked.push(question);
    if (asked.length > found.length) get().retired.abort();
    return { records: found[asked.length - 1] ?? [], number: asked.length };
  };
  return asked;
}

let newest = '';
async function headers(roles: readonly string[] = ['auditor'], scope: typeof NOWHERE | null = null) {
  const { id: token, text } = await get().test.token({ name: roles.join(), roles, scope });
  newest = token;
  return { [INPUT.authorization]: `Bearer ${text}` };
}

describe('a stream', () => {
  it('has each record as one event, and goes on from the number of the last answer', async () => {
    const asked = ledger([record(1), record(2)], [record(3)]);
    const answer = await ask(`${PATH}?q=decision:deny`, { headers: await headers() });
    expect([answer.statusCode, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([200, 'text/event-stream', 'no-store']);
    const events = answer.body.split('\n\n').filter((text) => text.startsWith('event: record\n'));
    expect(events.map((text) => text.split('\n')[1])).toEqual([1, 2, 3].map((number) => `id: ${id(number)}`));
    expect(JSON.parse(events[0]?.split('\ndata: ')[1] ?? '')).toEqual(record(1));
    expect(asked.map(({ after, filter }) => [after, filter])).toEqual([null, 1, 2].map((after) => [after, { decision: 'deny' }]));
  });

  it('begins behind the record that its reader has, in either spelling', async () => {
    const first = ledger();
    await ask(`${PATH}?after=${id(7)}`, { headers: await headers() });
    expect(first[0]?.after).toBe(id(7));
  });

  it('begins behind the last event of a browser', async () => {
    const asked = ledger();
    await ask(`${PATH}?after=${id(7)}`, { headers: { ...(await headers()), 'last-event-id': id(9) } });
    expect(asked[0]?.after).toBe(id(9));
  });

  it('is narrowed to the scopes of its reader', async () => {
    const team = { ...NOWHERE, tags: ['team-a'] };
    const asked = ledger([record(1)]);
    await ask(PATH, { headers: await headers(['operator'], team) });
    expect(asked).toMatchObject([1, 2].map(() => ({ reader: { everything: false, runs: [{ scopes: [team] }] } })));
  });

  it('ends with the right of its reader', async () => {
    const who = await headers();
    get().answer = async () => {
      await get().test.store.tokens.revoke(newest);
      get().test.advance(2_001);
      return { records: [record(1)], number: 1 };
    };
    const answer = await ask(PATH, { headers: who });
    expect(answer.body).toMatch(/event: end\ndata: \{"code":"[a-z-]+"\}\n\n$/);
  });

  it('ends when the ledger cannot be searched, and is refused when it cannot begin', async () => {
    let count = 0;
    get().answer = async () => {
      count += 1;
      if (count > 1) throw new Error('disk I/O');
      return { records: [record(1)], number: 1 };
    };
    expect((await ask(PATH, { headers: await headers() })).body.match(/event: record/g)).toHaveLength(1);
    expect((await ask(PATH, { headers: await headers(['admin']) })).statusCode).toBe(503);
  });

  it('does not begin for HEAD, after which no one would read it and give its place back', async () => {
    const asked = ledger();
    const who = await headers();
    const codes = [];
    for (let count = 0; count < 7; count += 1) codes.push((await ask(PATH, { method: 'HEAD', headers: who })).statusCode);
    expect([codes, asked.length]).toEqual([Array(7).fill(404), 0]);
    expect((await ask(PATH, { headers: who })).statusCode).toBe(200);
  });

  it.each([
    ['a viewer', ['viewer'], '', 403],
    ['an unknown filter', ['auditor'], '?x=1', 400],
    ['a page', ['auditor'], '?limit=3', 400],
    ['no record as its cursor', ['auditor'], '?after=1', 400],
  ])('has nothing for %s', async (_what, roles, query, status) => {
    const asked = ledger();
    expect((await ask(`${PATH}${query}`, { headers: await headers(roles) })).statusCode).toBe(status);
    expect(asked).toEqual([]);
  });
});

describe('open streams', () => {
  it('are a bounded number, of one principal and of all', () => {
    const { take } = createStreams({ ofOne: 2, ofAll: 3 });
    const give = take('alice');
    expect([take('alice'), take('alice'), take('bob'), take('bob')].map((taken) => taken !== undefined)).toEqual([true, false, true, false]);
    give?.();
    expect(take('alice')).toBeDefined();
  });
});
