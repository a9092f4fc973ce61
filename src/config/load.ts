// Reads lictor.yaml: text -> Config, or every problem at once.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildConfig } from './build.ts';
import type { Config } from './config.ts';
import { type Environment, expandEnvironment, hasReference, isRecord } from './expand.ts';
import { reportNotBuilt } from './not-built.ts';
import type { Problem } from './problem.ts';
import { createProblemList, type Keys, type ProblemList } from './report.ts';
import { configSchema, sectionsSchema, type WireSections } from './schema/index.ts';
import { reportIssues } from './schema/problems.ts';
import { parseYaml } from './yaml-file.ts';

export type { Problem } from './problem.ts';
export type { Environment };

export interface LoadOptions {
  /** Relative store paths are below it. */
  readonly stateDir: string;
  /** `skip` for commands that need no secret of the gateway's, so that they work in a shell that has none. Default: read. */
  readonly secrets?: 'read' | 'skip';
  /** Relative paths in the file are below it. Default: the file's own directory. */
  readonly baseDir?: string;
}

export type LoadResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws for what is in the file, nor for a missing file: that is a problem too. */
export function loadConfig(file: string, env: Environment, options: LoadOptions): LoadResult {
  const text = readText(file);
  if (text === undefined) {
    return {
      ok: false,
      problems: [
        { path: '', message: 'the file cannot be read', remedy: 'Create it (lictor.yaml in the repository is an example), or name another with -c FILE.' },
      ],
    };
  }
  const yaml = parseYaml(text);
  if (!yaml.ok) return yaml;
  const problems = createProblemList(yaml.lineOf);
  const secrets = options.secrets ?? 'read';
  checkSecretsAreReferences(yaml.data, problems);
  const data = expandEnvironment(yaml.data, env, problems.report, (keys) => secrets === 'skip' && isSecret(keys));
  reportNotBuilt(data, problems.report);
  const { sections, numbers } = validate(data, problems);
  const config = buildConfig(sections, renumbered(problems, numbers), {
    baseDir: options.baseDir ?? dirname(resolve(file)),
    stateDir: resolve(options.stateDir),
    secrets,
  });
  return config === undefined ? { ok: false, problems: problems.all() } : { ok: true, config };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

interface Sound {
  readonly sections: WireSections;
  /** Of lists from which broken items were taken: the number in the file of each that is left. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
}

/** What is sound of the file; what is wrong with the rest has been reported. */
function validate(data: unknown, problems: ProblemList): Sound {
  const whole = configSchema.safeParse(data);
  if (!whole.success) reportIssues(whole.error.issues, (keys) => valueAt(data, keys), problems.report);
  const pruned = isRecord(data) ? withoutPlaces(data, problems.places()) : {};
  const parsed = sectionsSchema.safeParse(pruned);
  if (parsed.success) return { sections: parsed.data, numbers: new Map() };
  const { rest, numbers } = withoutBroken(
    pruned,
    parsed.error.issues.map(({ path }) => path),
  );
  const again = sectionsSchema.safeParse(rest);
  return again.success ? { sections: again.data, numbers } : { sections: {}, numbers: new Map() };
}

/** Broken sections are left out; of a list only its broken items. */
function withoutBroken(data: Record<string, unknown>, places: readonly Keys[]) {
  const numbers = new Map<string, readonly number[]>();
  const rest = Object.entries(data).flatMap(([key, value]): [string, unknown][] => {
    const within = places.filter(([first]) => first === key).map(([, second]) => second);
    if (within.length === 0) return [[key, value]];
    if (!Array.isArray(value) || within.some((item) => typeof item !== 'number')) return [];
    const sound = value.map((_, index) => index).filter((index) => !within.includes(index));
    numbers.set(key, sound);
    return [[key, sound.map((index): unknown => value[index])]];
  });
  return { rest: Object.fromEntries(rest), numbers };
}

/** Places in shortened lists are told as they are in the file. */
function renumbered(problems: ProblemList, numbers: Sound['numbers']): ProblemList {
  const inFile = ([section, item, ...deeper]: Keys): Keys => {
    if (section === undefined) return [];
    const number = typeof item === 'number' ? numbers.get(String(section))?.[item] : undefined;
    return item === undefined ? [section] : [section, number ?? item, ...deeper];
  };
  return {
    ...problems,
    report: (keys, message, remedy) => problems.report(inFile(keys), message, remedy),
    concerns: (keys) => problems.concerns(inFile(keys)),
  };
}

/** A copy without the named keys. Items of lists stay, because the others must keep their numbers. */
function withoutPlaces(data: Record<string, unknown>, places: readonly Keys[]): Record<string, unknown> {
  const copy = structuredClone(data);
  for (const keys of places) {
    const parent = valueAt(copy, keys.slice(0, -1));
    const last = keys.at(-1);
    if (isRecord(parent) && typeof last === 'string') delete parent[last];
  }
  return copy;
}

function valueAt(data: unknown, keys: Keys): unknown {
  let value = data;
  for (const key of keys) {
    if (typeof key === 'number' && Array.isArray(value)) value = value[key];
    else if (isRecord(value) && Object.hasOwn(value, key)) value = value[String(key)];
    else return undefined;
  }
  return value;
}

/** Below `services.N.inject`. */
const SERVICE_SECRETS: readonly (readonly [string, string])[] = [
  ['header', 'value'],
  ['basic', 'password'],
  ['oauth', 'client_secret'],
  ['query', 'value'],
];

/** `prefect.auth_string`, `identity_providers.N.client_secret`, `services.N.inject.header.value` and the like. */
function isSecret(keys: Keys): boolean {
  const [first, second, third, fourth, fifth] = keys;
  if (keys.length === 2) return first === 'prefect' && second === 'auth_string';
  if (keys.length === 5) return first === 'services' && third === 'inject' && SERVICE_SECRETS.some(([kind, key]) => kind === fourth && key === fifth);
  return keys.length === 3 && first === 'identity_providers' && third === 'client_secret';
}

/** A password in the file would be in backups and reviews: it comes from the environment or from a file of its own. */
function checkSecretsAreReferences(data: unknown, problems: ProblemList): void {
  const providers = valueAt(data, ['identity_providers']);
  const services = valueAt(data, ['services']);
  const places: Keys[] = [['prefect', 'auth_string']];
  for (const index of Array.isArray(services) ? services.keys() : []) places.push(...SERVICE_SECRETS.map((secret) => ['services', index, 'inject', ...secret]));
  if (Array.isArray(providers)) places.push(...providers.map((_, index) => ['identity_providers', index, 'client_secret']));
  for (const keys of places) {
    const value = valueAt(data, keys);
    if (typeof value !== 'string' || hasReference(value)) continue;
    problems.report(keys, 'is a secret in plain text', `Write \${NAME} and set NAME in the environment, or use ${String(keys.at(-1))}_file.`);
  }
}
