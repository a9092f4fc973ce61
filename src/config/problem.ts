// What is wrong with a configuration: where, what, and what to do about it.

export interface Problem {
  /** Path in the file, `roles[1].scope`; empty for the file as a whole. */
  readonly path: string;
  /** One sentence; never a secret's value. */
  readonly message: string;
  readonly remedy: string;
  /** 1-based line in the file, where it is known. */
  readonly line?: number;
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

/** One problem as two lines of text: `lictor.yaml:12  roles[1].scope: what`, then the remedy. */
export function renderProblem(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}  ${subject}${problem.message}\n    ${problem.remedy}\n`;
}
