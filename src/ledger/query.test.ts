import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../config/state-dir.ts';
import type { NewRecord } from '../contract/record.ts';
import { appendRecord } from './append-record.ts';
import { FLOW_RUN, tempState } from './lines.fixture.ts';
import { type AuditFilter, openLedgerReader } from './query.ts';

describe('ledger reader', () => {
  let paths: StatePaths;
  let remove: () => void;
  beforeEach(() => {
    const state = tempState();
    paths = state.paths;
    remove = state.remove;
  });
  afterEach(() => remove());

  const minute = (value: number) => new Date(Date.UTC(2026, 2, 1, 12, value)).toISOString();
  const add = (at: number, more: Partial<NewRecord> & { request_id: string }) => appendRecord(paths, { time: minute(at), ...more });
  async function ids(filter: AuditFilter): Promise<(string | null)[]> {
    const reader = openLedgerReader(paths.ledgerFile);
    const found: (string | null)[] = [];
    for await (const record of reader.audit(filter)) found.push(record.request_id);
    reader.close();
    return found;
  }
  function some() {
    add(3, { request_id: 'c', principal: 'bob@local', action: 'flow_runs.set_state', decision: 'deny', reason: 'policy-default-deny' });
    add(1, { request_id: 'a', principal: 'alice@local', action: 'flow_runs.create', decision: 'allow', flow_run_id: FLOW_RUN, policies: ['p', 'q'] });
    add(2, { request_id: 'b', principal: 'alice@local', action: 'flow_runsx.read', decision: 'allow' });
    add(4, { request_id: 'd', principal: 'alice@local', action: 'flows.read', decision: 'allow' });
  }

  it.each<[AuditFilter, string[]]>([
    [{}, ['a', 'b', 'c', 'd']],
    [{ principal: 'alice@local' }, ['a', 'b', 'd']],
    [{ action: 'flow_runs.*' }, ['a', 'c']],
    [{ action: 'flow_runs.create' }, ['a']],
    [{ action: 'flow_runs' }, []],
    [{ decision: 'deny' }, ['c']],
    [{ decision: 'allow' }, ['a', 'b', 'd']],
    [{ flowRun: FLOW_RUN }, ['a']],
    [{ since: minute(2), until: minute(4) }, ['b', 'c']],
    [{ last: 2 }, ['c', 'd']],
    [{ last: 9 }, ['a', 'b', 'c', 'd']],
    [{ last: 1, principal: 'bob@local' }, ['c']],
    [{ principal: "x' OR 'a'='a" }, []],
  ])('answers %j newest last', async (filter, expected) => {
    some();
    expect(await ids(filter)).toEqual(expected);
  });

  it('gives records as they were written', async () => {
    some();
    const reader = openLedgerReader(paths.ledgerFile);
    expect(await reader.forFlowRun(FLOW_RUN)).toMatchObject([
      { request_id: 'a', policies: ['p', 'q'], on_behalf_of: [], run_binding: 'none', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    reader.close();
  });

  it('reads more than a page in order, also where many records share their time', async () => {
    const expected = Array.from({ length: 1_203 }, (_, index) => `r${index}`);
    for (const id of expected.slice(0, 3)) add(1, { request_id: id });
    using writer = new DatabaseSync(paths.ledgerFile);
    writer.exec('BEGIN');
    const copy = writer.prepare(
      "INSERT INTO records (id, time, request_id, on_behalf_of, policies, run_binding, node, seq) VALUES (?, ?, ?, '[]', '[]', 'none', 'other', ?)",
    );
    for (const [index, id] of expected.slice(3).entries()) copy.run(id, minute(1), id, index + 1);
    writer.exec('COMMIT');
    expect(await ids({})).toEqual(expected);
  });

  it.each<[string, string]>([
    ["principal = 'a'", 'records_principal'],
    ["flow_run_id = 'a'", 'records_flow_run'],
    ["action >= 'a.' AND action < 'a/'", 'records_'],
    ["time >= 'a'", 'records_time'],
    ["decision = 'deny'", 'records_deny'],
  ])('has an index for %s', (condition, index) => {
    some();
    using db = new DatabaseSync(paths.ledgerFile);
    const plan = db
      .prepare(`EXPLAIN QUERY PLAN SELECT n FROM records WHERE TRUE AND ${condition} AND n <= 9 AND (time, n) > ('', 0) ORDER BY time, n LIMIT 500`)
      .all();
    expect(JSON.stringify(plan)).toContain(`INDEX ${index}`);
  });

  it('says what to do when there is no ledger', () => {
    expect(() => openLedgerReader(paths.ledgerFile)).toThrowError(
      expect.objectContaining({ code: 'ledger-missing', message: expect.stringContaining('lictor up') }),
    );
  });
});
