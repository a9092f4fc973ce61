// The ledgers of all nodes, for each other: a node adds its own records and its signed head, and reads those of the others.
//
// Nothing here is trusted: a reader of a record checks its chain and the signature.
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

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
  /** Its text is empty if the row has more than any node writes. */
  readonly head: SignedText;
  /** A head of another node, which deleted the beginning of this chain and names how far. Null: only its own node deleted records. */
  readonly start: SignedText | null;
}

export interface Trim {
  /** Names the chain's start, at `upTo` or later. */
  readonly start: SignedText;
  /** Of the duty `retention`. */
  readonly fence: number;
}

export interface LedgerShelf {
  /** At most `MOST_HEADS`, by name; those of nodes that were seen last. */
  heads(): Promise<readonly NodeHead[]>;
  headOf(node: string): Promise<NodeHead | undefined>;
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
  /** Deletes the beginning of a chain whose node is gone, never its last record. False: another node has the duty, and nothing was deleted. */
  trim(node: string, upTo: number, trim: Trim): Promise<boolean>;
}

export const MOST_HEADS = 200;
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

  /** Nobody but a node writes these rows, but a reader must not depend on that. */
  const bounded = (column: string) => sql<string>`case when length(${sql.ref(column)}) <= ${sql.lit(MOST_BYTES)} then ${sql.ref(column)} else '' end`;
  const statements = read
    .selectFrom('ledger_statements')
    .select('ledger_statements.node')
    .select([bounded('statement').as('statement'), bounded('signature').as('signature'), bounded('start_signature').as('start_signature')])
    .select((row) => row.case().when('start_statement', 'is', null).then(null).else(bounded('start_statement')).end().as('start_statement'));

  return {
    async heads() {
      const seen = statements.leftJoin('nodes', 'nodes.name', 'ledger_statements.node').orderBy('nodes.seen_ms', (order) => order.desc().nullsLast());
      const rows = await seen.orderBy('ledger_statements.node').limit(MOST_HEADS).execute();
      return rows.map(headOfRow).sort((a, b) => (a.node < b.node ? -1 : 1));
    },
    async headOf(node) {
      const row = await statements.where('ledger_statements.node', '=', node).executeTakeFirst();
      return row === undefined ? undefined : headOfRow(row);
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
    trim: (node, upTo, { start, fence }) =>
      database.durably(async (transaction) => {
        const duty = await transaction.selectFrom('duties').select('fence').where('name', '=', 'retention').executeTakeFirst();
        if ((duty?.fence ?? 0) !== fence) return false;
        const before = (await endIn(transaction, node))?.seq ?? 0;
        const old = transaction.deleteFrom('ledger_records').where('node', '=', node).where('seq', '<=', upTo).where('seq', '<', before);
        // Another holder of the duty may have deleted more, and its head names that.
        if ((await old.executeTakeFirst()).numDeletedRows === 0n) return true;
        const columns = { start_statement: start.text, start_signature: start.signature };
        await transaction.updateTable('ledger_statements').set(columns).where('node', '=', node).execute();
        return true;
      }),
  };
}

type StatementRow = Pick<Tables['ledger_statements'], 'node' | 'statement' | 'signature' | 'start_statement' | 'start_signature'>;

function headOfRow({ node, statement, signature, start_statement: text, start_signature: by }: StatementRow): NodeHead {
  return { node, head: { text: statement, signature }, start: text === null ? null : { text, signature: by ?? '' } };
}
