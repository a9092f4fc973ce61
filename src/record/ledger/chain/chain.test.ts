import { chownSync, cpSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import { CACHE_STATES } from '../../../contract/record.ts';
import { completeRecord } from '../append.ts';
import { appendRecord } from '../append-record.ts';
import { recordOfRow, rowValues } from '../columns.ts';
import { tempState } from '../lines.fixture.ts';
import { NODE, START_MS, verifyStore, withChain, writeRecords } from './chain.fixture.ts';
import { parseLine } from './export-file.ts';
import { canonicalRecord, GENESIS, hashOf } from './hash.ts';
import { nextKeyFile, readKey } from './key-file.ts';
import { openChain, openSignedChain } from './open-chain.ts';
import { storeEvidence } from './store-evidence.ts';
import { rechain } from './tampering.fixture.ts';
import { verifyLedger } from './verify.ts';

let paths: StatePaths;
let remove: () => void;
beforeEach(() => {
  ({ paths, remove } = tempState());
});
afterEach(() => remove());

function sql(statement: string): Record<string, unknown>[] {
  using db = new DatabaseSync(paths.ledgerFile);
  return db.prepare(statement).all();
}

describe('the hash of a record', () => {
  it('is over its canonical JSON (RFC 8785), for any content, and the same after reading', () => {
    // Any code points, and what is special to JavaScript. fast-check's own `binary` first makes a map of all code points for each string.
    const point = fc.integer({ min: 0, max: 0x10_ff_ff }).filter((code) => code < 0xd8_00 || code > 0xdf_ff);
    const points = fc.array(point).map((codes) => String.fromCodePoint(...codes));
    const letters = fc.oneof(points, fc.string());
    const text = fc.option(letters);
    const number = fc.option(fc.double({ noDefaultInfinity: true }));
    const texts = fc.array(letters);
    // The names in an order that is not the one of the hash.
    const grant = fc.record({ scope: text, rules: texts, role: letters, networks: texts, members: texts, expires_at: text });
    const record = fc.record({
      principal: text,
      user_agent: text,
      path: text,
      duration_ms: number,
      policies: fc.array(letters),
      status: fc.option(fc.integer()),
      cache: fc.option(fc.constantFrom(...CACHE_STATES)),
      grants: fc.option(fc.array(grant)),
      redactions: fc.option(fc.integer()),
    });
    using db = new DatabaseSync(':memory:');
    const echo = db.prepare(`SELECT ${Array.from({ length: 41 }, (_, index) => `?${index + 1} AS c${index}`).join(', ')}`);
    fc.assert(
      fc.property(record, (some) => {
        const whole = { ...completeRecord({ time: '2026-03-01T12:00:00Z', ...some }, { id: 'i', node: NODE }), seq: 1, prev_hash: GENESIS, hash: null };
        const { hash: _hash, cache, grants, redactions, ...hashed } = whole;
        const later = { ...(cache !== null && { cache }), ...(grants !== null && { grants }), ...(redactions !== null && { redactions }) };
        expect(canonicalRecord(whole)).toBe(canonicalize({ ...hashed, ...later }));
        const values = Object.values(echo.get(...rowValues(whole)) ?? {});
        const names = Object.keys(recordOfRow({}));
        const read = recordOfRow(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])));
        expect(hashOf(read)).toBe(hashOf(whole));
      }),
    );
  });
});

