// Every way to change a ledger by hand, many times at random places: none goes unseen.
import { cpSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatePaths } from '../../config/state-dir.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { tempState } from '../lines.fixture.ts';
import { NODE, verifyStore, withChain, writeRecords } from './chain.fixture.ts';
import { hashOf } from './hash.ts';
import type { Report } from './report.ts';
import type { Signed } from './statement.ts';

const RECORDS = 2_000;
const TIMES = 75;

let whole: { readonly paths: StatePaths; readonly remove: () => void };
let copy: { readonly paths: StatePaths; readonly remove: () => void };
/** Kept elsewhere, of the middle and of the end. */
let kept: Signed;
beforeAll(() => {
  [whole, copy] = [tempState(), tempState()];
  // A checkpoint every ten transactions.
  writeRecords(whole.paths, RECORDS, { stepMs: 360_000 });
  kept = headOf(whole.paths);
  cpSync(whole.paths.ledgerKey, copy.paths.ledgerKey);
});
afterAll(() => {
  whole.remove();
  copy.remove();
});

function headOf({ ledgerFile }: StatePaths): Signed {
  using db = new DatabaseSync(ledgerFile);
  const row = db.prepare('SELECT text, signature FROM head').get();
  return { text: String(row?.['text']), signature: String(row?.['signature']) };
}

/** Changes a copy and looks at it. */
function afterChange(change: (db: DatabaseSync) => void, anchors: Parameters<typeof verifyStore>[1] = {}): Report {
  cpSync(whole.paths.ledgerFile, copy.paths.ledgerFile);
  using db = new DatabaseSync(copy.paths.ledgerFile);
  db.exec('BEGIN');
  change(db);
  db.exec('COMMIT');
  db.close();
  return verifyStore(copy.paths, anchors);
}

