// A read that every decision makes: its SQL is written once, since writing it takes longer than running it.
import type { Compilable, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** `query` has some value in each place where a call gives its own, in the order of the places. Throws TypeError when a call gives more or fewer. */
export function prepareRead<Row>(db: Kysely<Tables>, query: Compilable<Row>): (...values: readonly (string | number)[]) => Promise<readonly Row[]> {
  const compiled = query.compile();
  return async (...values) => {
    if (values.length !== compiled.parameters.length) throw new TypeError(`the query has ${compiled.parameters.length} values, not ${values.length}`);
    return (await db.executeQuery<Row>({ ...compiled, parameters: values })).rows;
  };
}
