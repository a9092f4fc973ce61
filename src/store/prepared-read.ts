// Queries of every decision. Kysely builds their SQL only once, because that takes longer than running it.
import type { Compilable, CompiledQuery } from 'kysely';
import type { Database, Select } from './database.ts';

type Values = readonly (string | number)[];

/** For reads and transactions. `query` has a placeholder value for each parameter, in the same order. Throws TypeError for another number of values. */
export function prepare<Row>(query: Compilable<Row>): (run: Select, ...values: Values) => Promise<readonly Row[]> {
  const withValues = prepared(query);
  return async (run, ...values) => run(withValues(values));
}

export function prepareRead<Row>({ select }: Pick<Database, 'select'>, query: Compilable<Row>): (...values: Values) => Promise<readonly Row[]> {
  const withValues = prepared(query);
  return async (...values) => select(withValues(values));
}

function prepared<Row>(query: Compilable<Row>): (values: Values) => CompiledQuery<Row> {
  const compiled = query.compile();
  return (values) => {
    if (values.length !== compiled.parameters.length) throw new TypeError(`the query has ${compiled.parameters.length} values, not ${values.length}`);
    return { ...compiled, parameters: values };
  };
}
