// Every test of every filter of Prefect's lists, as its own OpenAPI has them, with values of another team and with values of nobody.
import { field } from './prefect.ts';
import type { Team } from './teams.ts';

export interface Question {
  readonly path: string;
  /** `flow_runs.state.type.any_` */
  readonly name: string;
  /** What it is about: `flow_runs.state`, `filter.related.id`. */
  readonly field: string;
  /** The same question by what the other team has, and by what nobody has. */
  readonly foreign: unknown;
  readonly nobody: unknown;
}

/** What is guessed: ids and texts of the other team. */
export interface Guesses {
  readonly team: Team;
  /** More texts that no answer shows. */
  readonly texts: readonly string[];
  readonly since: string;
  readonly until: string;
}

/** A JSON schema, as far as it is read here. */
type Schema = Readonly<Record<string, unknown>>;

const LISTS = /\/(filter|count|paginate|history|lateness|counts|count-by\/\{countable\})$/;
/** No list that a scope narrows: refused, shared by all, or of one pool or run that is covered as a whole. */
const OTHERS = ['/task_workers/filter', '/block_types/filter', '/block_schemas/filter', '/flow_runs/{id}/input/filter'];
const NOBODY = '0b5e0000-0000-4000-8000-00000000ab5e';
const NOBODYS_TEXT = 'znt0-nobody';

export function questionsOf(openapi: unknown, guesses: Guesses): readonly Question[] {
  const schemas = asSchema(field(asSchema(openapi)['components'], 'schemas'));
  const resolve = (schema: Schema): Schema => resolved(schema, schemas);
  return Object.entries(asSchema(asSchema(openapi)['paths'])).flatMap(([path, methods]) => {
    const post = asSchema(methods)['post'];
    if (post === undefined || !('requestBody' in asSchema(post)) || !LISTS.test(path) || OTHERS.includes(path) || path.startsWith('/work_pools/{')) return [];
    const content = asSchema(asSchema(asSchema(post)['requestBody'])['content'])['application/json'];
    const body = resolve(asSchema(asSchema(content)['schema']));
    // The dashboard answers 500 to filters of pools and queues (3.9.1).
    const isTaken = (key: string) => !path.endsWith('/dashboard/counts') || !key.startsWith('work_');
    const filters = Object.entries(propertiesOf(body)).filter(
      ([key, schema]) => isTaken(key) && Object.keys(propertiesOf(resolve(asSchema(schema)))).length > 0,
    );
    return filters.flatMap(([key, schema]) => testsOf(resolve(asSchema(schema)), [key], resolve).map((test) => question(path, test, guesses)));
  });
}

/** One question of each field, its tests and routes by turns: together they go round all routes. */
export function byTurns(questions: readonly Question[]): readonly Question[] {
  const fields = [...new Set(questions.map((each) => each.field))];
  return fields.flatMap((name, turn) => {
    const same = questions.filter((each) => each.field === name);
    return same.slice(turn % same.length).slice(0, 1);
  });
}

interface Test {
  readonly way: readonly string[];
  readonly schema: Schema;
}

function testsOf(schema: Schema, way: readonly string[], resolve: (schema: Schema) => Schema): readonly Test[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, inner]): readonly Test[] => {
    const found = resolve(asSchema(inner));
    if (name === 'operator') return [];
    return Object.keys(propertiesOf(found)).length > 0 ? testsOf(found, [...way, name], resolve) : [{ way: [...way, name], schema: found }];
  });
}

function question(path: string, { way, schema }: Test, guesses: Guesses): Question {
  const asked = (value: unknown) => {
    const filter = way.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    return bodyOf(path, asSchema(filter), guesses);
  };
  const [foreign, nobody] = valuesOf(way, schema, guesses);
  const about = way.slice(0, way[0] === 'filter' ? 3 : 2).join('.');
  return { path: path.replace('{countable}', 'event'), name: way.join('.'), field: about, foreign: asked(foreign), nobody: asked(nobody) };
}