describe('the chain', () => {
  it('ties each record to the one before, and signs where it ends', () => {
    writeRecords(paths, 25);
    const rows = sql('SELECT seq, prev_hash, hash FROM records ORDER BY seq');
    expect(rows[0]).toMatchObject({ seq: 1, prev_hash: GENESIS });
    for (const [index, row] of rows.slice(1).entries()) expect(row['prev_hash']).toBe(rows[index]?.['hash']);
    expect(verifyStore(paths)).toMatchObject({ problems: [], checkpoints: 1, chains: [{ node: NODE, firstSeq: 1, lastSeq: 25, records: 25 }] });
    expect(statSync(paths.ledgerKey).mode & 0o777).toBe(0o600);
  });

  it('has a checkpoint every hour, without records too', () => {
    writeRecords(paths, 10);
    for (const hours of [0.5, 1, 1.5, 2]) withChain(paths, () => undefined, START_MS + hours * 3_600_000);
    expect(verifyStore(paths)).toMatchObject({ problems: [], checkpoints: 3 });
  });

  it('continues in another process, and for another node', () => {
    writeRecords(paths, 10);
    appendRecord(paths, { time: '2026-03-01T12:00:00Z', action: 'tokens.create' });
    writeRecords(paths, 7, { node: 'n2' });
    writeRecords(paths, 5, { startMs: START_MS + 5_000 });
    const { problems, chains } = verifyStore(paths);
    expect(problems).toEqual([]);
    expect(chains.map(({ node, records }) => [node, records]).filter(([node]) => node === NODE || node === 'n2')).toEqual([
      [NODE, 15],
      ['n2', 7],
    ]);
  });

  const UNSIGNED = 'DELETE FROM head; DELETE FROM checkpoints; DELETE FROM meta';

  it.each(['with the key', 'without the key'])('does not prove a ledger whose signatures were removed and whose hashes were recomputed, %s', (how) => {
    writeRecords(paths, 30);
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec(`UPDATE records SET principal = 'mallory@local' WHERE seq = 10; ${UNSIGNED}`);
    rechain(db, 1);
    if (how === 'without the key') rmSync(paths.ledgerKey);
    for (const later of [60_000, 120_000]) writeRecords(paths, 5, { startMs: START_MS + later });
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'removed', message: expect.stringContaining('every signed statement was gone') }]);
  });

  it.each<[string, string]>([
    ['its last record is gone', 'DELETE FROM records WHERE seq = 25'],
    ['its last record was edited and hashed anew', "UPDATE records SET principal = 'bob@local', hash = 'a' WHERE seq = 25"],
    [
      'one was added',
      `INSERT INTO records (id, time, on_behalf_of, policies, run_binding, node, seq, prev_hash, hash) SELECT 'x', time, '[]', '[]', 'none', node, 26, hash, 'b' FROM records WHERE seq = 25`,
    ],
    [
      'a trigger was put in that changes what is to be written',
      "CREATE TRIGGER aside AFTER INSERT ON intents BEGIN UPDATE intents SET record = json_set(record, '$.principal', 'bob@local'); END",
    ],
    ['its head was changed', `UPDATE head SET text = replace(text, '"from_seq":0', '"from_seq":9')`],
    ['its head is gone, and so would be what it says', 'DELETE FROM head; DELETE FROM records WHERE seq > 10'],
  ])('is not continued, and signs nothing, when %s', (_name, change) => {
    writeRecords(paths, 25);
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec(change);
    const before = sql('SELECT count(*) AS n FROM records');
    expect(() => writeRecords(paths, 5, { startMs: START_MS + 60_000 })).toThrowError(expect.objectContaining({ code: 'ledger-altered' }));
    expect(sql('SELECT count(*) AS n FROM records')).toEqual(before);
  });
});

describe('a stored head, and an export', () => {
  it('are of what is on the disk already: looked at first, then brought there', () => {
    writeRecords(paths, 5);
    const order: unknown[] = [];
    using _chain = openChain(paths.ledgerFile, (file) => {
      // Comes later than what is looked at.
      writeRecords(paths, 1, { startMs: START_MS + 60_000 });
      order.push(file);
    });
    expect(order).toEqual([paths.ledgerFile]);
    expect(_chain.prepare('SELECT count(*) AS n FROM records').get()).toEqual({ n: 5 });
  });
});

describe('a field that is hashed only where it has a value', () => {
  const GRANT = { role: 'worker', scope: 'work_pools=pool-a', members: ['token:ci'], rules: ['token ci'], networks: ['10.0.0.0/8'], expires_at: null };
  const FIELDS = [
    { name: 'cache', written: { service: 'billing', cache: 'hit' }, other: "'miss'", added: "'hit'" },
    { name: 'grants', written: { grants: [GRANT] }, other: "replace(grants, 'worker', 'admin')", added: "'[]'" },
  ] as const;
  const write = (written: (typeof FIELDS)[number]['written']) => appendRecord(paths, { time: '2026-03-01T12:00:09Z', action: 'token.create', ...written });

  it.each(FIELDS)('cannot be changed unseen: $name', ({ name, written, other, added }) => {
    const changes = [
      [`${name} = ${other} WHERE ${name} IS NOT NULL`, 1],
      [`${name} = NULL WHERE ${name} IS NOT NULL`, 1],
      [`${name} = ${added} WHERE seq = 10`, 1],
      [`${name} = NULL WHERE seq = 10`, 0],
    ] as const;
    writeRecords(paths, 25);
    write(written);
    for (const [change, count] of changes) {
      const before = sql(`SELECT n, ${name} FROM records`);
      sql(`UPDATE records SET ${change}`);
      expect(verifyStore(paths).problems, change).toHaveLength(count);
      using db = new DatabaseSync(paths.ledgerFile);
      for (const { n, [name]: value } of before) db.prepare(`UPDATE records SET ${name} = ? WHERE n = ?`).run(value as never, n as never);
    }
  });

  it.each(FIELDS)('may not be missing in a line of an export, nor any other, nor may one be added: $name', ({ name }) => {
    writeRecords(paths, 3);
    const whole: Record<string, unknown> = { ...recordOfRow(sql('SELECT * FROM records WHERE seq = 2')[0] as never) };
    const parsed = parseLine(JSON.stringify(whole));
    expect(parsed !== undefined && 'record' in parsed && hashOf(parsed.record)).toBe(whole['hash']);
    const { [name]: _field, ...without } = whole;
    const { tool: _tool, ...fewer } = whole;
    for (const line of [without, fewer, { ...without, more: null }, { ...whole, more: null }])
      expect(parseLine(JSON.stringify(line)), JSON.stringify(Object.keys(line))).toBeUndefined();
  });
});

