// ${NAME} in the values of the file, from the environment.
import type { Keys, Report } from './report.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\{([^}]*)\}/g;

export interface Expansion {
  readonly env: Environment;
  /** `skip`: secrets are not expanded, because nothing reads them. */
  readonly secrets: 'read' | 'skip';
  readonly isSecret: (keys: Keys) => boolean;
}

/**
 * A copy of the data with every `${NAME}` in a string replaced. A name that is not set, or empty, is a problem. Values are not expanded again.
 * Rejects a secret in the file itself, because backups and reviews would contain it. It comes from the environment or from a separate file.
 */
export function expandEnvironment(data: unknown, { env, secrets, isSecret }: Expansion, report: Report): unknown {
  return expand(data, []);

  function expand(value: unknown, keys: Keys): unknown {
    if (typeof value === 'string') return expandString(value, keys);
    if (Array.isArray(value)) return value.map((item, index) => expand(item, [...keys, index]));
    if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, [...keys, key])]));
    return value;
  }

  function expandString(value: string, keys: Keys): string {
    const secret = isSecret(keys);
    if (secret && value.search(REFERENCE) === -1)
      report(keys, 'is a secret in plain text', `Write \${NAME} and set NAME in the environment, or use ${String(keys.at(-1))}_file.`);
    return secret && secrets === 'skip' ? value : expandText(value, env, (message, remedy) => report(keys, message, remedy));
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
