// The environment variables of a flow run that say how the run reaches the gateway: authors may not write them, and Lictor sets them.
//
// The worker merges pool template < deployment < run, key by key in `env`. A dotted key (`env.NAME`) means the same, but the nested one takes
// precedence (prefect/workers/base.py of 3.9.1). A null removes a variable. Prefect ignores the case of settings, and reads several of them as
// JSON from `PREFECT_API` and `PREFECT_CLIENT`.
import { field, isBlank, isObject, type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';

const HEADERS = 'PREFECT_CLIENT_CUSTOM_HEADERS';
const AUTH_STRING = 'PREFECT_API_AUTH_STRING';
const KEY = 'PREFECT_API_KEY';
const URL = 'PREFECT_API_URL';

const RESERVED: readonly string[] = [URL, KEY, AUTH_STRING, HEADERS, 'PREFECT_API', 'PREFECT_CLIENT'];

function isReserved(name: string): boolean {
  return RESERVED.includes(name.trim().toUpperCase());
}

/** Names in job variables that only gateway and worker set: nested, dotted, or rendered by a template. `apiUrl`: the one value that authors may write. */
export function reservedNames(jobVariables: JsonValue | undefined, apiUrl?: string): readonly string[] {
  if (!isObject(jobVariables)) return [];
  return entriesOf(jobVariables).flatMap(({ name, value }) => (isReserved(name) && !(apiUrl !== undefined && name === URL && value === apiUrl) ? [name] : []));
}

/** The same in a pool's template: in its environment, and in the defaults of its variables. */
export function reservedInTemplate(template: JsonValue | undefined, apiUrl?: string): readonly string[] {
  return sourcesOf(template).flatMap((source) => reservedNames(source, apiUrl));
}

/** `env` must be an object: a template or the data of a block in its place would hide its contents. */
export function hidesEnv(jobVariables: JsonValue | undefined): boolean {
  if (!isObject(jobVariables)) return false;
  const env = field(jobVariables, 'env') ?? null;
  return (env !== null && !isObject(env)) || isBlockInstead(jobVariables);
}

/** True when the data of a block would replace the whole template. */
export function isBlockTemplate(template: JsonValue | undefined): boolean {
  return sourcesOf(template).some((source) => field(source, '$ref') !== undefined);
}

/** The worker replaces an object with a `$ref`, with all its other keys, by the data of that block (utilities/templating of 3.9.1). */
function isBlockInstead(jobVariables: JsonObject): boolean {
  return entriesOf(jobVariables).some(({ name }) => name === '$ref');
}

export interface Injection {
  readonly token: string;
  readonly apiUrl: string;
  /** The run's own job variables. */
  readonly own: JsonValue | undefined;
  /** The worker merges them with these of the deployment and of the pool's template. */
  readonly deployment: JsonValue | undefined;
  readonly template: JsonValue | undefined;
}

/** The job variables with the token. Undefined: the job would drop it, because of its template or of an `env` that is no object. */
export function withToken({ token, apiUrl, own, deployment, template }: Injection): JsonObject | undefined {
  if (!hasEnvPlaceholder(template) || hidesEnv(own) || hidesEnv(deployment) || isBlockTemplate(template) || sourcesOf(template).some(isBlockInstead))
    return undefined;
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
  // For workers that prefer the dotted key.
  const dotted = Object.fromEntries(written.flatMap(({ name, key }) => (key === null ? [] : [[key, valueFor(name)]])));
  const env = field(variables, 'env');
  return { ...variables, ...dotted, env: { ...(isObject(env) ? env : {}), ...others, ...values } };
}

/** Authors write it as the password of the forward proxy. Lictor replaces it by the token of each run. */
const TOKEN_PLACEHOLDER = '${LICTOR_RUN_TOKEN}';
const PROXIES = /^(?:https?|all)_proxy$/i;

/** For each variable the first source takes precedence. */
function proxiesWithToken(sources: readonly JsonObject[], token: string): Readonly<Record<string, JsonValue>> {
  const effective = new Map(
    sources
      .flatMap(entriesOf)
      .toReversed()
      .flatMap(({ name, value }) => (PROXIES.test(name) ? [[name, value] as const] : [])),
  );
  return Object.fromEntries(
    [...effective].flatMap(([name, value]) =>
      typeof value === 'string' && value.includes(TOKEN_PLACEHOLDER) ? [[name, value.replaceAll(TOKEN_PLACEHOLDER, token)]] : [],
    ),
  );
}

/** A template whose job does not use the variable `env` drops the token, and so does another default in the place of `env`. */
function hasEnvPlaceholder(template: JsonValue | undefined): boolean {
  const [job, defaults] = sourcesOf(template).map((source) => field(source, 'env'));
  return takesEnv(job) && (isBlank(defaults) || takesEnv(defaults));
}

function takesEnv(env: JsonValue | undefined): boolean {
  return isObject(env) || (typeof env === 'string' && /^\s*\{\{\s*env\s*\}\}\s*$/.test(env));
}

/** The parts of a template that become a job, in the form of job variables: the job itself, and the defaults of its variables. */
export function sourcesOf(template: JsonValue | undefined): readonly [job: JsonObject, defaults: JsonObject] {
  const job = field(template, 'job_configuration');
  const properties = field(field(template, 'variables'), 'properties');
  const defaults = Object.entries(isObject(properties) ? properties : {}).filter(([, property]) => isObject(property));
  return [isObject(job) ? job : {}, Object.fromEntries(defaults.map(([name, property]) => [name, field(property, 'default') ?? null]))];
}

interface Entry {
  readonly name: string;
  /** The dotted key; null: the name is nested in `env`. */
  readonly key: string | null;
  readonly value: JsonValue;
}

function entriesOf(jobVariables: JsonObject): readonly Entry[] {
  const env = field(jobVariables, 'env');
  const nested = isObject(env) ? Object.entries(env).map(([name, value]): Entry => ({ name, key: null, value })) : [];
  // Kubernetes also writes them as a list of names and values.
  const listed = objectsIn(env).flatMap((item): Entry[] => {
    const name = field(item, 'name');
    return typeof name === 'string' ? [{ name, key: null, value: field(item, 'value') ?? null }] : [];
  });
  const dotted = Object.entries(jobVariables).flatMap(([key, value]): Entry[] => {
    const [top = '', name] = pathOf(key);
    return name !== undefined && top.toLowerCase() === 'env' ? [{ name, key, value }] : [];
  });
  return [...nested, ...listed, ...dotted];
}

/** The path of `env.NAME`, with further parts below the name. Workers read brackets as dots (utilities/collections.py, `set_in_dict` of 3.9.1). */
export function pathOf(key: string): readonly string[] {
  return key.replaceAll('[', '.').replaceAll(']', '').split('.');
}
