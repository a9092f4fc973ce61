// One definition of a table: SQL creates it with these columns, and Kysely knows the type of each.

export interface Column<T> {
  readonly declaration: string;
  /** Only for the compiler. */
  readonly type?: T;
}

export interface Table<C extends Columns = Columns> {
  readonly columns: C;
  /** Constraints of the table, and statements that create its indexes. */
  readonly others: readonly string[];
}

type Columns = Readonly<Record<string, Column<unknown>>>;

/** A row of the table. */
export type RowOf<T> = T extends Table<infer C> ? { readonly [Name in keyof C]: C[Name] extends Column<infer Value> ? Value : never } : never;

export function table<const C extends Columns>(columns: C, ...others: readonly string[]): Table<C> {
  return { columns, others };
}

export function column<T>(declaration: string): Column<T> {
  return { declaration };
}

export const key = (): Column<string> => column('text primary key not null');
export const bigintKey = (): Column<number> => column('bigint primary key not null');
/** Of a table with one row. */
export const onlyKey = (): Column<1> => column('integer primary key not null');
export const text = <T extends string = string>(): Column<T> => column('text not null');
export const textOrNull = <T extends string = string>(): Column<T | null> => column('text');
export const bigint = (): Column<number> => column('bigint not null');
export const bigintOrNull = (): Column<number | null> => column('bigint');
export const integer = <T extends number = number>(): Column<T> => column('integer not null');
export const integerOrNull = (): Column<number | null> => column('integer');
export const reference = (to: string): Column<string> => column(`text not null references ${to} (id)`);
export const referenceOrNull = (to: string): Column<string | null> => column(`text references ${to} (id)`);

/** The table itself first, then its indexes. */
export function statementsOf([name, { columns, others }]: readonly [string, Table]): readonly string[] {
  const declarations = Object.entries(columns).map(([column, { declaration }]) => `"${column}" ${declaration}`);
  const constraints = others.filter((other) => other.startsWith('constraint '));
  return [`create table ${name} (\n    ${[...declarations, ...constraints].join(',\n    ')}\n  )`, ...others.filter((other) => other.startsWith('create '))];
}
