// For the tests: a configuration file in a temporary directory.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { type Environment, type LoadOptions, type LoadResult, loadConfig, type Problem } from './load.ts';

export const SMALLEST = 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n';

export interface TestFile {
  readonly directory: string;
  load(text: string, env?: Environment, secrets?: LoadOptions['secrets']): LoadResult;
  /** Throws when there are problems. */
  accepted(text: string, env?: Environment): Config;
  /** Throws if there are none, or if one has no remedy. */
  problems(text: string, env?: Environment): readonly Problem[];
  /** The paths of the problems. */
  places(text: string, env?: Environment): readonly string[];
  /** Writes a file into the same directory and answers its path. */
  write(name: string, content: string, mode?: number): string;
  remove(): void;
}

export function openTestFile(): TestFile {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-config-'));
  const write = (name: string, content: string, mode = 0o600) => {
    const file = join(directory, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };
  const load: TestFile['load'] = (text, env = {}, secrets = 'read') => loadConfig(write('lictor.yaml', text), env, { stateDir: '/state', secrets });
  const problems: TestFile['problems'] = (text, env) => {
    const result = load(text, env);
    if (result.ok) throw new Error('no problem was found');
    if (result.problems.some(({ remedy }) => remedy === '')) throw new Error('a problem without a remedy');
    return result.problems;
  };
  return {
    directory,
    write,
    load,
    problems,
    places: (text, env) => problems(text, env).map(({ path }) => path),
    accepted(text, env) {
      const result = load(text, env);
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      return result.config;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
