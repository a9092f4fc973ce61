// The result of a check: one line with its remedy.

export const GROUPS = ['machine', 'edge', 'public-url', 'upstream', 'identity', 'sockets', 'certificates'] as const;
export type Group = (typeof GROUPS)[number];

export interface Verdict {
  /** `warn` is a hint: the exit status stays 0. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence; never a secret. */
  readonly message: string;
  /** Null: nothing to do. */
  readonly remedy: string | null;
  /** Of a problem that only `--deep` looks for (deep/codes.ts). Stable, kebab-case. */
  readonly code?: string;
}

export interface Finding extends Verdict {
  readonly group: Group;
  /** Stable, kebab-case: for --json. */
  readonly check: string;
}

export interface Check {
  readonly group: Group;
  readonly name: string;
  readonly run: () => Verdict | readonly Verdict[] | Promise<Verdict | readonly Verdict[]>;
}

export function ok(message: string): Verdict {
  return { status: 'ok', message, remedy: null };
}

export function warn(message: string, remedy: string): Verdict {
  return { status: 'warn', message, remedy };
}

export function fail(message: string, remedy: string): Verdict {
  return { status: 'fail', message, remedy };
}
