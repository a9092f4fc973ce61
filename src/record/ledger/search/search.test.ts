// Searching the ledger in a thread: pages, and what is said when there is none.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import { EVERY_RECORD, NO_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';
import { appendRecord } from '../append-record.ts';
import { isSignedBy } from '../chain/statement.ts';
import { tempState } from '../lines.fixture.ts';
import { fillLedger } from '../many.fixture.ts';
import { flowRunEvent, uuid, writeEvents } from '../prefect-events/event.fixture.ts';
import type { AuditFilter } from '../query.ts';
import type { PageFilter } from './questions.ts';
import { type Asker, createLedgerSearch, type LedgerSearch } from './search.ts';

const ALICE: Asker = { principal: 'alice' };

describe('a search in the ledger', () => {
  let paths: StatePaths;
  let remove: () => void;
  let search: LedgerSearch;
  beforeEach(() => {
    ({ paths, remove } = tempState());
    search = createLedgerSearch(paths);
  });
  afterEach(async () => {
    await search.close();
    remove();
  });
  const add = (id: string, principal: string) => appendRecord(paths, { time: `2026-03-01T12:00:0${id}.000Z`, request_id: id, principal });

  it('answers pages, oldest first, each from where the last one ended', async () => {
    for (const [id, principal] of [
      ['1', 'alice@local'],
      ['2', 'bob@local'],
      ['3', 'alice@local'],
      ['4', 'alice@local'],
    ] as const)
      add(id, principal);
    const first = await search.page({ filter: { principal: 'alice@local', limit: 2 } }, ALICE);
    expect(first.records.map(({ request_id }) => request_id)).toEqual(['1', '3']);
    const next = await search.page({ filter: { principal: 'alice@local', limit: 2, after: first.records[1]?.id } }, ALICE);
    expect(next.records.map(({ request_id }) => request_id)).toEqual(['4']);
    expect((await search.page({ filter: { last: 1 } }, ALICE)).records.map(({ request_id }) => request_id)).toEqual(['4']);
  });

  it('reports what it cannot find, and continues', async () => {
    await expect(search.page({ filter: { limit: 1 } }, ALICE)).rejects.toMatchObject({ code: 'ledger-missing' });
    add('1', 'alice@local');
    await expect(search.page({ filter: { limit: 1, after: '0199c0de-0000-7000-8000-000000000001' } }, ALICE)).rejects.toMatchObject({ code: 'record-unknown' });
    expect((await search.page({ filter: { limit: 1 } }, ALICE)).records).toHaveLength(1);
  });

  it('takes exact names of runs, and suggests names for a caller who may see them, and for no other', async () => {
    appendRecord(paths, { time: '2026-03-01T12:00:01.000Z', request_id: '1', principal: 'alice@local', flow_run_id: uuid(1) });
    writeEvents(paths, [flowRunEvent(1, 1)]);
    const ask = (flowRun: string, seesNames: boolean) => search.page({ filter: { flowRun, limit: 1 }, seesNames }, ALICE);
    expect((await ask('fuzzy-otter', true)).records).toMatchObject([{ request_id: '1' }]);
    await expect(ask('fuzy-otter', true)).rejects.toMatchObject({ code: 'name-unknown', message: expect.stringContaining('Did you mean fuzzy-otter?') });
    const near = uuid(1).replace(/.$/, 'f');
    expect(await ask(near, true)).toEqual({ records: [], unknown: `Flow run ${near} has no record. Did you mean ${uuid(1)}?` });
    expect((await ask('fuzzy-otter', false)).records).toMatchObject([{ request_id: '1' }]);
    const message = 'No flow run is called "fuzy-otter" in the stored events of Prefect. An id works as well.';
    await expect(ask('fuzy-otter', false)).rejects.toMatchObject({ code: 'name-unknown', message });
    expect(await ask(near, false)).toEqual({ records: [], unknown: `Flow run ${near} has no record.` });
    expect((await ask(uuid(1), false)).records).toHaveLength(1);
  });

  describe('for a reader with limits', () => {
    const RESTRICTION = { principalId: 'bob@corp', scopes: [{ ...NOWHERE, tags: ['team-a'] }] };
    const reader: RecordReader = { everything: false, runs: [RESTRICTION], objects: [RESTRICTION] };
    const covered: VisibleIds = async (_type, ids) => new Set(ids.filter((id) => id === uuid(1)));
    const page = (filter: PageFilter, seen = covered) => search.page({ filter, reader, seesNames: true }, { ...ALICE, covered: seen });
    const about = (second: number, run: number, principal: string) =>
      appendRecord(paths, {
        time: `2026-03-01T12:00:0${second}.000Z`,
        request_id: String(second),
        principal,
        resource_type: 'FlowRun',
        resource_id: uuid(run),
      });

    it('answers its own records alone, in either order, page by page', async () => {
      for (const second of [1, 2, 3, 4, 5, 6]) about(second, second % 2 === 0 ? 1 : 2, second % 2 === 0 ? 'alice@local' : 'mallory@team-b');
      const first = await page({ limit: 2, newestFirst: true });
      expect(first.records.map(({ request_id }) => request_id)).toEqual(['6', '4']);
      expect((await page({ limit: 2, newestFirst: true, after: first.records[1]?.id })).records.map(({ request_id }) => request_id)).toEqual(['2']);
      expect((await page({ last: 2 })).records.map(({ request_id }) => request_id)).toEqual(['4', '6']);
      expect((await page({ limit: 9 })).records.map(({ request_id }) => request_id)).toEqual(['2', '4', '6']);
      expect((await search.page({ filter: { limit: 9 }, reader }, ALICE)).records).toEqual([]);
      expect((await search.page({ filter: { limit: 9 } }, ALICE)).records).toHaveLength(6);
    });

    it('names no foreign principal and no foreign run in what it says of nothing', async () => {
      about(1, 2, 'mallory@team-b');
      writeEvents(paths, [flowRunEvent(1, 1), flowRunEvent(2, 2, { resource_name: 'secret-otter' })]);
      expect(await page({ principal: 'malory@team-b', limit: 1 })).toEqual({ records: [], unknown: null });
      expect(await page({ principal: 'mallory@team-b', limit: 1 })).toEqual({ records: [], unknown: null });
      const refusal = (name: string) => `No flow run is called "${name}" in the stored events of Prefect. An id works as well.`;
      for (const name of ['secret-otter', 'secret-oter'])
        await expect(page({ flowRun: name, limit: 1 })).rejects.toMatchObject({ code: 'name-unknown', message: refusal(name) });
      expect(await page({ flowRun: 'fuzzy-otter', limit: 1 })).toEqual({ records: [], unknown: null });
    });

    it('stops at its bound, and goes on from there', async () => {
      about(1, 2, 'mallory@team-b');
      const db = new DatabaseSync(paths.ledgerFile);
      fillLedger(db, 4_500);
      db.close();
      const none: VisibleIds = async () => new Set();
      const first = await page({ limit: 1, newestFirst: true }, none);
      expect(first).toMatchObject({ records: [], stoppedAt: { id: expect.any(String), time: expect.stringMatching(/^2026-01-01/) } });
      expect(await page({ limit: 1, newestFirst: true, after: first.stoppedAt?.id }, none)).toEqual({ records: [], unknown: null });
    });

    it('answers nothing while Prefect does not say which objects are in the scope', async () => {
      about(1, 1, 'alice@local');
      await expect(page({ limit: 1 }, () => Promise.reject(new Error('no answer')))).rejects.toMatchObject({ code: 'objects-unknown' });
      expect((await page({ limit: 1 })).records).toHaveLength(1);
    });
  });

  it('answers the records written after a place, each once and in their order', async () => {
    const written: string[] = [];
    const write = (request: string, time: string) => {
      appendRecord(paths, { time: `2026-03-01T12:00:${time}.000Z`, request_id: request, principal: 'alice@local' });
      written.push(request);
    };
    write('before', '30');
    const ask = (after: number | string | null) => search.ask({ kind: 'changes', filter: { principal: 'alice' }, after }, ALICE);
    const start = await ask(null);
    expect(start.records).toEqual([]);
    const seen: (string | null)[] = [];
    let { number } = start;
    // Times of records are not in the order of writing: a long request gets its record late.
    for (const time of ['20', '40', '10']) {
      write(`at ${time}`, time);
      const found = await ask(number);
      number = found.number;
      seen.push(...found.records.map(({ request_id }) => request_id));
    }
    expect(seen).toEqual(written.slice(1));
    const [first] = (await search.page({ filter: { request: 'at 20', limit: 1 } }, ALICE)).records;
    expect((await ask(first?.id ?? '')).records.map(({ request_id }) => request_id)).toEqual(['at 40', 'at 10']);
    await expect(ask(uuid(9))).rejects.toMatchObject({ code: 'record-unknown' });
  });

  it('finds principals by their names without the provider, and in the chain of another', async () => {
    for (const [id, principal] of ['alice@local', 'alice@corp', 'token:alice', 'malice@local'].entries()) add(String(id), principal);
    appendRecord(paths, { time: '2026-03-01T12:00:09.000Z', request_id: '9', principal: 'agent:copilot', on_behalf_of: ['alice@corp'] });
    const found = async (filter: AuditFilter) => (await search.page({ filter: { ...filter, limit: 9 } }, ALICE)).records.map(({ request_id }) => request_id);
    expect(await found({ principal: 'alice' })).toEqual(['0', '1', '2']);
    expect(await found({ principal: 'malice' })).toEqual(['3']);
    expect(await found({ principal: 'lice' })).toEqual([]);
    expect(await found({ onBehalfOf: 'alice' })).toEqual(['9']);
    expect(await found({ onBehalfOf: 'alice@corp' })).toEqual(['9']);
    expect(await found({ onBehalfOf: 'ali' })).toEqual([]);
    expect(await search.ask({ kind: 'principals' }, ALICE)).toEqual(['agent:copilot', 'alice@corp', 'alice@local', 'malice@local', 'token:alice']);
  });

  it('gives one record to those who may see it', async () => {
    add('1', 'alice@local');
    const [record] = (await search.page({ filter: { limit: 1 } }, ALICE)).records;
    expect(await search.ask({ kind: 'record', id: record?.id ?? '', reader: EVERY_RECORD }, ALICE)).toEqual(record);
    expect(await search.ask({ kind: 'record', id: record?.id ?? '', reader: NO_RECORD }, ALICE)).toBeNull();
    expect(await search.ask({ kind: 'record', id: uuid(9), reader: EVERY_RECORD }, ALICE)).toBeNull();
  });

  it("says whether the chain's end is intact", async () => {
    for (const id of ['1', '2', '3']) add(id, 'alice@local');
    const chain = await search.ask({ kind: 'chain' }, ALICE);
    expect(chain).toMatchObject({ state: 'intact', signed_at: expect.stringMatching(/^20/), chains: [{ first: 1, examined: 3 }] });
    // As `lictor audit head` prints it.
    expect(chain.head).toMatchObject({ signed: 'head' });
    expect(isSignedBy({ text: chain.head?.statement ?? '', signature: chain.head?.signature ?? '' }, chain.head?.public_key ?? '')).toBe(true);
    const db = new DatabaseSync(paths.ledgerFile);
    db.exec("UPDATE records SET principal = 'bob@local' WHERE request_id = '3'");
    expect(await search.ask({ kind: 'chain' }, ALICE)).toMatchObject({ state: 'broken' });
    db.exec("UPDATE records SET principal = 'alice@local' WHERE request_id = '3'");
    expect(await search.ask({ kind: 'chain' }, ALICE)).toMatchObject({ state: 'intact' });
    db.exec("DELETE FROM records WHERE request_id = '3'");
    expect(await search.ask({ kind: 'chain' }, ALICE)).toMatchObject({ state: 'broken' });
    db.exec('DELETE FROM head');
    db.close();
    expect(await search.ask({ kind: 'chain' }, ALICE)).toEqual({ state: 'unsigned', signed_at: null, head: null, chains: [] });
  });

  it('says which principal is meant by one without a record', async () => {
    add('1', 'alice@local');
    expect(await search.page({ filter: { principal: 'alcie@local', limit: 1 } }, ALICE)).toEqual({
      records: [],
      unknown: 'alcie@local has no record. Did you mean alice@local?',
    });
    expect((await search.page({ filter: { principal: 'alice@local', action: 'locks.list', limit: 1 } }, ALICE)).unknown).toBeNull();
  });

  it('lets a few wait, and rejects the others', async () => {
    add('1', 'alice@local');
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => search.page({ filter: { limit: 1 } }, ALICE)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
    expect(asked.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'search-busy' } });
    expect((await search.page({ filter: { limit: 1 } }, ALICE)).records).toHaveLength(1);
  });

  it('ends one that takes too long, and answers the next', async () => {
    add('1', 'alice@local');
    const db = new DatabaseSync(paths.ledgerFile);
    fillLedger(db, 50_000);
    db.close();
    const hasty = createLedgerSearch({ ...paths, atMostMs: 1 });
    await expect(hasty.page({ filter: { text: 'nobody of this name', limit: 1 } }, ALICE)).rejects.toMatchObject({ code: 'search-too-long' });
    await hasty.close();
    expect((await search.page({ filter: { limit: 1 } }, ALICE)).records).toHaveLength(1);
  });
});
