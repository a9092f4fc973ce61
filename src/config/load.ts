// Reads lictor.yaml: text -> Config, or every problem at once.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from './config.ts';
import { type Environment, expandEnvironment, isRecord } from './expand.ts';
import { reportFormerKeys } from './former-keys.ts';
import type { Problem } from './problem.ts';
import { createProblemList, type Keys, type ProblemList } from './report.ts';
import { configSchema, jsonSchema } from './schema/index.ts';
import { isSecretIn } from './schema/keys.ts';
import { reportIssues } from './schema/problems.ts';
import { contextOf, type Files } from './sections/context.ts';
import { reportPlainPasswords } from './sections/store.ts';
import { parseYaml } from './yaml-file.ts';

export type { Problem } from './problem.ts';
export type { Environment };

export interface LoadOptions {
  /** Relative store paths are below it. */
  readonly stateDir: string;
  /** `skip`: for commands that need no secret of the gateway, and run in a shell without them. Default: read. */
  readonly secrets?: 'read' | 'skip';
  /** Relative paths in the file are below it. Default: the file's own directory. */
  readonly baseDir?: string;
}

export type LoadResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws for the content of the file, nor for a missing file, which is a problem too. */
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
  reportPlainPasswords(yaml.data, problems.report);
  const schema = jsonSchema();
  const data = expandEnvironment(yaml.data, { env, secrets, isSecret: isSecretIn(schema) }, problems.report);
  reportFormerKeys(data, problems.report);
  const files = { baseDir: options.baseDir ?? dirname(resolve(file)), stateDir: resolve(options.stateDir), secrets };
  const config = parseConfig(data, { files, schema, problems });
  return config !== undefined && problems.all().length === 0 ? { ok: true, config } : { ok: false, problems: problems.all() };
}

interface Parsing {
  readonly files: Files;
  /** The JSON Schema. */
  readonly schema: unknown;
  readonly problems: ProblemList;
}

/** Undefined: every problem was reported. */
function parseConfig(data: unknown, { files, schema, problems }: Parsing): Config | undefined {
  const place = { valueAt: (keys: Keys) => valueAt(data, keys), schema, report: problems.report };
  const parsed = configSchema(contextOf(data, files)).safeParse(data);
  if (parsed.success) return parsed.data;
  reportIssues(parsed.error.issues, place);
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
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
