// Chains the records of a ledger that was written before there was a chain.
import type { DatabaseSync } from 'node:sqlite';
import { addLaterColumns, recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { GENESIS, hashOf } from './hash.ts';

const PAGE = 2_000;

/** Inside a transaction. What was changed before this moment is not found by it: the first checkpoint says `adopted`. */
export function adoptRecords(db: DatabaseSync): void {
  addLaterColumns(db);
  const page = db.prepare(`SELECT n, ${SELECT_COLUMNS} FROM records WHERE node = ? AND seq > ? ORDER BY seq LIMIT ${PAGE}`);
  const put = db.prepare('UPDATE records SET prev_hash = ?, hash = ? WHERE n = ?');
  for (const { node } of db.prepare('SELECT DISTINCT node FROM records').all()) {
    let [seq, previous] = [-1, GENESIS];
    for (let rows = page.all(String(node), seq); rows.length > 0; rows = page.all(String(node), seq)) {
      for (const row of rows) {
        const hash = hashOf({ ...recordOfRow(row), prev_hash: previous });
        put.run(previous, hash, Number(row.n));
        [seq, previous] = [Number(row.seq), hash];
      }
    }
  }
}
