// The ledgers of all nodes, for each other: a node adds its own records and its signed head, and reads those of the others.
//
// Nothing here is trusted: a reader of a record checks its chain and the signature.
import { sql } from 'kysely';
import type { Database } from './database.ts';

export interface ShelfRow {
  readonly seq: number;
  readonly hash: string;
  readonly body: string;
}

export interface SignedText {
  readonly text: string;
  readonly signature: string;
}

export interface NodeHead {
  readonly node: string;
  readonly head: SignedText;
}

export interface LedgerShelf {
  heads(): Promise<readonly NodeHead[]>;
  /** The last record of a node. Undefined: none is here. */
  endOf(node: string): Promise<Pick<ShelfRow, 'seq' | 'hash'> | undefined>;
  /**
   * Adds records, and the head that covers them if they are the last ones. Durable when it resolves. False: they do not follow the last record here, for
   * example after a failover, and nothing was added.
   */
  append(node: string, rows: readonly ShelfRow[], head: SignedText | null): Promise<boolean>;
  /** The next records, in their order: at most `count` of them, and one or about one MiB. */
  after(node: string, seq: number, count: number): Promise<readonly ShelfRow[]>;
  removeUpTo(node: string, seq: number): Promise<void>;
  removeAfter(node: string, seq: number): Promise<void>;
}

const MOST_BYTES = 1 << 20;

export function createLedgerShelf(database: Database): LedgerShelf {
  const { read } = database;
  const endIn = (db: Pick<Database['read'], 'selectFrom'>, node: string) =>
    db.selectFrom('ledger_records').select(['seq', 'hash']).where('node', '=', node).orderBy('seq', 'desc').limit(1).executeTakeFirst();

  /** The number of the last record that fits into one answer. Undefined: there is none. */
  async function lastWithin(node: string, seq: number, count: number): Promise<number | undefined> {
    const sizes = read.selectFrom('ledger_records').select(['seq', sql<number>`length(body)`.as('size')]);
    const rows = await sizes.where('node', '=', node).where('seq', '>', seq).orderBy('seq').limit(count).execute();
    let bytes = 0;
    const fitting = rows.filter(({ size }, index) => {
      bytes += size;
      return index === 0 || bytes <= MOST_BYTES;
    });
    return fitting.at(-1)?.seq;
  }

  return {
    async heads() {
      const rows = await read.selectFrom('ledger_statements').selectAll().orderBy('node').execute();
      return rows.map(({ node, statement, signature }) => ({ node, head: { text: statement, signature } }));
    },
    endOf: (node) => endIn(read, node),
    append: (node, rows, head) =>
      database.durably(async (transaction) => {
        const end = await endIn(transaction, node);
        const [first] = rows;
        if (first !== undefined && end !== undefined && end.seq !== first.seq - 1) return false;
        if (rows.length > 0) {
          const values = rows.map(({ seq, hash, body }) => ({ node, seq, hash, body }));
          await transaction.insertInto('ledger_records').values(values).execute();
        }
        if (head === null) return true;
        const signed = { statement: head.text, signature: head.signature };
        const insert = transaction.insertInto('ledger_statements').values({ node, ...signed });
        await insert.onConflict((conflict) => conflict.column('node').doUpdateSet(signed)).execute();
        return true;
      }),
    async after(node, seq, count) {
      const last = await lastWithin(node, seq, count);
      if (last === undefined) return [];
      const rows = read.selectFrom('ledger_records').select(['seq', 'hash', 'body']).where('node', '=', node);
      return await rows.where('seq', '>', seq).where('seq', '<=', last).orderBy('seq').execute();
    },
    removeUpTo: (node, seq) =>
      database.write(async (transaction) => {
        await transaction.deleteFrom('ledger_records').where('node', '=', node).where('seq', '<=', seq).execute();
      }),
    removeAfter: (node, seq) =>
      database.durably(async (transaction) => {
        await transaction.deleteFrom('ledger_records').where('node', '=', node).where('seq', '>', seq).execute();
      }),
  };
}