/** What a route asks for besides: times that are the same each time. */
function bodyOf(path: string, filter: Schema, { since, until }: Guesses): unknown {
  if (path.startsWith('/events/')) return { filter: { occurred: { since, until }, ...asSchema(filter['filter']) } };
  const isHistory = path.endsWith('/history') && !path.startsWith('/ui/');
  // It needs a start, and counts until now unless it gets an end.
  const isDashboard = path.endsWith('/dashboard/counts');
  const tasks = asSchema(filter['task_runs'] ?? {});
  const dashboard = { task_runs: { ...tasks, start_time: { after_: since, before_: until, ...asSchema(tasks['start_time'] ?? {}) } } };
  return { ...filter, ...(isDashboard && dashboard), ...(isHistory && { history_start: since, history_end: until, history_interval_seconds: 600 }) };
}

function valuesOf(way: readonly string[], schema: Schema, { team, texts, since }: Guesses): readonly [unknown, unknown] {
  const ids = Object.values(team).filter((value): value is string => typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value));
  const words = [team.tag, team.pool, team.queue, team.flowName, team.deploymentName, `${team.mark}-done`, `${team.mark}-automation`, ...texts];
  const item = asSchema(schema['items'] ?? {});
  const [last] = way.slice(-1);
  if (last === 'labels') return [{ 'prefect.resource.name': [`${team.mark}*`, ...texts] }, { 'prefect.resource.name': [`${NOBODYS_TEXT}*`] }];
  if (last === 'resources_in_roles') return [[[`prefect.automation.${team.automation}`, 'creator']], [[`prefect.automation.${NOBODY}`, 'creator']]];
  if (last === 'id_prefix') return [[`prefect.automation.${team.automation.slice(0, 8)}`, `${team.mark}.`], [`prefect.automation.${NOBODY.slice(0, 8)}`]];
  if (way[0] === 'filter' && last === 'id' && item['format'] !== 'uuid') return [resourceIds(team), [`prefect.automation.${NOBODY}`]];
  if (schema['enum'] !== undefined) return [asList(schema['enum'])[0], asList(schema['enum'])[0]];
  if (item['enum'] !== undefined) return [asList(item['enum']), asList(item['enum'])];
  if (schema['type'] === 'boolean') return [true, true];
  if (schema['type'] === 'integer') return [1, 1];
  if (schema['format'] === 'date-time') return [since, since];
  if (schema['type'] === 'array') return item['format'] === 'uuid' ? [ids, [NOBODY]] : [words, [NOBODYS_TEXT]];
  return [team.mark, NOBODYS_TEXT];
}

function resourceIds(team: Team): readonly string[] {
  const kinds = { automation: team.automation, 'flow-run': team.finishedRun, deployment: team.deployment, flow: team.flow, 'task-run': team.taskRun };
  return [...Object.entries(kinds).map(([kind, id]) => `prefect.${kind}.${id}`), `prefect.tag.${team.tag}`];
}

/** References followed, and of alternatives the first that is no null. */
function resolved(schema: Schema, schemas: Schema): Schema {
  const ref = schema['$ref'];
  if (typeof ref === 'string') return resolved(asSchema(schemas[ref.split('/').at(-1) ?? '']), schemas);
  const options = [...asList(schema['anyOf'] ?? []), ...asList(schema['allOf'] ?? [])].map(asSchema).filter(({ type }) => type !== 'null');
  const [first] = options;
  if (first !== undefined) return resolved(first, schemas);
  return schema['type'] === 'array' ? { ...schema, items: resolved(asSchema(schema['items'] ?? {}), schemas) } : schema;
}

function propertiesOf(schema: Schema): Schema {
  return asSchema(schema['properties'] ?? {});
}

function asSchema(value: unknown): Schema {
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value));
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value;
}
