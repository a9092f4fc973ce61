// What replication reads of this node's ledger, on a separate read-only connection. No transaction stays open.
import { DatabaseSync } from 'node:sqlite';
import { createReadChain, type ReadChain } from '../ledger/chain/chain-rows.ts';
import { type ChainEnd, type Head, isSignedBy, parseStatement, type Signed } from '../ledger/chain/statement.ts';

export interface LocalLedger {
  /** Undefined: nothing is signed yet. */
  head(): { readonly signed: Signed; readonly statement: Head } | undefined;
  /** By the key that signs here. */
  isSigned(head: Signed): boolean;
  readonly rows: ReadChain;
  /** Undefined: there is no such record (any more). */
  record(node: string, seq: number): { readonly hash: string; readonly time: string } | undefined;
  close(): void;
}

const BUSY_MS = 5_000;

/** Throws the error of SQLite, for example when there is no ledger yet. */
export function openLocalLedger(file: string): LocalLedger {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
  const head = db.prepare('SELECT text, signature FROM head');
  const checkpoint = db.prepare('SELECT text FROM checkpoints ORDER BY number DESC LIMIT 1');
  const one = db.prepare('SELECT hash, time FROM records WHERE node = ? AND seq = ?');
  return {
    head() {
      const row = head.get();
      const statement = parseStatement(String(row?.['text']));
      return statement?.kind === 'head' ? { signed: { text: String(row?.['text']), signature: String(row?.['signature']) }, statement } : undefined;
    },
    isSigned(signed) {
      const row = checkpoint.get();
      const statement = parseStatement(String(row?.['text']));
      return statement?.kind === 'checkpoint' && isSignedBy(signed, statement.public_key);
    },
    rows: createReadChain(db),
    record(node, seq) {
      const row = one.get(node, seq);
      return row === undefined ? undefined : { hash: String(row['hash']), time: String(row['time']) };
    },
    close: () => db.close(),
  };
}

export function endOf({ chains }: Pick<Head, 'chains'>, node: string): ChainEnd | undefined {
  return chains.find((chain) => chain.node === node);
}
