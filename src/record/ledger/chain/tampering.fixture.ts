// For tests: every way to change a ledger by hand.
import { cpSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import type { StatePaths } from '../../../config/state-dir.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { tempState } from '../lines.fixture.ts';
import { START_MS, verifyStore, writeRecords } from './chain.fixture.ts';
import type { Anchors } from './evidence.ts';
import { GENESIS, hashOf } from './hash.ts';
import type { Report } from './report.ts';
import { parseStatement, type Signed } from './statement.ts';

export interface Ledgers {
  readonly records: number;
  readonly paths: StatePaths;
  /** Heads from twenty moments, oldest first. The last one is the current head. */
  readonly heads: readonly Signed[];
  /** Changes a copy and verifies it. */
  afterChange(change: (db: DatabaseSync) => void, anchors?: Partial<Anchors>): Examined;
  remove(): void;
}

const PARTS = 20;

export interface Examined extends Report {
  /** The number of the first changed record. Null: none is changed. */
  readonly first: number | null;
  /** If the records after it are rewritten too, verification finds the change at the next signed statement. */
  readonly until: number;
}

/** A ledger with about twenty checkpoints, and a copy to change. */
export function makeLedgers(records: number): Ledgers {
  const [whole, copy] = [tempState(), tempState()];
  const stepMs = (PARTS * 3_600_000 * 10) / records;
  const heads = Array.from({ length: PARTS }, (_, part) => {
    writeRecords(whole.paths, records / PARTS, { stepMs, startMs: START_MS + part * 3_600_000 });
    return headOf(whole.paths);
  });
  cpSync(whole.paths.ledgerKey, copy.paths.ledgerKey, { force: true });
  return {
    records,
    paths: whole.paths,
    heads,
    afterChange(change, anchors = {}) {
      cpSync(whole.paths.ledgerFile, copy.paths.ledgerFile);
      using db = new DatabaseSync(copy.paths.ledgerFile);
      db.exec('BEGIN');
      change(db);
      db.exec('COMMIT');
      const place = whatChanged(db, whole.paths.ledgerFile, records);
      db.close();
      return { ...verifyStore(copy.paths, anchors), ...place };
    },
    remove() {
      whole.remove();
      copy.remove();
    },
  };
}

function whatChanged(db: DatabaseSync, original: string, records: number): Pick<Examined, 'first' | 'until'> {
  db.exec(`ATTACH '${original}' AS original`);
  const only = (one: string, other: string) =>
    `SELECT * FROM (SELECT ${SELECT_COLUMNS} FROM ${one}.records EXCEPT SELECT ${SELECT_COLUMNS} FROM ${other}.records)`;
  const first = db.prepare(`SELECT min(seq) AS seq FROM (${only('main', 'original')} UNION ALL ${only('original', 'main')})`).get()?.['seq'];
  const signed = db
    .prepare('SELECT text FROM original.checkpoints')
    .all()
    .flatMap((row) => parseStatement(String(row['text']))?.chains ?? []);
  const later = signed.map(({ seq }) => seq).filter((seq) => seq >= Number(first ?? 0));
  return { first: typeof first === 'number' ? first : null, until: Math.min(records, ...later) + 1 };
}

/** The place in the first problem: a gap begins with the first missing record. Null: the problem concerns a signed statement, which the message names. */
function placeOf({ problems: [problem] }: Report): number | null {
  const gone = problem?.kind === 'removed' ? /^records? (\d+)/.exec(problem.message)?.[1] : undefined;
  return gone === undefined ? (problem?.seq ?? null) : Number(gone);
}

/** The change is found, and the first problem has its place. */
export function expectFound(examined: Examined, what = ''): void {
  const { problems, first, until } = examined;
  expect(problems, what).not.toEqual([]);
  const place = placeOf(examined);
  if (first === null) expect(problems[0]?.message, what).toMatch(/checkpoint|head/);
  else
    expect(
      place !== null && place >= first && place <= until,
      `${what}: changed from ${first} on, next signed ${until - 1}, reported ${place}: ${problems[0]?.message}`,
    ).toBe(true);
}

export function headOf({ ledgerFile }: StatePaths): Signed {
  using db = new DatabaseSync(ledgerFile);
  const row = db.prepare('SELECT text, signature FROM head').get();
  return { text: String(row?.['text']), signature: String(row?.['signature']) };
}

export type Random = (below: number) => number;
export type Tampering = (db: DatabaseSync, random: Random, records: number) => void;

/** Small and repeatable: good enough to choose places. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Recomputes hashes from a record on, as an attacker without the key would. */
export function rechain(db: DatabaseSync, from: number): void {
  const rows = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE seq >= ? ORDER BY seq`).all(from);
  let previous = String(db.prepare('SELECT hash FROM records WHERE seq = ?').get(from - 1)?.['hash'] ?? GENESIS);
  const put = db.prepare('UPDATE records SET prev_hash = ?, hash = ? WHERE n = ?');
  for (const row of rows) {
    const hash = hashOf({ ...recordOfRow(row), prev_hash: previous });
    put.run(previous, hash, Number(row['n']));
    previous = hash;
  }
}

/** Restores an earlier head, and deletes records and checkpoints after it. Only a head that is stored elsewhere shows this. */
export function cutToEarlierHead({ heads, afterChange }: Ledgers, random: Random): Examined {
  const earlier = heads[random(heads.length - 1)];
  const statement = parseStatement(earlier?.text ?? '');
  const cut = (db: DatabaseSync): void => {
    db.exec(`DELETE FROM records WHERE seq > ${statement?.chains[0]?.seq ?? 0}; DELETE FROM checkpoints WHERE number > ${statement?.checkpoints ?? 0}`);
    db.prepare('UPDATE head SET text = ?, signature = ?').run(earlier?.text ?? '', earlier?.signature ?? '');
  };
  expect(afterChange(cut).problems).toEqual([]);
  return afterChange(cut, { savedHeads: heads.slice(-1) });
}

const place = (random: Random, records: number, margin = 0) => 1 + random(records - margin);

export const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  edit(db, random, records) {
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
    const where = `seq = ${place(random, records)}`;
    // An unchanged value would be no change.
    if (
      db
        .prepare(`SELECT 1 FROM records WHERE ${where} AND ${changed.replace('reason = NULL', 'reason IS NULL').replace(/^(\w+) = (?!.*\+)/, '$1 IS ')}`)
        .get() !== undefined
    )
      db.exec(`UPDATE records SET tool = 'x' WHERE ${where}`);
    else db.exec(`UPDATE records SET ${changed} WHERE ${where}`);
  },
  'edit and hash': (db, random, records) => {
    const seq = place(random, records);
    db.exec(`UPDATE records SET principal = 'mallory@local' WHERE seq = ${seq}`);
    const row = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE seq = ${seq}`).get() ?? {};
    db.prepare('UPDATE records SET hash = ? WHERE n = ?').run(hashOf(recordOfRow(row)), Number(row['n']));
  },
  drop: (db, random, records) => db.exec(`DELETE FROM records WHERE seq = ${place(random, records)}`),
  'drop and close the gap': (db, random, records) => {
    const seq = place(random, records, 1);
    db.exec(`DELETE FROM records WHERE seq = ${seq}; UPDATE records SET seq = -seq WHERE seq > ${seq}; UPDATE records SET seq = -seq - 1 WHERE seq < 0`);
    rechain(db, seq);
  },
  insert: (db, random, records) => {
    const seq = place(random, records);
    db.exec(`UPDATE records SET seq = -seq WHERE seq >= ${seq}; UPDATE records SET seq = 1 - seq WHERE seq < 0`);
    db.exec(
      `INSERT INTO records (id, time, principal, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, 'mallory@local', '[]', '[]', 'none', node, ${seq} FROM records WHERE seq = ${seq + 1}`,
    );
    if (random(2) === 0) rechain(db, seq);
  },
  swap: (db, random, records) => {
    const [a, b] = [place(random, records), place(random, records)];
    const other = a === b ? (a % records) + 1 : b;
    db.exec(
      `UPDATE records SET seq = -1 WHERE seq = ${a}; UPDATE records SET seq = ${a} WHERE seq = ${other}; UPDATE records SET seq = ${other} WHERE seq = -1`,
    );
    if (random(2) === 0) rechain(db, Math.min(a, other));
  },
  'cut the end': (db, random, records) => db.exec(`DELETE FROM records WHERE seq > ${place(random, records, 1)}`),
  'cut the beginning': (db, random, records) => db.exec(`DELETE FROM records WHERE seq < ${1 + place(random, records, 1)}`),
  'write anew without the key': (db, random, records) => {
    const seq = place(random, records);
    db.exec(`UPDATE records SET principal = 'mallory@local' WHERE seq = ${seq}`);
    rechain(db, seq);
  },
  'add to the end': (db, _random, records) => {
    db.exec(
      `INSERT INTO records (id, time, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, '[]', '[]', 'none', node, ${records + 1} FROM records WHERE seq = ${records}`,
    );
    rechain(db, records + 1);
  },
  'add another node': (db) => {
    db.exec(
      "INSERT INTO records (id, time, on_behalf_of, policies, run_binding, node, seq) SELECT 'put-in', time, '[]', '[]', 'none', 'n0', 1 FROM records WHERE seq = 1",
    );
    const row = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE node = 'n0'`).get() ?? {};
    db.prepare('UPDATE records SET prev_hash = ?, hash = ? WHERE n = ?').run(GENESIS, hashOf({ ...recordOfRow(row), prev_hash: GENESIS }), Number(row['n']));
  },
  'drop a checkpoint': (db, random) => db.exec(`DELETE FROM checkpoints WHERE number = ${1 + random(20)}`),
  'edit a checkpoint': (db, random) => db.exec(`UPDATE checkpoints SET text = replace(text, '"seq":', '"seq":1') WHERE number = ${2 + random(19)}`),
  'put an older head in place': (db, random) => {
    const row = db.prepare('SELECT text, signature FROM checkpoints WHERE number = ?').get(2 + random(19));
    db.prepare('UPDATE head SET text = ?, signature = ?').run(String(row?.['text']), String(row?.['signature']));
  },
  'take the head away': (db) => db.exec('DELETE FROM head'),
};
