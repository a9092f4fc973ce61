// Every way to change a ledger by hand, at random places: none goes unseen. Many more of them: test/endurance/ledger.test.ts.
import { cpSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempState } from '../lines.fixture.ts';
import { NODE, verifyStore, withChain, writeRecords } from './chain.fixture.ts';
import { createRandom, cutToEarlierHead, expectFound, headOf, type Ledgers, makeLedgers, TAMPERINGS } from './tampering.fixture.ts';

const RECORDS = 400;
const TIMES_EACH = 4;

let ledgers: Ledgers;
beforeAll(() => {
  ledgers = makeLedgers(RECORDS);
});
afterAll(() => ledgers.remove());

describe('lictor audit verify', () => {
  it('finds nothing in an unchanged ledger', () => {
    expect(ledgers.afterChange(() => undefined)).toMatchObject({ problems: [], chains: [{ records: RECORDS }] });
  });

  it.each(Object.entries(TAMPERINGS))('finds at any place, and says where: %s', { timeout: 60_000 }, (_name, tamper) => {
    const random = createRandom(20_261_125);
    for (let time = 0; time < TIMES_EACH; time += 1) {
      expectFound(ledgers.afterChange((db) => tamper(db, random, RECORDS)));
    }
  });

  it.each<[string, string, number, string]>([
    ['an edit', 'UPDATE records SET status = 1 WHERE seq = 250', 250, 'edited'],
    ['what is gone', 'DELETE FROM records WHERE seq BETWEEN 250 AND 300', 300 + 1, 'removed'],
    ['where it was cut off', 'DELETE FROM records WHERE seq > 250', 251, 'truncated'],
  ])('says where: %s', (_name, change, seq, kind) => {
    expect(ledgers.afterChange((db) => db.exec(change)).problems[0]).toMatchObject({ kind, seq, node: NODE });
  });

  it('finds a record that no search finds any more, although it is as it was', () => {
    const hidden = tempState();
    writeRecords(hidden.paths, 50);
    using db = new DatabaseSync(hidden.paths.ledgerFile, { defensive: false });
    const definition = String(db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'records_principal'").get()?.['sql']);
    const define = (sql: string): void => {
      db.exec('PRAGMA writable_schema = ON');
      db.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'records_principal'").run(sql);
      db.exec('PRAGMA writable_schema = RESET');
    };
    // An index that leaves it out, under the definition of one that does not.
    define(`${definition} WHERE seq <> 20`);
    db.exec('REINDEX records_principal');
    define(definition);
    const found = db.prepare("SELECT count(*) AS n FROM records WHERE principal = 'alice@local'").get();
    expect(found).toEqual({ n: 49 });
    db.close();
    const { problems } = verifyStore(hidden.paths);
    expect(problems[0]).toMatchObject({ kind: 'hidden', message: expect.stringContaining('index records_principal') });
    expect(new Set(problems.map(({ kind }) => kind))).toEqual(new Set(['hidden']));
    hidden.remove();
  });

  it.each([
    ['a trigger', "CREATE TRIGGER aside AFTER INSERT ON intents BEGIN UPDATE intents SET record = json_set(record, '$.principal', 'bob@local'); END"],
    ['a view', 'CREATE VIEW aside AS SELECT * FROM records'],
  ])('finds %s that was added beside the records', (_name, change) => {
    const { problems } = ledgers.afterChange((db) => db.exec(change));
    expect(problems).toMatchObject([{ kind: 'hidden', message: expect.stringContaining('aside') }]);
  });

  it.each([
    ['a list that is none', "UPDATE records SET policies = 'x' WHERE seq = 250"],
    ['a number beyond what is safe', 'UPDATE records SET bytes = 9223372036854775807 WHERE seq = 250'],
  ])('says where also for %s', (_name, change) => {
    expect(ledgers.afterChange((db) => db.exec(change)).problems[0]).toMatchObject({ kind: 'edited', seq: 250, node: NODE });
  });

  it('finds that whole signed batches are missing, by a head that is stored elsewhere', () => {
    const older = tempState();
    writeRecords(older.paths, 500);
    const early = headOf(older.paths);
    writeRecords(older.paths, 500, { startMs: Date.parse('2026-03-02T00:00:00Z') });
    const late = headOf(older.paths);
    expect(verifyStore(older.paths, { savedHeads: [early, late] }).problems).toEqual([]);
    // As if a copy of the first half had been put back: by itself it is whole.
    const back = tempState();
    cpSync(older.paths.ledgerKey, back.paths.ledgerKey);
    using db = new DatabaseSync(older.paths.ledgerFile);
    db.exec(`VACUUM INTO '${back.paths.ledgerFile}'`);
    using cut = new DatabaseSync(back.paths.ledgerFile);
    cut.exec('DELETE FROM records WHERE seq > 500; DELETE FROM checkpoints WHERE number > 1');
    cut.prepare('UPDATE head SET text = ?, signature = ?').run(early.text, early.signature);
    expect(verifyStore(back.paths).problems).toEqual([]);
    expect(verifyStore(back.paths, { savedHeads: [late] }).problems).toMatchObject([{ kind: 'truncated', seq: 501 }]);
    expect(verifyStore(back.paths, { savedHeads: [headOf(ledgers.paths)] }).problems).toMatchObject([{ kind: 'signature' }]);
    older.remove();
    back.remove();
  });

  it('finds them at any place, and says where', () => {
    const random = createRandom(7);
    for (let time = 0; time < TIMES_EACH; time += 1) expectFound(cutToEarlierHead(ledgers, random));
  });

  it('rejects a ledger that was rewritten with another key', () => {
    const forged = tempState();
    writeRecords(forged.paths, RECORDS);
    expect(verifyStore(forged.paths).problems).toEqual([]);
    cpSync(ledgers.paths.ledgerKey, forged.paths.ledgerKey);
    expect(verifyStore(forged.paths).problems.map(({ kind }) => kind)).toContain('signature');
    forged.remove();
  });

  it('accepts a ledger whose first records retention deleted', () => {
    const pruned = tempState();
    writeRecords(pruned.paths, 100);
    using db = new DatabaseSync(pruned.paths.ledgerFile);
    const hash = String(db.prepare('SELECT hash FROM records WHERE seq = 40').get()?.['hash']);
    db.exec('DELETE FROM records WHERE seq <= 40');
    expect(verifyStore(pruned.paths).problems).toMatchObject([{ kind: 'removed' }]);
    withChain(pruned.paths, (chain) => chain.moveStart(NODE, 40, hash));
    expect(verifyStore(pruned.paths)).toMatchObject({ problems: [], chains: [{ firstSeq: 41, records: 60 }] });
    pruned.remove();
  });
});
