// What is wrong with a configuration: where, what, and what to do about it.

export interface Problem {
  /** Path in the file, `roles[1].scope`; empty for the file as a whole. */
  readonly path: string;
  /** One sentence; never a secret's value. */
  readonly message: string;
  readonly remedy: string;
  /** Absolute path of the file that it stands in; left out: the configuration file. */
  readonly file?: string;
  /** 1-based line in the file, where it is known. */
  readonly line?: number;
  /** 1-based, in characters. */
  readonly column?: number;
}

/** Joins keys and indices as people write them: `['roles', 1, 'scope']` -> `roles[1].scope`. */
export function problemPath(keys: readonly PropertyKey[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}

/** One problem as two lines of text: `lictor.yaml:12  roles[1].scope: what`, then the remedy. `file`: where the problem names none. */
export function renderProblem(file: string, problem: Problem): string {
  const place = [problem.file ?? file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}  ${subject}${problem.message}\n    ${problem.remedy}\n`;
}
