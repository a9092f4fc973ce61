// A read for every decision. Kysely builds its SQL only once, because that takes longer than running it.
import type { Compilable, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** `query` has a placeholder value for each parameter of a call, in the same order. Throws TypeError for another number of parameters. */
export function prepareRead<Row>(db: Kysely<Tables>, query: Compilable<Row>): (...values: readonly (string | number)[]) => Promise<readonly Row[]> {
  const compiled = query.compile();
  return async (...values) => {
    if (values.length !== compiled.parameters.length) throw new TypeError(`the query has ${compiled.parameters.length} values, not ${values.length}`);
    return (await db.executeQuery<Row>({ ...compiled, parameters: values })).rows;
  };
}
