// Brings the records of other nodes from the store into the local ledger.
import type { LedgerShelf, NodeHead } from '../../store/ledger-shelf.ts';
import { assertCovered, type ForeignBatch, type ForeignRow, nextEnd, refused } from '../ledger/chain/import.ts';
import { type ChainEnd, parseStatement } from '../ledger/chain/statement.ts';
import { rowOfBody } from './body.ts';
import { endOf, type LocalLedger } from './local-ledger.ts';

/** Few enough that no record of this node waits long. */
const MOST_ROWS = 500;

export interface PullerParts {
  readonly ledger: Pick<LocalLedger, 'head'>;
  readonly shelf: LedgerShelf;
  /** Adds them. Rejects with `replication-refused`, or if the ledger cannot be written. */
  readonly importRows: (batch: ForeignBatch) => Promise<void>;
  /** Of one page. Only tests set it. */
  readonly mostRows?: number | undefined;
}

/** Brings one node's chain up to its head. Rejects with `replication-refused`, or with the errors of the store and of the ledger. */
export type Pull = (from: NodeHead) => Promise<void>;

export function createPull({ ledger, shelf, importRows, mostRows = MOST_ROWS }: PullerParts): Pull {
  async function page(node: string, after: number, upTo: number): Promise<readonly ForeignRow[]> {
    const rows = await shelf.after(node, after, Math.min(mostRows, upTo - after));
    return rows.map(({ seq, body }) => rowOfBody(node, seq, body));
  }

  /** Follows the chain to its signed end before any of it is added: nobody signed the ends of the pages. Answers those ends, and the first page. */
  async function follow(start: ChainEnd | undefined, signed: ChainEnd) {
    const { node } = signed;
    const first = await page(node, start?.seq ?? 0, signed.seq);
    const ends: ChainEnd[] = [];
    let end = start ?? beginOf(signed, first);
    for (let rows = first; ; rows = await page(node, end.seq, signed.seq)) {
      if (rows.length === 0) throw refused(node, `records ${end.seq + 1} to ${signed.seq} are missing`);
      for (const row of rows) end = nextEnd(end, row);
      ends.push(end);
      if (end.seq >= signed.seq) break;
    }
    assertCovered(end, signed);
    return { first, ends };
  }

  /** The end of that chain here. Undefined: it has no record yet. */
  function endHere(node: string): ChainEnd | undefined {
    const head = ledger.head();
    const end = head === undefined ? undefined : endOf(head.statement, node);
    return end?.seq === 0 ? undefined : end;
  }

  return async (from) => {
    const { node, head, start } = from;
    const signed = signedEnd(from);
    const here = endHere(node);
    if (here !== undefined && here.seq >= signed.seq) return;
    const { first, ends } = await follow(here, signed);
    let after = (first[0]?.record.seq ?? 1) - 1;
    for (const [index, end] of ends.entries()) {
      const rows = index === 0 ? first : await page(node, after, end.seq);
      if (rows.at(-1)?.record.hash !== end.hash) throw refused(node, `record ${end.seq} changed in the store`);
      await importRows({ node, head, start, rows });
      after = end.seq;
    }
  };
}

/** How far a node's head says that its chain goes. Not checked here: the signature. */
export function signedEnd({ node, head }: Pick<NodeHead, 'node' | 'head'>): ChainEnd {
  const statement = parseStatement(head.text);
  const end = statement === undefined ? undefined : endOf(statement, node);
  if (end === undefined) throw refused(node, head.text === '' ? 'its head in the store is damaged: it is longer than any head' : 'its head cannot be read');
  return end;
}

/** The beginning of a chain that this ledger does not have yet. */
function beginOf({ node }: ChainEnd, [row]: readonly ForeignRow[]): ChainEnd {
  const seq = (row?.record.seq ?? 1) - 1;
  const hash = String(row?.record.prev_hash);
  return { node, from_seq: seq, from_hash: hash, seq, hash };
}
