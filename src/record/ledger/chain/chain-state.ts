// The state of the chain at its end: is the head signed by the ledger's key, and do the newest records fit it? `lictor audit verify` examines all records.
import type { DatabaseSync } from 'node:sqlite';
import type { StatePaths } from '../../../config/state-dir.ts';
import { recordOfRow, SELECT_COLUMNS } from '../columns.ts';
import { type HeadFile, headFile } from './export-file.ts';
import { hashOf } from './hash.ts';
import { openSignedChain } from './open-chain.ts';
import { type ChainEnd, isSignedBy, parseStatement } from './statement.ts';
import { storeEvidence } from './store-evidence.ts';

export interface ChainState {
  /** `unsigned`: there is no head, or it is not signed by the ledger's key. `broken`: the newest records do not fit the head. */
  readonly state: 'intact' | 'unsigned' | 'broken';
  readonly signed_at: string | null;
  /** Null: `unsigned`. */
  readonly head: HeadFile | null;
  readonly chains: readonly ChainTail[];
}

export interface ChainTail {
  readonly node: string;
  /** Numbers of the first and the last record. */
  readonly first: number;
  readonly last: number;
  /** The newest records that were examined. */
  readonly examined: number;
}

const MOST_EXAMINED = 500;

export function chainState(paths: Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>): ChainState {
  const { db, key } = openSignedChain(paths);
  using _open = db;
  const { end } = storeEvidence(db);
  const statement = end === undefined ? undefined : parseStatement(end.text);
  if (end === undefined || statement?.kind !== 'head' || key === undefined || !isSignedBy(end, key.publicKey))
    return { state: 'unsigned', signed_at: null, head: null, chains: [] };
  const tails = statement.chains.map((chain) => ({ chain, examined: fittingRecords(db, chain) }));
  return {
    state: tails.every(({ chain, examined }) => examined === expected(chain)) ? 'intact' : 'broken',
    signed_at: statement.time,
    head: headFile(end, key),
    chains: tails.map(({ chain, examined }) => ({ node: chain.node, first: chain.from_seq + 1, last: chain.seq, examined })),
  };
}

function expected({ from_seq: from, seq }: ChainEnd): number {
  return Math.min(seq - from, MOST_EXAMINED);
}

/** How many of the newest records have their own hash, and are the predecessor of the next one. */
function fittingRecords(db: DatabaseSync, chain: ChainEnd): number {
  const rows = db.prepare(`SELECT ${SELECT_COLUMNS} FROM records WHERE node = ? ORDER BY seq DESC LIMIT ?`);
  rows.setReadBigInts(true);
  let next = { seq: chain.seq + 1, hash: chain.hash };
  let count = 0;
  for (const row of rows.iterate(chain.node, expected(chain))) {
    const record = recordOfRow(row);
    if (record.seq !== next.seq - 1 || record.hash !== next.hash || hashOf(record) !== record.hash) return count;
    next = { seq: record.seq, hash: record.prev_hash ?? '' };
    count += 1;
  }
  return count;
}
