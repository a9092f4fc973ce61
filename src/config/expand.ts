// ${NAME} in the values of the file, from the environment.
import type { Keys, Report } from './report.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([^}]*)\}/g;

export function hasReference(value: string): boolean {
  return value.search(REFERENCE) !== -1;
}

/**
 * A copy of the data with every `${NAME}` in a string replaced. A name that is not set, or empty, is a problem.
 * What is put in is not expanded again. `skip` says which places stay as they are.
 */
export function expandEnvironment(data: unknown, env: Environment, report: Report, skip: (keys: Keys) => boolean): unknown {
  return expand(data, []);

  function expand(value: unknown, keys: Keys): unknown {
    if (skip(keys)) return value;
    if (typeof value === 'string') return expandText(value, env, (message, remedy) => report(keys, message, remedy));
    if (Array.isArray(value)) return value.map((item, index) => expand(item, [...keys, index]));
    if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, [...keys, key])]));
    return value;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function expandText(text: string, env: Environment, complain: (message: string, remedy: string) => void): string {
  return text.replaceAll(REFERENCE, (whole, name: string) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      complain(`${whole} is no reference to an environment variable`, 'Write ${NAME} with letters, digits and underscores.');
      return whole;
    }
    const value = env[name];
    if (value === undefined || value === '') {
      complain(`the environment variable ${name} is not set`, `Set ${name} where lictor is started.`);
      return whole;
    }
    return value;
  });
}
