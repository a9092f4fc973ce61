// The gateway itself: policy sets, purges, restores, and the nodes with their keys, duties and ledgers.
import { bigint, bigintKey, bigintOrNull, key, onlyKey, table, text, textOrNull } from './table.ts';

export const NODE_TABLES = {
  policy_sets: table({
    revision: bigintKey(),
    /** JSON object: file name -> text. */
    files: text(),
    applied_by: text(),
    why: text(),
    created_ms: bigint(),
  }),
  cache_generations: table({
    service: key(),
    generation: bigint(),
  }),
  restores: table({
    epoch: bigintKey(),
    backup_id: text(),
    made_ms: bigint(),
    restored_ms: bigint(),
  }),
  nodes: table({
    name: key(),
    /** Of the node's state directory. */
    instance: text(),
    version: text(),
    /** Digest of the configuration in use. Nodes with different ones decide differently. */
    configuration: text(),
    started_ms: bigint(),
    seen_ms: bigint(),
  }),
  published_revision: table({
    id: onlyKey(),
    number: bigint(),
    fingerprint: text(),
  }),
  /** A key that all nodes need, sealed with the one key that an administrator copies to each node. */
  shared_keys: table({
    name: key(),
    sealed: text(),
  }),
  /** Who does work that only one node may do. */
  duties: table({
    name: key(),
    /** Grows with each new holder. Every write of a holder checks it. */
    fence: bigint(),
    holder: text(),
  }),
  /** The records of all nodes' ledgers, until every node has them and retention deletes them. */
  ledger_records: table(
    {
      node: text(),
      seq: bigint(),
      /** As in the record. */
      hash: text(),
      /** JSON: the record, and the events of Prefect that it covers. */
      body: text(),
    },
    'constraint ledger_records_key primary key (node, seq)',
  ),
  /** The last head that each node signed. The records up to it are there. */
  ledger_statements: table({
    node: key(),
    statement: text(),
    signature: text(),
    /** The head of another node, which names where this chain begins. Null: only its own node deleted records. */
    start_statement: textOrNull(),
    start_signature: textOrNull(),
  }),
  /** How far each sink has the chain of each node. */
  ledger_exports: table(
    {
      sink: text(),
      node: text(),
      seq: bigint(),
      /** Of the duty `exports` whose holder sends the chain, because its node is gone. Null: its own node sends it. */
      fence: bigintOrNull(),
    },
    'constraint ledger_exports_key primary key (sink, node)',
  ),
};