/** Small, repeatable, good enough to choose places. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Hashes anew from a record on, as somebody without the key would. */
function rechain(db: DatabaseSync, from: number): void {
  const rows = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE seq >= ? ORDER BY seq`).all(from);
  let previous = String(db.prepare('SELECT hash FROM records WHERE seq = ?').get(from - 1)?.['hash'] ?? '0'.repeat(64));
  const put = db.prepare('UPDATE records SET prev_hash = ?, hash = ? WHERE n = ?');
  for (const row of rows) {
    const hash = hashOf({ ...recordOfRow(row), prev_hash: previous });
    put.run(previous, hash, Number(row['n']));
    previous = hash;
  }
}

type Tampering = (db: DatabaseSync, random: (below: number) => number) => void;
const place = (random: (below: number) => number, margin = 0) => 1 + random(RECORDS - margin);

const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  edit(db, random) {
    const columns = [
      "principal = 'mallory@local'",
      'status = 403',
      "decision = 'allow'",
      'duration_ms = duration_ms + 0.001',
      "policies = '[]'",
      'reason = NULL',
      "time = '2026-03-01T00:00:00.000Z'",
    ];
    const changed = columns[random(columns.length)] ?? '';
    const where = `seq = ${place(random)}`;
    // A value that it has already changes nothing.
    if (
      db
        .prepare(`SELECT 1 FROM records WHERE ${where} AND ${changed.replace('reason = NULL', 'reason IS NULL').replace(/^(\w+) = (?!.*\+)/, '$1 IS ')}`)
        .get() !== undefined
    )
      db.exec(`UPDATE records SET tool = 'x' WHERE ${where}`);
    else db.exec(`UPDATE records SET ${changed} WHERE ${where}`);
  },
  'edit and hash': (db, random) => {
    const seq = place(random);
    db.exec(`UPDATE records SET principal = 'mallory@local' WHERE seq = ${seq}`);
    const row = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE seq = ${seq}`).get() ?? {};
    db.prepare('UPDATE records SET hash = ? WHERE n = ?').run(hashOf(recordOfRow(row)), Number(row['n']));
  },
  drop: (db, random) => db.exec(`DELETE FROM records WHERE seq = ${place(random)}`),
  'drop and close the gap': (db, random) => {
    const seq = place(random, 1);
    db.exec(`DELETE FROM records WHERE seq = ${seq}; UPDATE records SET seq = -seq WHERE seq > ${seq}; UPDATE records SET seq = -seq - 1 WHERE seq < 0`);
    rechain(db, seq);
  },
  insert: (db, random) => {
    const seq = place(random);
    db.exec(`UPDATE records SET seq = -seq WHERE seq >= ${seq}; UPDATE records SET seq = 1 - seq WHERE seq < 0`);
    db.exec(
      `INSERT INTO records (id, time, principal, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, 'mallory@local', '[]', '[]', 'none', node, ${seq} FROM records WHERE seq = ${seq + 1}`,
    );
    if (random(2) === 0) rechain(db, seq);
  },
  swap: (db, random) => {
    const [a, b] = [place(random), place(random)];
    const other = a === b ? (a % RECORDS) + 1 : b;
    db.exec(
      `UPDATE records SET seq = -1 WHERE seq = ${a}; UPDATE records SET seq = ${a} WHERE seq = ${other}; UPDATE records SET seq = ${other} WHERE seq = -1`,
    );
    if (random(2) === 0) rechain(db, Math.min(a, other));
  },
  'cut the end': (db, random) => db.exec(`DELETE FROM records WHERE seq > ${place(random, 1)}`),
  'cut the beginning': (db, random) => db.exec(`DELETE FROM records WHERE seq < ${1 + place(random, 1)}`),
  'write anew without the key': (db, random) => {
    const seq = place(random);
    db.exec(`UPDATE records SET principal = 'mallory@local' WHERE seq = ${seq}`);
    rechain(db, seq);
  },
  'add to the end': (db) => {
    db.exec(
      `INSERT INTO records (id, time, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, '[]', '[]', 'none', node, ${RECORDS + 1} FROM records WHERE seq = ${RECORDS}`,
    );
    rechain(db, RECORDS + 1);
  },
  'add another node': (db) => {
    db.exec(
      "INSERT INTO records (id, time, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, '[]', '[]', 'none', 'n0', 1 FROM records WHERE seq = 1",
    );
    const row = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE node = 'n0'`).get() ?? {};
    db.prepare('UPDATE records SET prev_hash = ?, hash = ? WHERE n = ?').run(
      '0'.repeat(64),
      hashOf({ ...recordOfRow(row), prev_hash: '0'.repeat(64) }),
      Number(row['n']),
    );
  },
  'drop a checkpoint': (db, random) => db.exec(`DELETE FROM checkpoints WHERE number = ${1 + random(20)}`),
  'edit a checkpoint': (db, random) => db.exec(`UPDATE checkpoints SET text = replace(text, '"seq":', '"seq":1') WHERE number = ${2 + random(19)}`),
  'put an older head in place': (db, random) => {
    const row = db.prepare('SELECT text, signature FROM checkpoints WHERE number = ?').get(2 + random(19));
    db.prepare('UPDATE head SET text = ?, signature = ?').run(String(row?.['text']), String(row?.['signature']));
  },
  'take the head away': (db) => db.exec('DELETE FROM head'),
};

describe('lictor audit verify', () => {
  it('finds nothing in what nobody touched', () => {
    expect(afterChange(() => undefined)).toMatchObject({ problems: [], chains: [{ records: RECORDS }] });
  });

  it(`finds ${TIMES} changes of ${RECORDS} records, each at its place or behind it`, { timeout: 240_000 }, () => {
    const random = createRandom(20_261_125);
    const kinds = Object.entries(TAMPERINGS);
    for (let time = 0; time < TIMES; time += 1) {
      const [name, tamper] = kinds[time % kinds.length] ?? ['', () => undefined];
      const { problems } = afterChange((db) => tamper(db, random));
      expect(problems, `${name}, the ${time}th`).not.toEqual([]);
    }
  });

  it.each<[string, string, number, string]>([
    ['an edit', 'UPDATE records SET status = 1 WHERE seq = 700', 700, 'edited'],
    ['what is gone', 'DELETE FROM records WHERE seq BETWEEN 700 AND 800', 800 + 1, 'removed'],
    ['where it was cut off', 'DELETE FROM records WHERE seq > 700', 701, 'truncated'],
  ])('says where: %s', (_name, change, seq, kind) => {
    expect(afterChange((db) => db.exec(change)).problems[0]).toMatchObject({ kind, seq, node: NODE });
  });

  it('finds that whole signed batches are gone, with a head that was kept elsewhere', () => {
    const older = tempState();
    writeRecords(older.paths, 500);
    const early = headOf(older.paths);
    writeRecords(older.paths, 500, { startMs: Date.parse('2026-03-02T00:00:00Z') });
    const late = headOf(older.paths);
    expect(verifyStore(older.paths, { kept: [early, late] }).problems).toEqual([]);
    // As if a copy of the first half had been put back: by itself it is whole.
    const back = tempState();
    cpSync(older.paths.ledgerKey, back.paths.ledgerKey);
    using db = new DatabaseSync(older.paths.ledgerFile);
    db.exec(`VACUUM INTO '${back.paths.ledgerFile}'`);
    using cut = new DatabaseSync(back.paths.ledgerFile);
    cut.exec('DELETE FROM records WHERE seq > 500; DELETE FROM checkpoints WHERE number > 1');
    cut.prepare('UPDATE head SET text = ?, signature = ?').run(early.text, early.signature);
    expect(verifyStore(back.paths).problems).toEqual([]);
    expect(verifyStore(back.paths, { kept: [late] }).problems).toMatchObject([{ kind: 'truncated', seq: 501 }]);
    expect(verifyStore(back.paths, { kept: [kept] }).problems).toMatchObject([{ kind: 'signature' }]);
    older.remove();
    back.remove();
  });

  it('is not taken in by a ledger that was written anew with another key', () => {
    const forged = tempState();
    writeRecords(forged.paths, RECORDS);
    expect(verifyStore(forged.paths).problems).toEqual([]);
    cpSync(whole.paths.ledgerKey, forged.paths.ledgerKey);
    expect(verifyStore(forged.paths).problems.map(({ kind }) => kind)).toContain('signature');
    forged.remove();
  });

  it('knows a ledger whose first records were let go by the gateway', () => {
    const pruned = tempState();
    writeRecords(pruned.paths, 100);
    using db = new DatabaseSync(pruned.paths.ledgerFile);
    const hash = String(db.prepare('SELECT hash FROM records WHERE seq = 40').get()?.['hash']);
    db.exec('DELETE FROM records WHERE seq <= 40');
    expect(verifyStore(pruned.paths).problems).toMatchObject([{ kind: 'removed' }]);
    withChain(pruned.paths, (chain) => chain.moveStart(40, hash));
    expect(verifyStore(pruned.paths)).toMatchObject({ problems: [], chains: [{ firstSeq: 41, records: 60 }] });
    pruned.remove();
  });
});
