// Which actions each principal was allowed in a period: for rights that nobody used.
import { openToRead } from './open-to-read.ts';

export interface AllowedUse {
  readonly principal: string;
  readonly action: string;
  readonly requests: number;
  /** Of the latest request. RFC 3339. */
  readonly last: string;
}

/** `+`: the period is most of the ledger, so SQLite reads it in order, without an index of decisions. */
const SQL = `SELECT principal, action, count(*) AS requests, max(time) AS last FROM records
  WHERE time >= ? AND principal IS NOT NULL AND action IS NOT NULL AND +decision = 'allow' GROUP BY principal, action LIMIT ?`;

/** One row for each principal and action. Reads the whole period. Throws as `openLedgerReader`. `since`: RFC 3339 in UTC with milliseconds. */
export function allowedUses(file: string, since: string, most: number): readonly AllowedUse[] {
  const db = openToRead(file);
  try {
    const rows = db.prepare(SQL).all(since, most);
    return rows.map(({ principal, action, requests, last }) => ({
      principal: String(principal),
      action: String(action),
      requests: Number(requests),
      last: String(last),
    }));
  } finally {
    db.close();
  }
}
