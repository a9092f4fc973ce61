// The environment of a flow run, as far as it says how the run reaches the gateway: what authors may not write, and what is put there.
//
// The worker merges pool template < deployment < run, key by key in `env`; a dotted key (`env.NAME`) means the same, and gives way to the
// nested one (prefect/workers/base.py of 3.9.1). A null takes a variable away. Settings are read without regard to case, and `PREFECT_API`
// and `PREFECT_CLIENT` may hold several of them as JSON.
import { field, isBlank, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';

const HEADERS = 'PREFECT_CLIENT_CUSTOM_HEADERS';
const AUTH_STRING = 'PREFECT_API_AUTH_STRING';
const KEY = 'PREFECT_API_KEY';
const URL = 'PREFECT_API_URL';

const RESERVED: readonly string[] = [URL, KEY, AUTH_STRING, HEADERS, 'PREFECT_API', 'PREFECT_CLIENT'];

function isReserved(name: string): boolean {
  return RESERVED.includes(name.trim().toUpperCase());
}

/** Names in job variables that only gateway and worker set: nested, dotted, and where a template makes the name. `apiUrl` is what may stand there. */
export function reservedNames(jobVariables: JsonValue | undefined, apiUrl?: string): readonly string[] {
  if (!isObject(jobVariables)) return [];
  return entriesOf(jobVariables).flatMap(({ name, value }) => (isReserved(name) && !(apiUrl !== undefined && name === URL && value === apiUrl) ? [name] : []));
}

/** Of a pool's template: its own environment, and the defaults of its variables. */
export function reservedInTemplate(template: JsonValue | undefined, apiUrl?: string): readonly string[] {
  return sourcesOf(template).flatMap((source) => reservedNames(source, apiUrl));
}

/** `env` must be an object: a template in its place, or the data of a block, would hide what is in it. */
export function hidesEnv(jobVariables: JsonValue | undefined): boolean {
  if (!isObject(jobVariables)) return false;
  const env = field(jobVariables, 'env') ?? null;
  return (env !== null && !isObject(env)) || isBlockInstead(jobVariables);
}

/** All that is looked at in a template would be replaced by the data of a block. */
export function isBlockTemplate(template: JsonValue | undefined): boolean {
  return sourcesOf(template).some((source) => field(source, '$ref') !== undefined);
}

/** The worker puts the data of a block in the place of an object that names one by `$ref` (utilities/templating of 3.9.1), with all that stands beside it. */
function isBlockInstead(jobVariables: JsonObject): boolean {
  return entriesOf(jobVariables).some(({ name }) => name === '$ref');
}

export interface Injection {
  readonly token: string;
  readonly apiUrl: string;
  /** The run's own job variables. */
  readonly own: JsonValue | undefined;
  /** What the worker merges them with: of the deployment, and of the pool's template. */
  readonly deployment: JsonValue | undefined;
  readonly template: JsonValue | undefined;
}

/** The job variables with the token; undefined: this template, or an `env` that is no object, leaves no room for it. */
export function withToken({ token, apiUrl, own, deployment, template }: Injection): JsonObject | undefined {
  if (!takesEnv(template) || hidesEnv(own) || hidesEnv(deployment) || isBlockTemplate(template) || sourcesOf(template).some(isBlockInstead)) return undefined;
  const variables = isObject(own) ? own : {};
  const sources = [variables, ...(isObject(deployment) ? [deployment] : []), ...sourcesOf(template)];
  const written = sources.flatMap(entriesOf).filter(({ name }) => isReserved(name));
  const values: Readonly<Record<string, JsonValue>> = {
    [HEADERS]: JSON.stringify({ 'X-Lictor-Token': token }),
    [AUTH_STRING]: `run:${token}`,
    [KEY]: null,
    ...(written.some(({ name }) => name === URL) && { [URL]: apiUrl }),
    ...proxiesWithToken(sources, token),
  };
  const valueFor = (name: string): JsonValue => values[name] ?? null;
  const others = Object.fromEntries(written.map(({ name }) => [name, valueFor(name)]));
  // Workers that let the dotted one win find the same there.
  const dotted = Object.fromEntries(written.flatMap(({ name, key }) => (key === null ? [] : [[key, valueFor(name)]])));
  const env = field(variables, 'env');
  return { ...variables, ...dotted, env: { ...(isObject(env) ? env : {}), ...others, ...values } };
}

/** An author writes it where a client of the forward proxy has its password: the token of each run is put there. */
const TOKEN_HERE = '${LICTOR_RUN_TOKEN}';
const PROXIES = /^(?:https?|all)_proxy$/i;

/** The first source that has a variable is the one that counts. */
function proxiesWithToken(sources: readonly JsonObject[], token: string): Readonly<Record<string, JsonValue>> {
  const counting = new Map(
    sources
      .flatMap(entriesOf)
      .toReversed()
      .flatMap(({ name, value }) => (PROXIES.test(name) ? [[name, value] as const] : [])),
  );
  return Object.fromEntries(
    [...counting].flatMap(([name, value]) => (typeof value === 'string' && value.includes(TOKEN_HERE) ? [[name, value.replaceAll(TOKEN_HERE, token)]] : [])),
  );
}

/** A template whose job has no `env` of its variables drops what is put there, and so does a default that takes the place of that. */
function takesEnv(template: JsonValue | undefined): boolean {
  const [job, defaults] = sourcesOf(template).map((source) => field(source, 'env'));
  return isRoom(job) && (isBlank(defaults) || isRoom(defaults));
}

function isRoom(env: JsonValue | undefined): boolean {
  return isObject(env) || (typeof env === 'string' && /^\s*\{\{\s*env\s*\}\}\s*$/.test(env));
}

/** Whatever of the template becomes a job, as job variables look: that of the job, and the defaults of its variables. */
export function sourcesOf(template: JsonValue | undefined): readonly [job: JsonObject, defaults: JsonObject] {
  if (!isObject(template)) return [{}, {}];
  const job = field(template, 'job_configuration');
  const variables = field(template, 'variables');
  const properties = field(variables, 'properties');
  const defaults = isObject(properties)
    ? Object.fromEntries(Object.entries(properties).flatMap(([name, property]) => (isObject(property) ? [[name, field(property, 'default') ?? null]] : [])))
    : {};
  return [isObject(job) ? job : {}, defaults];
}

interface Entry {
  readonly name: string;
  /** The dotted key; null: it stands nested. */
  readonly key: string | null;
  readonly value: JsonValue;
}

function entriesOf(jobVariables: JsonObject): readonly Entry[] {
  const env = field(jobVariables, 'env');
  const nested = isObject(env) ? Object.entries(env).map(([name, value]): Entry => ({ name, key: null, value })) : [];
  // Kubernetes writes them as a list of names and values, too.
  const listed = isList(env) ? env.flatMap((item) => (isObject(item) && typeof field(item, 'name') === 'string' ? [listedEntry(item)] : [])) : [];
  const dotted = Object.entries(jobVariables).flatMap(([key, value]): Entry[] => {
    const [top = '', name] = pathOf(key);
    return name !== undefined && top.toLowerCase() === 'env' ? [{ name, key, value }] : [];
  });
  return [...nested, ...listed, ...dotted];
}

function listedEntry(item: JsonObject): Entry {
  return { name: String(field(item, 'name')), key: null, value: field(item, 'value') ?? null };
}

/** `env.NAME`, and what hangs below the name; brackets are dots to a worker (utilities/collections.py, `set_in_dict` of 3.9.1). */
export function pathOf(key: string): readonly string[] {
  return key.replaceAll('[', '.').replaceAll(']', '').split('.');
}
