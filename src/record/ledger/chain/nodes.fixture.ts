// For tests: ledgers of several nodes with one key, and what one takes from another.
import { cpSync, rmSync } from 'node:fs';
import type { StatePaths } from '../../../config/state-dir.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { tempState } from '../lines.fixture.ts';
import { START_MS, writeRecords } from './chain.fixture.ts';
import { createChain } from './chain.ts';
import { createReadChain } from './chain-rows.ts';
import { createImport, type ForeignBatch } from './import.ts';
import { openChain } from './open-chain.ts';
import { storeEvidence } from './store-evidence.ts';

export interface Node {
  readonly name: string;
  readonly paths: StatePaths;
}

export interface Nodes {
  /** Another node with the key of the first one. */
  add(name: string, records?: number, startMs?: number): Node;
  remove(): void;
}

export function makeNodes(): Nodes {
  const made: { readonly node: Node; readonly remove: () => void }[] = [];
  return {
    add(name, records = 0, startMs = START_MS) {
      const { paths, remove } = tempState();
      const [first] = made;
      if (first !== undefined) cpSync(first.node.paths.ledgerKey, paths.ledgerKey);
      made.push({ node: { name, paths }, remove });
      writeRecords(paths, Math.max(1, records), { node: name, startMs });
      if (records === 0) rmSync(paths.ledgerFile);
      return { name, paths };
    },
    remove: () => {
      for (const { remove } of made) remove();
    },
  };
}

/** The own chain of a node, as its ledger gives it. */
export function partOf({ name, paths }: Node, after = 0, count = 10_000, node = name): ForeignBatch {
  using db = openChain(paths.ledgerFile, () => undefined);
  const head = storeEvidence(db).end;
  if (head === undefined) throw new Error('no head');
  return { node, head, start: null, rows: createReadChain(db)(node, { after, upTo: Number.MAX_SAFE_INTEGER }, count) };
}

/** One transaction of the taking node. */
export function take(node: Node, ...batches: readonly ForeignBatch[]): void {
  takeAt(START_MS, node, ...batches);
}

export function takeAt(nowMs: number, { name, paths }: Node, ...batches: readonly ForeignBatch[]): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  const chain = createChain({ db, node: name, keyFile: paths.ledgerKey, clock: () => nowMs });
  const importRows = createImport(db, chain);
  for (const batch of batches) {
    transaction(db, () => {
      try {
        importRows(batch);
      } finally {
        // As the ledger's thread does: a refused batch wrote nothing.
        chain.seal();
      }
    });
  }
}
