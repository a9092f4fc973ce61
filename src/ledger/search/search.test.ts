// Searching the ledger in a thread: pages, and what is said when there is none.
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { appendRecord } from '../append-record.ts';
import { tempState } from '../lines.fixture.ts';
import { fillLedger } from '../many.fixture.ts';
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
    const first = await search.page({ principal: 'alice@local', limit: 2 });
    expect(first.map(({ request_id }) => request_id)).toEqual(['1', '3']);
    const next = await search.page({ principal: 'alice@local', limit: 2, after: first[1]?.id });
    expect(next.map(({ request_id }) => request_id)).toEqual(['4']);
    expect((await search.page({ last: 1 })).map(({ request_id }) => request_id)).toEqual(['4']);
  });

  it('says what it cannot find, and goes on', async () => {
    await expect(search.page({ limit: 1 })).rejects.toMatchObject({ code: 'ledger-missing' });
    add('1', 'alice@local');
    await expect(search.page({ limit: 1, after: '0199c0de-0000-7000-8000-000000000001' })).rejects.toMatchObject({ code: 'record-unknown' });
    expect(await search.page({ limit: 1 })).toHaveLength(1);
  });

  it('lets a few wait, and tells the others to come back', async () => {
    add('1', 'alice@local');
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => search.page({ limit: 1 })));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    expect(asked.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'search-busy' } });
    expect(await search.page({ limit: 1 })).toHaveLength(1);
  });

  it('ends one that takes too long, and answers the next', async () => {
    add('1', 'alice@local');
    const db = new DatabaseSync(paths.ledgerFile);
    fillLedger(db, 50_000);
    db.close();
    const hasty = createLedgerSearch({ ...paths, atMostMs: 1 });
    await expect(hasty.page({ text: 'nobody of this name', limit: 1 })).rejects.toMatchObject({ code: 'search-too-long' });
    await hasty.close();
    expect(await search.page({ limit: 1 })).toHaveLength(1);
  });
});
