// Queries of every decision. Kysely builds their SQL only once, because that takes longer than running it.
import type { Compilable, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

type Values = readonly (string | number)[];

/** For a connection or a transaction. `query` has a placeholder value for each parameter, in the same order. Throws TypeError for another number of values. */
export function prepare<Row>(query: Compilable<Row>): (db: Kysely<Tables>, ...values: Values) => Promise<readonly Row[]> {
  const compiled = query.compile();
  return async (db, ...values) => {
    if (values.length !== compiled.parameters.length) throw new TypeError(`the query has ${compiled.parameters.length} values, not ${values.length}`);
    return (await db.executeQuery<Row>({ ...compiled, parameters: values })).rows;
  };
}

export function prepareRead<Row>(db: Kysely<Tables>, query: Compilable<Row>): (...values: Values) => Promise<readonly Row[]> {
  const prepared = prepare(query);
  return (...values) => prepared(db, ...values);
}
