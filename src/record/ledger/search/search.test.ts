// Searching the ledger in a thread: pages, and what is said when there is none.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import { appendRecord } from '../append-record.ts';
import { tempState } from '../lines.fixture.ts';
import { fillLedger } from '../many.fixture.ts';
import { flowRunEvent, uuid, writeEvents } from '../prefect-events/event.fixture.ts';
import { createLedgerSearch, type LedgerSearch } from './search.ts';

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
    const first = await search.page({ filter: { principal: 'alice@local', limit: 2 } });
    expect(first.records.map(({ request_id }) => request_id)).toEqual(['1', '3']);
    const next = await search.page({ filter: { principal: 'alice@local', limit: 2, after: first.records[1]?.id } });
    expect(next.records.map(({ request_id }) => request_id)).toEqual(['4']);
    expect((await search.page({ filter: { last: 1 } })).records.map(({ request_id }) => request_id)).toEqual(['4']);
  });

  it('reports what it cannot find, and continues', async () => {
    await expect(search.page({ filter: { limit: 1 } })).rejects.toMatchObject({ code: 'ledger-missing' });
    add('1', 'alice@local');
    await expect(search.page({ filter: { limit: 1, after: '0199c0de-0000-7000-8000-000000000001' } })).rejects.toMatchObject({ code: 'record-unknown' });
    expect((await search.page({ filter: { limit: 1 } })).records).toHaveLength(1);
  });

  it('takes names of runs and suggests them for a caller who may see them, and for no other', async () => {
    appendRecord(paths, { time: '2026-03-01T12:00:01.000Z', request_id: '1', principal: 'alice@local', flow_run_id: uuid(1) });
    writeEvents(paths, [flowRunEvent(1, 1)]);
    const ask = (flowRun: string, seesNames: boolean) => search.page({ filter: { flowRun, limit: 1 }, seesNames });
    expect((await ask('fuzzy-otter', true)).records).toMatchObject([{ request_id: '1' }]);
    await expect(ask('fuzy-otter', true)).rejects.toMatchObject({ code: 'name-unknown', message: expect.stringContaining('Did you mean fuzzy-otter?') });
    const near = uuid(1).replace(/.$/, 'f');
    expect(await ask(near, true)).toEqual({ records: [], unknown: `Flow run ${near} has no record. Did you mean ${uuid(1)}?` });
    // Neither that there is such a name, nor what else there is.
    const refusal = (name: string) => `No flow run is called "${name}" in the stored events of Prefect. An id works as well.`;
    for (const name of ['fuzzy-otter', 'fuzy-otter']) await expect(ask(name, false)).rejects.toMatchObject({ code: 'name-unknown', message: refusal(name) });
    expect(await ask(near, false)).toEqual({ records: [], unknown: `Flow run ${near} has no record.` });
    expect((await ask(uuid(1), false)).records).toHaveLength(1);
  });

  it('says which principal is meant by one without a record', async () => {
    add('1', 'alice@local');
    expect(await search.page({ filter: { principal: 'alcie@local', limit: 1 } })).toEqual({
      records: [],
      unknown: 'alcie@local has no record. Did you mean alice@local?',
    });
    expect((await search.page({ filter: { principal: 'alice@local', action: 'locks.list', limit: 1 } })).unknown).toBeNull();
  });

  it('lets a few wait, and rejects the others', async () => {
    add('1', 'alice@local');
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => search.page({ filter: { limit: 1 } })));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    expect(asked.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'search-busy' } });
    expect((await search.page({ filter: { limit: 1 } })).records).toHaveLength(1);
  });

  it('ends one that takes too long, and answers the next', async () => {
    add('1', 'alice@local');
    const db = new DatabaseSync(paths.ledgerFile);
    fillLedger(db, 50_000);
    db.close();
    const hasty = createLedgerSearch({ ...paths, atMostMs: 1 });
    await expect(hasty.page({ filter: { text: 'nobody of this name', limit: 1 } })).rejects.toMatchObject({ code: 'search-too-long' });
    await hasty.close();
    expect((await search.page({ filter: { limit: 1 } })).records).toHaveLength(1);
  });
});