describe('the key of the ledger', () => {
  it('changes with one statement of the old and one of the new, and the process that runs beside takes it up', () => {
    writeRecords(paths, 25);
    const old = verifyStore(paths).keys;
    withChain(paths, (chain) => chain.changeKey(), START_MS + 10_000)();
    writeRecords(paths, 10, { startMs: START_MS + 20_000 });
    const report = verifyStore(paths);
    expect(report).toMatchObject({ problems: [], chains: [{ records: 35 }] });
    expect(report.keys).toHaveLength(2);
    expect(report.keys[0]).toBe(old[0]);
  });

  it('is for the user of the gateway to read, also when root changes it', () => {
    writeRecords(paths, 5);
    const dir = dirname(paths.ledgerKey);
    const uid = process.geteuid?.() === 0 ? 4711 : statSync(dir).uid;
    chownSync(dir, uid, statSync(dir).gid);
    withChain(paths, (chain) => chain.changeKey(), START_MS + 10_000)();
    expect(statSync(paths.ledgerKey)).toMatchObject({ uid });
  });

  it('changes also when the process is killed before the file is in place', () => {
    writeRecords(paths, 25);
    withChain(paths, (chain) => chain.changeKey(), START_MS + 10_000); // and never finished
    writeRecords(paths, 10, { startMs: START_MS + 20_000 });
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('replaces the old key once: another writer may have done that, and started the next change', () => {
    writeRecords(paths, 25);
    const finish = withChain(paths, (chain) => chain.changeKey(), START_MS + 10_000);
    writeRecords(paths, 10, { startMs: START_MS + 20_000 });
    finish();
    const late = withChain(paths, (chain) => chain.changeKey(), START_MS + 30_000);
    const next = withChain(paths, (chain) => chain.changeKey(), START_MS + 40_000);
    late();
    expect(readKey(nextKeyFile(paths.ledgerKey))).toBeDefined();
    next();
    writeRecords(paths, 10, { startMs: START_MS + 50_000 });
    expect(verifyStore(paths).problems).toEqual([]);
  });

  it('is found by a reader during an unfinished change, and not in place of another key', () => {
    writeRecords(paths, 25);
    const finish = withChain(paths, (chain) => chain.changeKey(), START_MS + 10_000);
    const [former, changed] = [readKey(paths.ledgerKey), readKey(nextKeyFile(paths.ledgerKey))];
    const seen = () => {
      const { db, key } = openSignedChain(paths);
      using _db = db;
      return {
        key: key?.id,
        ...verifyLedger(storeEvidence(db), { publicKeys: key === undefined ? null : [key.publicKey], onlyCurrent: true, savedHeads: [] }),
      };
    };
    expect(seen()).toMatchObject({ key: changed?.id, problems: [] });
    finish();
    expect(seen()).toMatchObject({ key: changed?.id, problems: [] });
    sql(`UPDATE meta SET value = '${former?.id}' WHERE key = 'ledger_key'`);
    expect(seen()).toMatchObject({ key: changed?.id, problems: [] });
    const other = tempState();
    writeRecords(other.paths, 5);
    withKeyOf(other.paths);
    expect(seen()).toMatchObject({ key: readKey(paths.ledgerKey)?.id, problems: expect.arrayContaining([expect.objectContaining({ kind: 'signature' })]) });
    rmSync(paths.ledgerKey);
    expect(seen().key).toBeUndefined();
    other.remove();
  });

  it('is created again when it is lost, and verification reports that', () => {
    writeRecords(paths, 25);
    rmSync(paths.ledgerKey);
    writeRecords(paths, 10, { startMs: START_MS + 20_000 });
    expect(verifyStore(paths).problems).toMatchObject([{ kind: 'key-lost' }]);
  });

  it('is never that of another ledger', () => {
    writeRecords(paths, 25);
    const other = tempState();
    writeRecords(other.paths, 5);
    rmSync(paths.ledgerKey);
    withKeyOf(other.paths);
    expect(() => writeRecords(paths, 5, { startMs: START_MS + 60_000 })).toThrowError(expect.objectContaining({ code: 'ledger-key-invalid' }));
    other.remove();
  });

  function withKeyOf({ ledgerKey }: StatePaths): void {
    // The same file, as if a backup of another gateway had been restored.
    cpSync(ledgerKey, paths.ledgerKey);
  }
});
