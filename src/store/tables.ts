// The tables of the store, in SQLite and Postgres. Times are epoch milliseconds, lists are JSON text, ids are text.
import { AGENT_TABLES } from './agent-tables.ts';
import { GRANT_TABLES } from './grant-tables.ts';
import { NODE_TABLES } from './node-tables.ts';
import { PEOPLE_TABLES } from './people-tables.ts';
import { SCIM_TABLES } from './scim-tables.ts';
import { bigint, onlyKey, type RowOf, statementsOf, table, text } from './table.ts';
import { TOKEN_TABLES } from './token-tables.ts';

/** In the order of their creation: a row refers only to rows of earlier tables. */
const TABLES = {
  change_number: table({
    id: onlyKey(),
    number: bigint(),
    reason: text(),
  }),
  ...PEOPLE_TABLES,
  ...TOKEN_TABLES,
  ...GRANT_TABLES,
  ...AGENT_TABLES,
  ...SCIM_TABLES,
  ...NODE_TABLES,
};

/** As Kysely sees them. */
export type Tables = { readonly [Name in keyof typeof TABLES]: RowOf<(typeof TABLES)[Name]> };

/** One statement each, for SQLite; postgres-schema.ts says what differs in Postgres. */
export const SCHEMA: readonly string[] = [
  ...Object.entries(TABLES).flatMap(statementsOf),
  `insert into change_number (id, number, reason) values (1, 1, 'store created')`,
];

export const SCHEMA_TABLES: readonly string[] = Object.keys(TABLES);

/** Those of a backup. The ledger of each node has all records. */
export const STORE_TABLES: readonly string[] = SCHEMA_TABLES.filter((name) => !name.startsWith('ledger_'));
